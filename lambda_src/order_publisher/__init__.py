"""Tells the world of orders: what the table's stream has, published to a topic."""
