"""What an order is and what is said about it; pure."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Order(BaseModel):
    """An order as the queue brings it; the API's schema states the same rules at the edge."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    orderId: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]  # noqa: N815 - the name on the wire
    item: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    quantity: Annotated[int, Field(ge=1, le=1000)]


def notice(order: Order) -> str:
    """The text that subscribers get: plain, and within one SMS for usual names."""
    return f"Order {order.orderId}: {order.quantity} x {order.item} received."
