"""Reports on hours of events: asked of Athena when data of an hour arrives, and written once per hour."""
