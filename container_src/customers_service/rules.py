"""What a customer is, and what may be asked for; pure."""

import datetime as dt
import uuid
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

MAX_PAGE = 100
MAX_POINTS = 2**31 - 1
_LAST_CONTROL = 0x1F
_DELETE = 0x7F


def _storable(value: str) -> str:
    # PostgreSQL keeps no NUL, UTF-8 has no half pairs, and nobody's name has a line break.
    if any(ord(one) <= _LAST_CONTROL or ord(one) == _DELETE or "\ud800" <= one <= "\udfff" for one in value):
        raise ValueError("must have no control characters and no half surrogate pairs")
    return value


Name = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(_storable),
    Field(description="Blanks around it are removed."),
]
Email = Annotated[
    str,
    StringConstraints(strict=True, max_length=254, pattern=r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$"),
    AfterValidator(_storable),
    Field(examples=["ada@example.com"]),
]
Points = Annotated[int, Field(strict=True, ge=0, le=MAX_POINTS, description="Reward points.")]
Version = Annotated[
    int,
    Field(strict=True, ge=1, le=MAX_POINTS, description="The version that you have seen; another one now is a 409."),
]


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class NewCustomer(_Camel):
    """A customer as it is asked for."""

    name: Name
    email: Email
    reward_points: Points = 0


class Replacement(_Camel):
    """A whole new state of a customer, made from the version that was seen."""

    name: Name
    email: Email
    reward_points: Points
    version: Version


class Customer(_Camel):
    """A customer."""

    id: uuid.UUID
    name: str
    email: str
    reward_points: int
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class Page(_Camel):
    """Some customers, oldest first, and where to go on; no cursor: that was all."""

    items: list[Customer]
    cursor: str | None = None


def new_customer(asked: NewCustomer, now: dt.datetime) -> Customer:
    """The first version of a customer."""
    return Customer(
        id=uuid.uuid4(),
        name=asked.name,
        email=asked.email,
        reward_points=asked.reward_points,
        version=1,
        created_at=now,
        updated_at=now,
    )
