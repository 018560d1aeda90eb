"""The scenarios: one module and one stack each, found by the catalog."""
