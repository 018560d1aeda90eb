"""The connection of customers_service: what is done again, what is not, and what callers are told."""

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from customers_service import database as database_module
from customers_service import secret as secret_module
from customers_service.database import Database
from customers_service.secret import SecretReader
from service_kit.problems import UnavailableError
from tests.servers import postgres
from tests.servers.authority import issue
from tests.servers.conftest import Log

_IDLE = 5


class _Secrets:
    def __init__(self, server: postgres.Postgres, host: str = "localhost") -> None:
        self.move(server, host)

    def move(self, server: postgres.Postgres, host: str = "localhost") -> None:
        self._text = json.dumps(server.secret | {"host": host})

    def get_secret_value(self, **_: str) -> dict[str, str]:
        return {"SecretString": self._text}


def _run(
    server: postgres.Postgres,
    work: Callable[[AsyncConnection], Awaitable[Any]],
    *,
    repeatable: bool = True,
    host: str = "localhost",
) -> Any:
    async def run() -> Any:
        database = Database(secret=SecretReader("arn", _Secrets(server, host)), authorities=server.authority)
        try:
            return await database.run(work, repeatable=repeatable)
        finally:
            await database.close()

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other tests is no database that hangs."""
    monkeypatch.setattr(database_module, "TOTAL_SECONDS", 20)


@pytest.fixture
def tried(database: postgres.Postgres) -> Iterator[Callable[[], int]]:
    """How many rows the attempts left."""
    database.execute("DROP TABLE IF EXISTS tried; CREATE TABLE tried (at timestamptz DEFAULT now())")

    def rows() -> int:
        with database.connect() as connection:
            found = connection.execute("SELECT count(*) FROM tried").fetchone()
        assert found is not None
        count: int = found[0]
        return count

    yield rows
    database.execute("DROP TABLE tried")


class _Writer:
    """Writes a row; loses its connection in the first attempts, before or after."""

    def __init__(self, server: postgres.Postgres, *, losses: int, before: bool) -> None:
        self.attempts = 0
        self._server, self._losses, self._before = server, losses, before

    async def __call__(self, connection: AsyncConnection) -> None:
        self.attempts += 1
        if self._before:
            await self._lose(connection)
        await connection.execute(text("INSERT INTO tried DEFAULT VALUES"))
        if not self._before:
            await self._lose(connection)

    async def _lose(self, connection: AsyncConnection) -> None:
        if self.attempts <= self._losses:
            pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            self._server.execute(f"SELECT pg_terminate_backend({pid}, 5000)")


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("losses", [0, 1, 2])
def test_what_is_lost_before_its_commit_is_done_again(
    database: postgres.Postgres, tried: Callable[[], int], losses: int, *, repeatable: bool
) -> None:
    writer = _Writer(database, losses=losses, before=True)
    _run(database, writer, repeatable=repeatable)
    assert (writer.attempts, tried()) == (losses + 1, 1)


def test_three_losses_are_one_too_many(database: postgres.Postgres, tried: Callable[[], int]) -> None:
    writer = _Writer(database, losses=3, before=True)
    with pytest.raises(UnavailableError, match="The database does not answer; try again"):
        _run(database, writer)
    assert (writer.attempts, tried()) == (3, 0)


def test_what_is_lost_while_it_is_committed_is_done_again_if_that_does_no_harm(
    database: postgres.Postgres, tried: Callable[[], int]
) -> None:
    writer = _Writer(database, losses=1, before=False)
    _run(database, writer)
    assert (writer.attempts, tried()) == (2, 1)


def test_what_is_lost_while_it_is_committed_is_otherwise_left_to_the_caller(
    database: postgres.Postgres, tried: Callable[[], int]
) -> None:
    writer = _Writer(database, losses=1, before=False)
    with pytest.raises(UnavailableError, match="It may be saved: read first"):
        _run(database, writer, repeatable=False)
    assert writer.attempts == 1


@pytest.mark.parametrize("repeatable", [True, False])
def test_idle_connections_that_died_cost_nobody_more_than_one_attempt(
    database: postgres.Postgres, tried: Callable[[], int], *, repeatable: bool
) -> None:
    """More of them than there are attempts: the first one that is found dead tells of the others."""
    attempts: list[int] = []

    def writer(number: int) -> Callable[[AsyncConnection], Awaitable[None]]:
        async def work(connection: AsyncConnection) -> None:
            attempts.append(number)
            await connection.execute(text("INSERT INTO tried DEFAULT VALUES"))

        return work

    async def run() -> None:
        found = Database(secret=SecretReader("arn", _Secrets(database)), authorities=database.authority)
        together = asyncio.Barrier(_IDLE)

        async def meet(connection: AsyncConnection) -> int:
            await together.wait()  # each has a connection of its own
            return int((await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one())

        try:
            assert len(set(await asyncio.gather(*(found.run(meet) for _ in range(_IDLE))))) == _IDLE
            await asyncio.to_thread(database.cut)
            await found.run(writer(0), repeatable=repeatable)
            await asyncio.gather(*(found.run(writer(number), repeatable=repeatable) for number in range(1, _IDLE)))
        finally:
            await found.close()

    asyncio.run(run())
    assert tried() == _IDLE, "something was done twice, or not at all"
    assert sorted(attempts) == [0, *range(_IDLE)], "the first one is tried twice, the others once"


def test_when_the_database_is_gone_the_secret_says_where_another_is(
    database: postgres.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runbook after data were damaged: the address is written into the secret, and the first database stopped."""
    monkeypatch.setattr(secret_module, "_AT_MOST_EVERY_SECONDS", 0)

    async def port(connection: AsyncConnection) -> Any:
        return (await connection.execute(text("SELECT inet_server_port()"))).scalar_one()

    async def run(first: postgres.Postgres) -> list[Any]:
        secrets = _Secrets(first)
        found = Database(secret=SecretReader("arn", secrets), authorities=database.authority)
        try:
            seen = [await found.run(port)]
            secrets.move(database)
            seen.append(await found.run(port))
            await asyncio.to_thread(first.stop)
            return [*seen, await found.run(port)]
        finally:
            await found.close()

    with postgres.running() as first:
        for name in ("server.pem", "server.key"):  # of one authority, as those of RDS
            (first.server.folder / name).write_bytes((database.server.folder / name).read_bytes())
        first.stop()
        first.start()
        assert asyncio.run(run(first)) == [first.server.port, first.server.port, database.server.port]


