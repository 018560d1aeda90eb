"""What is published of an order; pure.

An order and the news of it are one write: the table's stream has every order that was written, and no other. So
nothing is told that did not happen, and what happened is told at least once. The event's id is made from the order's,
so that whoever hears it twice can know.
"""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

KIND: Literal["order-placed"] = "order-placed"
Whole = Annotated[int, Field(ge=0)]


class _Camel(BaseModel):
    # Fields that are no news (a fingerprint, what a later version adds) are left out of the event.
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class Item(_Camel):
    """What was ordered, at the price of that moment, in cents."""

    sku: Annotated[str, Field(min_length=1)]
    quantity: Whole
    price: Whole


class Order(_Camel):
    """An order as its table has it."""

    order_id: uuid.UUID
    customer_id: uuid.UUID
    items: Annotated[list[Item], Field(min_length=1)]
    total: Whole
    created_at: dt.datetime
    correlation_id: Annotated[str, Field(min_length=1, max_length=128)]


class OrderPlaced(Order):
    """The event."""

    kind: Literal["order-placed"] = KIND
    id: str


def order_placed(image: dict[str, Any]) -> OrderPlaced:
    """The event of a new item of the table.

    Raises:
        pydantic.ValidationError: It is no order; the error names what is wrong.
    """
    order = Order.model_validate(image)
    return OrderPlaced(id=f"{KIND}.{order.order_id}", **dict(order))


def message(event: OrderPlaced) -> dict[str, Any]:
    """The event as SNS takes it, with what subscribers filter by beside the body."""
    return {
        "Message": event.model_dump_json(by_alias=True),
        "MessageAttributes": {
            "event": {"DataType": "String", "StringValue": event.kind},
            "event_id": {"DataType": "String", "StringValue": event.id},
            "total": {"DataType": "Number", "StringValue": str(event.total)},
            "correlation_id": {"DataType": "String", "StringValue": event.correlation_id},
        },
    }
