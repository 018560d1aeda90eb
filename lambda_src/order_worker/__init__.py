"""Stores orders from the queue and tells subscribers of each."""
