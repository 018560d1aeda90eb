"""Welcomes each new subscriber by e-mail, once."""
