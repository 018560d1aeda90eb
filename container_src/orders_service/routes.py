"""Requests in, answers out."""

import uuid
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Path, Response

from orders_service.rules import KEY_PATTERN, NewOrder, Placed
from orders_service.service import Orders, ShownOrder
from service_kit import openapi

_TABLE = "The orders do not answer; try again after Retry-After."
_NEIGHBOURS = "The orders, the catalog or the customers do not answer; try again with the same key after Retry-After."
_OTHER_BODY = "The key was used for another order."
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=KEY_PATTERN,
        description="New for each order. Sent again with the same body it places nothing, and finds the order.",
    ),
]
OrderId = Annotated[uuid.UUID, Path(description="The order.")]


def router(orders: Orders) -> APIRouter:
    """The routes."""
    made = APIRouter(prefix="/orders", tags=["orders"])

    @made.post(
        "",
        status_code=201,
        operation_id="place_order",
        responses={200: {"model": Placed, "description": "It was placed before, with this key."}},
        openapi_extra=openapi.problems({422: _OTHER_BODY, 503: _NEIGHBOURS}),
    )
    async def place(asked: NewOrder, key: Key, response: Response) -> Placed:
        """Place an order. Prices are the catalog's."""
        order, new = await orders.place(asked, key)
        response.status_code = HTTPStatus.CREATED if new else HTTPStatus.OK
        response.headers["Location"] = f"/orders/{order.order_id}"
        return Placed(order_id=order.order_id, total=order.total, status=order.status)

    @made.get("/{order_id}", operation_id="get_order", openapi_extra=openapi.problems({503: _TABLE}))
    async def get(order_id: OrderId) -> ShownOrder:
        """An order, with its customer and products as far as these can be had."""
        return await orders.show(order_id)

    return made
