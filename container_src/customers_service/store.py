"""Customers in their table; every change is made to the version that was seen, or not at all."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from customers_service.cursors import Position
from customers_service.database import Database
from customers_service.rules import Customer, Replacement
from customers_service.schema import customers


class UnknownCustomerError(LookupError):
    """There is no customer of that id."""


class VersionConflictError(ValueError):
    """The customer is of another version by now.

    Args:
        current: The version it has.
    """

    def __init__(self, current: int) -> None:
        super().__init__(f"version: must be the current one, {current}; read again and repeat your change")
        self.current = current


class Store:
    """All customers.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, customer: Customer) -> None:
        """Keep a new customer. It may be there already, from an attempt of ours whose answer was lost."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(customers).values(customer.model_dump()).on_conflict_do_nothing())

        await self._database.run(work)

    async def get(self, identity: uuid.UUID) -> Customer:
        """One customer.

        Raises:
            UnknownCustomerError: There is none.
        """
        return await self._database.run(lambda connection: _get(connection, identity))

    async def page(self, *, limit: int, after: Position | None) -> tuple[list[Customer], bool]:
        """Up to ``limit`` customers in the order of their creation, and whether there are more."""
        wanted = select(customers).order_by(customers.c.created_at, customers.c.id).limit(limit + 1)
        if after is not None:
            key = tuple_(customers.c.created_at, customers.c.id)
            wanted = wanted.where(key > (after.created_at, after.id))

        async def work(connection: AsyncConnection) -> list[Customer]:
            return [_customer(row) for row in (await connection.execute(wanted)).mappings()]

        found = await self._database.run(work)
        return found[:limit], len(found) > limit

    async def replace(self, identity: uuid.UUID, new: Replacement, now: dt.datetime) -> Customer:
        """Change a customer that is still of the version that the change was made for.

        Raises:
            UnknownCustomerError: There is none.
            VersionConflictError: It has changed since.
        """
        values = new.model_dump() | {"version": new.version + 1, "updated_at": now}
        same = (customers.c.id == identity) & (customers.c.version == new.version)

        async def work(connection: AsyncConnection) -> Customer:
            changed = await connection.execute(update(customers).where(same).values(values).returning(customers))
            row = changed.mappings().first()
            if row is None:
                raise VersionConflictError((await _get(connection, identity)).version)
            return _customer(row)

        return await self._database.run(work, repeatable=False)

    async def remove(self, identity: uuid.UUID, version: int | None) -> None:
        """Delete a customer; with a version, only if it is still of that one.

        Raises:
            UnknownCustomerError: There is none.
            VersionConflictError: It has changed since.
        """
        same = customers.c.id == identity
        if version is not None:
            same &= customers.c.version == version

        async def work(connection: AsyncConnection) -> None:
            if not (await connection.execute(delete(customers).where(same))).rowcount:
                raise VersionConflictError((await _get(connection, identity)).version)

        await self._database.run(work, repeatable=False)


async def _get(connection: AsyncConnection, identity: uuid.UUID) -> Customer:
    row = (await connection.execute(select(customers).where(customers.c.id == identity))).mappings().first()
    if row is None:
        raise UnknownCustomerError(str(identity))
    return _customer(row)


def _customer(row: Any) -> Customer:
    return Customer.model_validate(dict(row))
