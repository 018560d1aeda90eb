"""``python -m customers_service.migrate``: bring the schema up to date. The server does it at its start, too."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from customers_service import secret
from customers_service.database import Database
from customers_service.settings import Settings
from service_kit import logs
from service_kit.serving import told

# Any number, always the same: servers that start together take turns, and the second finds nothing to do.
_LOCK = 7_240_115
_log = logs.logger(__name__)


async def upgrade(database: Database) -> None:
    """Run what has not been run yet: all in one transaction, or nothing."""
    async with database.engine.connect() as connection, connection.begin():
        # A migration, or the wait for another server's, may take longer than a request.
        await connection.execute(text("SET LOCAL statement_timeout = '60s'"))
        await connection.execute(text("SET LOCAL lock_timeout = '50s'"))
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def _main(settings: Settings) -> None:
    reader = secret.reader(settings.database_secret_arn, settings.aws_region)
    database = Database(secret=reader, authorities=settings.pgsslrootcert)
    try:
        await upgrade(database)
    finally:
        await database.close()
    _log.info("the schema is up to date")


if __name__ == "__main__":
    given = told(Settings)
    logs.set_up("customers_service")
    asyncio.run(_main(given))
