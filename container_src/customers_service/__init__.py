"""Customers and their reward points: a REST API over PostgreSQL."""
