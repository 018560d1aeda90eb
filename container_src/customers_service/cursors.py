"""Where a page ended, as an opaque text that a caller sends back; pure."""

import base64
import binascii
import datetime as dt
import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class Position:
    """The last customer of a page."""

    created_at: dt.datetime
    id: uuid.UUID


def text(position: Position) -> str:
    """The cursor of a position."""
    return base64.urlsafe_b64encode(f"{position.created_at.isoformat()} {position.id}".encode()).decode()


def position(cursor: str) -> Position:
    """The position of a cursor.

    Raises:
        ValueError: It is none of ours.
    """
    try:
        created_at, _, identity = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").partition(" ")
        found = Position(dt.datetime.fromisoformat(created_at), uuid.UUID(identity))
    except (ValueError, binascii.Error) as error:
        raise ValueError("must be the cursor of a page") from error
    if text(found) != cursor or found.created_at.tzinfo is None:
        raise ValueError("must be the cursor of a page")
    return found