def test_a_wrong_statement_is_our_fault_and_is_not_repeated(database: postgres.Postgres) -> None:
    attempts = 0

    async def work(connection: AsyncConnection) -> None:
        nonlocal attempts
        attempts += 1
        await connection.execute(text("SELECT nonsense"))

    with pytest.raises(DBAPIError):
        _run(database, work)
    assert attempts == 1


def test_a_statement_that_takes_too_long_is_ended(database: postgres.Postgres) -> None:
    async def limits(connection: AsyncConnection) -> list[str]:
        return [
            (await connection.execute(text(f"SHOW {name}"))).scalar_one()
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        ]

    async def slow(connection: AsyncConnection) -> None:
        await connection.execute(text("SET LOCAL statement_timeout = 50"))
        await connection.execute(text("SELECT pg_sleep(5)"))

    assert _run(database, limits) == ["2s", "1500ms", "10s"]
    with pytest.raises(UnavailableError):
        _run(database, slow)


def test_connections_are_encrypted_and_kept(database: postgres.Postgres) -> None:
    async def work(connection: AsyncConnection) -> Any:
        return (await connection.execute(text("SELECT ssl, pid FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))).one()

    async def twice() -> list[Any]:
        found = Database(secret=SecretReader("arn", _Secrets(database)), authorities=database.authority)
        try:
            return [await found.run(work), await found.run(work)]
        finally:
            await found.close()

    first, second = asyncio.run(twice())
    assert first[0] is True
    assert first == second


async def _five(connection: AsyncConnection) -> Any:
    return (await connection.execute(text("SELECT 5"))).scalar_one()


def test_a_database_that_proves_who_it_is_is_talked_to(database: postgres.Postgres) -> None:
    assert _run(database, _five, host="127.0.0.1") == 5


def test_a_host_that_its_certificate_does_not_name_is_not(database: postgres.Postgres, log: Log) -> None:
    with pytest.raises(UnavailableError):
        _run(database, _five, host="127.0.0.2")
    assert "does not match host name" in json.dumps(log())


def test_a_certificate_of_another_authority_is_not(database: postgres.Postgres, log: Log, tmp_path: Path) -> None:
    other, _, _ = issue(tmp_path)
    with pytest.raises(UnavailableError):
        _run(dataclasses.replace(database, authority=other), _five)
    assert "SSL error" in json.dumps(log())
