"""What an order is, and what may be asked for; pure."""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

MAX_QUANTITY = 100
MAX_ITEMS = 50
KEY_PATTERN = r"^[A-Za-z0-9._:-]{1,128}$"
# Of the ids that are made from idempotency keys; any, for ever the same.
_NAMESPACE = uuid.UUID("8d5b1f4e-3c0e-4d55-9a5e-5f0b8a1d7c42")

Sku = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Cents = Annotated[int, Field(ge=0, description="In cents.")]


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Item(_Camel):
    """What is wanted, and how many of it."""

    sku: Sku
    quantity: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)]


class NewOrder(_Camel):
    """An order as it is asked for."""

    customer_id: uuid.UUID
    items: Annotated[list[Item], Field(min_length=1, max_length=MAX_ITEMS)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({item.sku for item in self.items}) < len(self.items):
            raise ValueError("items must have each sku once")
        return self


class PricedItem(Item):
    """What was ordered, at the price of that moment."""

    price: Cents


class Order(_Camel):
    """An order as it is kept: all that whoever hears of it needs to know."""

    order_id: uuid.UUID
    customer_id: uuid.UUID
    items: list[PricedItem]
    total: Cents
    status: Literal["placed"] = "placed"
    created_at: dt.datetime
    correlation_id: str
    fingerprint: Annotated[str, Field(description="Of what was asked for under this key.")]


class Shown(_Camel):
    """An order as it is shown."""

    order_id: uuid.UUID
    customer_id: uuid.UUID
    items: list[PricedItem]
    total: Cents
    status: Literal["placed"]
    created_at: dt.datetime


class Placed(_Camel):
    """The answer to an order."""

    order_id: uuid.UUID
    total: Cents
    status: Literal["placed"]


def order_id(key: str) -> uuid.UUID:
    """The id of the order of an idempotency key: the same key is the same order, whoever writes it first."""
    return uuid.uuid5(_NAMESPACE, key)


def fingerprint(asked: NewOrder) -> str:
    """The same for the same request, however its JSON was written."""
    return hashlib.sha256(json.dumps(asked.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def place(asked: NewOrder, *, key: str, prices: Mapping[str, int], now: dt.datetime, correlation_id: str) -> Order:
    """The order.

    Args:
        asked: What is wanted.
        key: Idempotency key.
        prices: SKU -> cents, of every sku that is wanted.
        now: When it is placed.
        correlation_id: Of the request that places it.
    """
    items = [PricedItem(sku=one.sku, quantity=one.quantity, price=prices[one.sku]) for one in asked.items]
    return Order(
        order_id=order_id(key),
        customer_id=asked.customer_id,
        items=items,
        total=sum(one.quantity * one.price for one in items),
        created_at=now,
        correlation_id=correlation_id,
        fingerprint=fingerprint(asked),
    )


def shown(order: Order) -> Shown:
    """What of an order is shown."""
    return Shown.model_validate(order.model_dump(include=set(Shown.model_fields)))
