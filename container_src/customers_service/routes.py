"""Requests in, answers out."""

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query, Response

from customers_service import cursors
from customers_service.cursors import Position
from customers_service.rules import MAX_PAGE, MAX_POINTS, Customer, NewCustomer, Page, Replacement, new_customer
from customers_service.store import Store, UnknownCustomerError, VersionConflictError
from service_kit import openapi
from service_kit.problems import ProblemError, invalid, not_found

_T = TypeVar("_T")
_DATABASE = {503: "The database does not answer; try again after Retry-After."}
_DATABASE_OR_VERSION = _DATABASE | {409: "The customer has changed; currentVersion is its version now."}
CustomerId = Annotated[uuid.UUID, Path(description="The customer.")]


def router(store: Callable[[], Store]) -> APIRouter:
    """The routes.

    Args:
        store: The customers; it raises while they cannot be used.
    """
    made = APIRouter(prefix="/customers", tags=["customers"])

    @made.post("", status_code=201, operation_id="add_customer", openapi_extra=openapi.problems(_DATABASE))
    async def add(asked: NewCustomer, response: Response) -> Customer:
        """Add a customer. Its id and first version come back, and a Location."""
        customer = new_customer(asked, _now())
        await store().add(customer)
        response.headers["Location"] = f"/customers/{customer.id}"
        return customer

    @made.get("", operation_id="list_customers", openapi_extra=openapi.problems(_DATABASE))
    async def page(
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20,
        cursor: Annotated[str | None, Query(max_length=200, description="Of the page before.")] = None,
    ) -> Page:
        """Customers, oldest first."""
        after = _position(cursor) if cursor is not None else None
        found, more = await store().page(limit=limit, after=after)
        end = cursors.text(Position(found[-1].created_at, found[-1].id)) if more else None
        return Page(items=found, cursor=end)

    @made.get("/{customer_id}", operation_id="get_customer", openapi_extra=openapi.problems(_DATABASE))
    async def get(customer_id: CustomerId) -> Customer:
        """One customer."""
        return await _answered(store().get(customer_id))

    @made.put("/{customer_id}", operation_id="replace_customer", openapi_extra=openapi.problems(_DATABASE_OR_VERSION))
    async def replace(customer_id: CustomerId, new: Replacement) -> Customer:
        """Replace a customer that is still of the version you have seen."""
        return await _answered(store().replace(customer_id, new, _now()))

    @made.delete(
        "/{customer_id}",
        status_code=204,
        operation_id="remove_customer",
        openapi_extra=openapi.problems(_DATABASE_OR_VERSION),
    )
    async def remove(
        customer_id: CustomerId,
        version: Annotated[int | None, Query(ge=1, le=MAX_POINTS, description="Only if it is of this one.")] = None,
    ) -> None:
        """Delete a customer."""
        await _answered(store().remove(customer_id, version))

    return made


async def _answered(call: Awaitable[_T]) -> _T:
    try:
        return await call
    except UnknownCustomerError as error:
        raise not_found("customer") from error
    except VersionConflictError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error), currentVersion=error.current) from error


def _position(cursor: str) -> Position:
    try:
        return cursors.position(cursor)
    except ValueError as error:
        raise invalid(("cursor", str(error))) from error


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
