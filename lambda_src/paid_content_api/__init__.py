"""The shop of paid videos: what a user may watch, buying, and short-lived links to watch by."""
