"""What is fast and how we know: every number is a ratio measured in one run. `make bench`."""
