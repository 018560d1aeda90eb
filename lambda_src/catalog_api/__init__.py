"""The catalog: its REST API over a table behind a cache, and the consumer that takes what was ordered from stock."""
