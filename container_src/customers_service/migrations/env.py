"""How Alembic runs the migrations: on the connection, and in the transaction, that it is given."""

from alembic import context

from customers_service.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transaction_per_migration=False
)
with context.begin_transaction():
    context.run_migrations()
