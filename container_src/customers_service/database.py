"""The connection to PostgreSQL: pooled, verified, bounded in time, and repaired without a restart."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import psycopg
import stamina
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from customers_service.secret import SecretReader
from service_kit.logs import logger
from service_kit.problems import UnavailableError
from service_kit.waiting import within

_log = logger(__name__)
_T = TypeVar("_T")
# A request waits no longer for the database, whatever happens to it.
TOTAL_SECONDS = 2.8
_ATTEMPTS = 3
_SESSION = {
    "statement_timeout": "2000",
    "lock_timeout": "1500",
    "idle_in_transaction_session_timeout": "10000",
}
# The server ends or refuses connections (restart, failover), or two transactions met: another attempt may do.
_PASSING = {"57P01", "57P02", "57P03", "53300", "40001", "40P01"}
_CANCELLED = "57014"


class Database:
    """A pool of connections.

    Args:
        secret: Says where the database is and what opens it; read again when it does not.
        authorities: File of the certificates that the database's may come from.
    """

    def __init__(self, *, secret: SecretReader, authorities: Path) -> None:
        self._secret = secret
        self._authorities = authorities
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+psycopg://",
            async_creator=self._connect,
            # Not pool_pre_ping, a round trip for each request: a connection that died while it was idle fails at its
            # first statement, before anything has happened, and `run` begins anew with all idle ones thrown away.
            pool_size=10,
            max_overflow=5,
            pool_timeout=2,
            pool_recycle=900,
            hide_parameters=True,
        )

    async def run(self, work: Callable[[AsyncConnection], Awaitable[_T]], *, repeatable: bool = True) -> _T:
        """Do work in one transaction. A lost connection is replaced and the work done again: 3 attempts.

        Args:
            work: What to do.
            repeatable: Whether it may be done again when it is not known if it was committed: the connection was lost
                between COMMIT and its answer.

        Raises:
            UnavailableError: The database did not do it within 2.8 s.
        """
        try:
            return await within(TOTAL_SECONDS, self._tried(work, repeatable=repeatable))
        except (TimeoutError, PoolTimeoutError) as error:
            raise _unavailable(error) from error
        except DBAPIError as error:
            if is_passing(error) or _sqlstate(error) == _CANCELLED:
                raise _unavailable(error) from error
            raise

    async def ping(self) -> None:
        """It answers."""
        await self.run(lambda connection: connection.execute(text("SELECT 1")))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()

    async def _tried(self, work: Callable[[AsyncConnection], Awaitable[_T]], *, repeatable: bool) -> _T:
        attempts = stamina.retry_context(
            on=is_passing, attempts=_ATTEMPTS, timeout=TOTAL_SECONDS, wait_initial=0.1, wait_max=0.5, wait_jitter=0.1
        )
        async for attempt in attempts:
            with attempt:
                # Until COMMIT nothing has happened, so a loss before it is no reason to stop.
                async with self.engine.connect() as connection, connection.begin() as transaction:
                    found = await work(connection)
                    try:
                        await transaction.commit()
                    except DBAPIError as error:
                        if is_passing(error) and not repeatable:
                            raise UnavailableError(
                                "The connection broke while your change was being saved. It may be saved: read first."
                            ) from error
                        raise
        return found

    async def _connect(self) -> psycopg.AsyncConnection:
        """A new connection. The name is resolved for each, and nothing here keeps the address.

        After a failover of a Multi-AZ instance the name leads to another address. "If your client application is
        caching the Domain Name Service (DNS) data of your DB instances, set a time-to-live (TTL) value of less than
        30 seconds" (Amazon RDS User Guide, "Best practices for Amazon RDS").
        """
        secret = await self._secret.current()
        try:
            return await psycopg.AsyncConnection.connect(
                host=secret.host,
                port=secret.port,
                dbname=secret.dbname,
                user=secret.username,
                password=secret.password.get_secret_value(),
                sslmode="verify-full",
                sslrootcert=str(self._authorities),
                application_name="customers_service",
                connect_timeout=2,
                # A host that vanished without a word: the system gives such a connection up within seconds.
                tcp_user_timeout=3000,
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=2,
                options=" ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
            )
        except psycopg.OperationalError:
            # PostgreSQL's protocol gives no code for a refusal at this point, so every one leads to another look.
            self._secret.forget()
            raise


def is_passing(error: Exception) -> bool:
    """Whether it is the connection, or the moment, that is to blame and not the statement."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or _sqlstate(error) in _PASSING or _is_of_connecting(error)


def _is_of_connecting(error: DBAPIError) -> bool:
    return isinstance(error.orig, psycopg.OperationalError) and error.orig.sqlstate is None


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _unavailable(error: Exception) -> UnavailableError:
    reason = f"{type(error).__name__}: {getattr(error, 'orig', error)}"[:500]
    _log.warning("the database does not answer", reason=reason)
    return UnavailableError("The database does not answer; try again.")
