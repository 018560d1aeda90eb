"""The blog's API: readers list and read posts and subscribe; authors write posts and bring photos."""
