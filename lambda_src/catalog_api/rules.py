"""What a product is, and what an order takes from stock; pure."""

import re
import uuid
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

SKU_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
_CORRELATION_PATTERN = r"[A-Za-z0-9._-]{1,128}"
MAX_PRICE = 100_000_000
MAX_STOCK = 1_000_000
MAX_QUANTITY = 100
# An order's mark and its items are written in one transaction, which DynamoDB limits to 100 items.
MAX_ITEMS = 50

Sku = Annotated[str, StringConstraints(pattern=SKU_PATTERN)]


class NewProduct(BaseModel):
    """A product as it is put."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=200)]
    price: Annotated[int, Field(strict=True, ge=0, le=MAX_PRICE, description="In cents.")]
    stock: Annotated[int, Field(strict=True, ge=0, le=MAX_STOCK, description="Pieces that can be ordered.")]


class Product(BaseModel):
    """A product."""

    model_config = ConfigDict(frozen=True)

    sku: Annotated[str, Field(pattern=SKU_PATTERN)]
    name: str
    price: Annotated[int, Field(description="In cents.")]
    stock: int


class Item(BaseModel):
    """What was ordered, and how many of it."""

    model_config = ConfigDict(frozen=True)

    sku: Sku
    quantity: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)]


class OrderPlaced(BaseModel):
    """An order was placed. Fields that this consumer has no use for may come with it."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["order-placed"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    order_id: Annotated[str, Field(alias="orderId", pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    correlation_id: Annotated[str | None, Field(alias="correlationId", max_length=128)] = None
    items: Annotated[list[Item], Field(min_length=1, max_length=MAX_ITEMS)]

    def quantities(self) -> dict[str, int]:
        """SKU -> pieces, each SKU once, in the order of their names."""
        wanted: dict[str, int] = {}
        for item in sorted(self.items, key=lambda one: one.sku):
            wanted[item.sku] = wanted.get(item.sku, 0) + item.quantity
        return wanted


def correlation_id(given: str | None) -> str:
    """The caller's, when it is a plain word of up to 128 characters, or a new one: what is logged must be harmless."""
    return given if given and re.fullmatch(_CORRELATION_PATTERN, given) else uuid.uuid4().hex
