"""What a to-do is, and what may be asked for; pure."""

import datetime as dt
import re
import secrets
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

ID_PATTERN = r"^[0-9a-f]{32}$"
MAX_PAGE = 100
MAX_VERSION = 2**31


def _iso_date(value: Any) -> Any:
    # Pydantic would also take a number of seconds, or a time stamp at midnight.
    if isinstance(value, dt.date):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError('must be a date of ISO 8601, "2026-12-24"')
    return value


Title = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=200),
    Field(description="What is to be done; blanks around it are removed."),
]
Due = Annotated[
    dt.date,
    BeforeValidator(_iso_date),
    Field(description="The day it is due, ISO 8601.", examples=["2026-12-24"]),
]
Version = Annotated[
    int,
    Field(strict=True, ge=1, le=MAX_VERSION, description="The version that you have seen; another one now is a 409."),
]


class NewTodo(BaseModel):
    """A to-do as it is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Title
    done: Annotated[bool, Field(strict=True)] = False
    due: Due | None = None


class Change(BaseModel):
    """What to change; what is left out stays, ``due: null`` takes the date away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Version
    title: Title | None = None
    done: Annotated[bool, Field(strict=True)] | None = None
    due: Due | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        given = self.model_fields_set - {"version"}
        if not given:
            raise ValueError("must change title, done or due")
        for name in ("title", "done"):
            if name in given and getattr(self, name) is None:
                raise ValueError(f"{name} must not be null")
        return self

    def values(self) -> dict[str, Any]:
        """Field -> new value, of those that were given; None takes a field away."""
        return {name: getattr(self, name) for name in ("title", "done", "due") if name in self.model_fields_set}


class Todo(BaseModel):
    """A to-do."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[str, Field(pattern=ID_PATTERN)]
    title: str
    done: bool
    due: dt.date | None = None
    version: int
    created: dt.datetime

    @property
    def etag(self) -> str:
        """Another text for every version."""
        return f'"{self.id}-{self.version}"'


class Page(BaseModel):
    """Some to-dos, oldest first, and where to go on; no cursor: that was all."""

    items: list[Todo]
    cursor: str | None = None


def new_todo(asked: NewTodo, now: dt.datetime) -> Todo:
    """The first version of a to-do. Ids sort by time, so that a list is in the order of creation."""
    identity = f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"
    return Todo(id=identity, title=asked.title, done=asked.done, due=asked.due, version=1, created=now)
