"""Orders in DynamoDB; prices come from the catalog, customers from their service."""
