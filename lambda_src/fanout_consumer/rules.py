"""What events are and when a consumer can use one; pure."""

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
# What an order may lack, and some consumers cannot do without.
Part = Literal["items", "address"]


class RefusedError(ValueError):
    """An event that this consumer cannot use, now or later."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Customer(_Strict):
    """Who ordered."""

    tier: Literal["gold", "silver", "basic"]


class Item(_Strict):
    """What was ordered, and how many of it."""

    sku: Id
    quantity: Annotated[int, Field(ge=1, le=1000)]


class OrderEvent(_Strict):
    """Something happened to an order."""

    kind: Literal["order"]
    id: Id
    order: Id
    total: Annotated[int, Field(ge=0, description="in cents")]
    customer: Customer
    items: Annotated[list[Item], Field(max_length=100)] = []
    address: Text | None = None


class Movement(_Strict):
    """Some pieces came into stock, or left it."""

    kind: Literal["movement"]
    id: Id
    sku: Id
    change: Annotated[int, Field(ge=-1000, le=1000)]


Event = OrderEvent | Movement
_EVENTS: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])


def read(body: str) -> Event:
    """The event that a message's body is.

    Raises:
        pydantic.ValidationError: It is none; the error names what is wrong.
    """
    return _EVENTS.validate_json(body)


def usable(event: Event, *, needs: Collection[Part], group: str | None) -> None:
    """See that a consumer can work with an event.

    Args:
        event: The event.
        needs: What of an order the consumer needs.
        group: The message group in which it came; None without an order of messages.

    Raises:
        RefusedError: It cannot.
    """
    if isinstance(event, OrderEvent):
        missing = sorted(part for part in needs if not getattr(event, part))
        if missing:
            raise RefusedError(f"{missing[0]}: must be given for this consumer, order event {event.id!r} has none")
    elif group is not None and group != event.sku:
        raise RefusedError(f"MessageGroupId: must be the sku {event.sku!r}, or the order is lost; got {group!r}")
