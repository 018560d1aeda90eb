"""The application: routes to the store, and the schema brought up to date at the start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import stamina
from fastapi import FastAPI

from customers_service import secret
from customers_service.database import Database, is_passing
from customers_service.migrate import upgrade
from customers_service.routes import router
from customers_service.settings import Settings
from customers_service.store import Store
from service_kit.app import create_app
from service_kit.logs import logger
from service_kit.problems import UnavailableError
from service_kit.waiting import within

_log = logger(__name__)
_FIRST_TRY_SECONDS = 5


def create(settings: Settings) -> FastAPI:
    """The server's application."""
    reader = secret.reader(settings.database_secret_arn, settings.aws_region)
    return application(settings, Database(secret=reader, authorities=settings.pgsslrootcert))


def application(settings: Settings, database: Database) -> FastAPI:
    """The application over a database."""
    prepared = asyncio.Event()

    def store() -> Store:
        if not prepared.is_set():
            raise UnavailableError("The database is not prepared yet; try again.")
        return Store(database)

    async def check() -> None:
        await database.ping()
        store()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # A server that starts while its database is away says so to its callers, and is there when it comes back.
        # A migration that fails for another reason ends the start: the deployment sees it and stays as it was.
        try:
            await within(_FIRST_TRY_SECONDS, _prepare(database, prepared))
        except Exception as error:
            if not _may_pass(error):
                raise
            _log.warning("the schema is not up to date yet", reason=f"{type(error).__name__}: {error}"[:500])
        later = asyncio.create_task(_prepare_later(database, prepared))
        yield
        later.cancel()
        with suppress(asyncio.CancelledError):
            await later
        await database.close()

    return create_app(
        title="Customers",
        description="Customers and their reward points.",
        settings=settings,
        routers=[router(store)],
        checks={"database": check},
        lifespan=lifespan,
    )


async def _prepare(database: Database, prepared: asyncio.Event) -> None:
    await upgrade(database)
    prepared.set()


async def _prepare_later(database: Database, prepared: asyncio.Event) -> None:
    attempts = stamina.retry_context(on=_may_pass, attempts=None, timeout=None, wait_initial=0.2, wait_max=5)
    try:
        async for attempt in attempts:
            with attempt:
                if not prepared.is_set():
                    await _prepare(database, prepared)
    except Exception:  # noqa: BLE001 - nobody waits for this task; callers are told that nothing is prepared
        _log.exception("the schema cannot be brought up to date")


def _may_pass(error: Exception) -> bool:
    return isinstance(error, UnavailableError | TimeoutError) or is_passing(error)
