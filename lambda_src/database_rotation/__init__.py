"""Rotates the password of a PostgreSQL user: Secrets Manager asks for four steps, each of which may be asked again."""
