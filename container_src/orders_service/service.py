"""What happens to an order: it is placed once, and shown with what the neighbours know of it."""

import asyncio
import datetime as dt
import uuid
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from pydantic import Field

from orders_service import rules
from orders_service.neighbours import Customer, Neighbours, Product
from orders_service.rules import NewOrder, Order
from orders_service.store import Store
from service_kit import correlation
from service_kit.problems import ProblemError, UnavailableError, invalid, not_found

_T = TypeVar("_T")


class ShownOrder(rules.Shown):
    """An order with its customer and products, as far as these can be had."""

    customer: Annotated[
        Customer | None, Field(description="null: there is none any more, or degraded says that nobody knows.")
    ]
    products: Annotated[list[Product] | None, Field(description="Those that there are; null: degraded.")]
    degraded: Annotated[list[str], Field(description="The services that did not answer.")]


class Orders:
    """All orders.

    Args:
        store: Where they are kept.
        neighbours: Whom to ask.
    """

    def __init__(self, store: Store, neighbours: Neighbours) -> None:
        self._store = store
        self._neighbours = neighbours

    async def place(self, asked: NewOrder, key: str) -> tuple[Order, bool]:
        """Place an order, or find the one that was placed with this key; and whether it is new.

        Raises:
            ProblemError: There is no such customer or product, or the key was used for another order.
            UnavailableError: The table, the catalog or the customers do not answer. Nothing was ordered, or the same
                request finds what was.
        """
        known = await self._store.get(rules.order_id(key))
        if known is not None:
            return _the_same(known, asked), False
        order = rules.place(
            asked,
            key=key,
            prices=await self._prices(asked),
            now=dt.datetime.now(dt.UTC),
            correlation_id=correlation.current() or correlation.new_id(),
        )
        # Somebody with the same key may have been faster.
        kept = await self._store.add(order)
        return (kept, True) if kept == order else (_the_same(kept, asked), False)

    async def show(self, order_id: uuid.UUID) -> ShownOrder:
        """An order. The neighbours are asked at the same time; without one, the rest is shown.

        Raises:
            ProblemError: There is none.
            UnavailableError: The table does not answer.
        """
        order = await self._store.get(order_id)
        if order is None:
            raise not_found("order")
        customer, products = await asyncio.gather(
            _or_nothing(self._neighbours.customer(order.customer_id)),
            _or_nothing(self._neighbours.products(item.sku for item in order.items)),
        )
        silent = [name for name, (answered, _) in (("customers", customer), ("catalog", products)) if not answered]
        return ShownOrder(
            **dict(rules.shown(order)),
            customer=customer[1],
            products=list(products[1].values()) if products[1] is not None else None,
            degraded=silent,
        )

    async def _prices(self, asked: NewOrder) -> dict[str, int]:
        customer, products = await asyncio.gather(
            self._neighbours.customer(asked.customer_id), self._neighbours.products(item.sku for item in asked.items)
        )
        errors = [] if customer else [("customerId", "must be a customer")]
        errors += [
            (f"items.{number}.sku", "must be a product")
            for number, item in enumerate(asked.items)
            if item.sku not in products
        ]
        if errors:
            raise invalid(*errors)
        return {sku: product.price for sku, product in products.items()}


def _the_same(known: Order, asked: NewOrder) -> Order:
    if known.fingerprint != rules.fingerprint(asked):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "This key was used for another order; take a new one.",
            errors=[("Idempotency-Key", "must be new for a new order")],
        )
    return known


async def _or_nothing(question: Coroutine[Any, Any, _T]) -> tuple[bool, _T | None]:
    try:
        return True, await question
    except UnavailableError:
        return False, None
