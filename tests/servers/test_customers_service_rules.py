"""Cursors of customers_service, and its schema, migrations and document in step."""

import asyncio
import base64
import datetime as dt
import json
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from customers_service import cursors
from customers_service.database import Database
from customers_service.migrate import upgrade
from customers_service.schema import metadata
from customers_service.secret import SecretReader
from service_kit.problems import UnavailableError
from tests.servers import postgres, processes

_times = st.datetimes(min_value=dt.datetime(2000, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001 - the strategy adds it


@given(_times, st.uuids())
def test_a_cursor_leads_back_to_its_position(created_at: dt.datetime, identity: Any) -> None:
    position = cursors.Position(created_at, identity)
    assert cursors.position(cursors.text(position)) == position


@given(st.text())
def test_another_text_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="must be the cursor of a page"):
        cursors.position(text)


@pytest.mark.parametrize("inside", ["2026-01-01T00:00:00 0f8fad5b-d9cb-469f-a165-70867728950e", "x y", "\xff"])
def test_a_cursor_made_by_hand_is_refused(inside: str) -> None:
    with pytest.raises(ValueError, match="must be the cursor of a page"):
        cursors.position(base64.urlsafe_b64encode(inside.encode("latin-1")).decode())


class _Secrets:
    def __init__(self, text: str) -> None:
        self.text = text
        self.reads = 0

    def get_secret_value(self, **_: str) -> dict[str, str]:
        self.reads += 1
        return {"SecretString": self.text}


def test_the_migrations_make_the_schema_that_the_code_sees(database: postgres.Postgres, customers: object) -> None:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async def compared() -> tuple[list[Any], list[Any]]:
        found = Database(secret=_reader(database), authorities=database.authority)
        await upgrade(found)
        async with found.engine.connect() as connection:
            whole = await connection.run_sync(differences)
            await connection.exec_driver_sql("DROP INDEX ix_customers_created_at_id")
            spoilt = await connection.run_sync(differences)
            await connection.rollback()
        await found.close()
        return whole, spoilt

    whole, spoilt = asyncio.run(compared())
    assert whole == []
    assert len(spoilt) == 1


def test_a_secret_is_read_once_until_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("customers_service.secret.time.monotonic", lambda: now)
    secrets = _Secrets('{"username": "a", "password": "b", "host": "c", "engine": "postgres"}')
    reader = SecretReader("arn", secrets)

    async def read() -> None:
        await reader.current()
        await reader.current()

    asyncio.run(read())
    assert secrets.reads == 1
    reader.forget()
    asyncio.run(read())
    assert secrets.reads == 1, "it was read just now"
    now += 1
    reader.forget()
    asyncio.run(read())
    assert secrets.reads == 2


def test_a_spoilt_secret_is_not_shown(log: Any) -> None:
    with pytest.raises(UnavailableError):
        asyncio.run(SecretReader("arn", _Secrets('{"password": "hunter2"}')).current())
    assert "username" in str(log())
    assert "hunter2" not in str(log())


def test_the_document_names_every_refusal(customers: processes.Process) -> None:
    document = customers.get("/openapi.json").json()
    change = document["paths"]["/customers/{customer_id}"]["put"]["responses"]
    assert {"200", "400", "404", "409", "413", "503"} <= change.keys()
    assert document["components"]["schemas"]["Replacement"]["required"] == ["name", "email", "rewardPoints", "version"]


def _reader(database: postgres.Postgres) -> SecretReader:
    return SecretReader("arn", _Secrets(json.dumps(database.secret)))
