"""Finds at deploy time which id a prefix list of AWS's own has in this region."""
