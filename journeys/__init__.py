"""Journeys: per architecture, its user.

A journey drives a deployed stack through its outputs, with boto3 and HTTP, and proves the good path and each refusal.
The same file runs on the local cloud and on a real account (``python -m journeys <key>``). Modules without a leading
underscore are journeys, one per scenario (``order_queue.py`` is ``order-queue``); the others are the machinery.
"""
