"""The REST API of a to-do list: everybody sees and changes their own to-dos."""
