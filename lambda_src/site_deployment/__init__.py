"""Puts a site's files into its bucket with their headers, and tells the cache."""
