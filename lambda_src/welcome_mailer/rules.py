"""Who is welcomed, and with what words; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class UnreadableRecordError(ValueError):
    """The record is no new subscriber as the table's stream tells of one."""


@dataclass(frozen=True)
class Subscriber:
    """A new subscriber.

    Attributes:
        key: The mailbox, spelled the one way.
        address: As it was written: where the mail goes.
        event_id: The stream record; it stays the same however often it is delivered.
    """

    key: str
    address: str
    event_id: str


def new_subscriber(record: Mapping[str, Any]) -> Subscriber | None:
    """The subscriber of a stream record; None for a change or a removal, which welcome nobody.

    Raises:
        UnreadableRecordError: The record lacks what it must have.
    """
    if record.get("eventName") != "INSERT":
        return None
    try:
        image = record["dynamodb"]["NewImage"]
        found = Subscriber(image["email"]["S"], image["address"]["S"], record["eventID"])
    except (KeyError, TypeError) as error:
        raise UnreadableRecordError(f"record: must have eventID, email and address, {error} is missing") from error
    # Whoever writes into the table could otherwise add headers or recipients.
    if any(character in found.address for character in "\r\n,;<> "):
        raise UnreadableRecordError("address: must be one plain address")
    return found


def subject() -> str:
    """The mail's subject."""
    return "Welcome to MyBlog"


def text(site_url: str) -> str:
    """The mail's text."""
    return (
        "Hello,\n\n"
        "thank you for subscribing to MyBlog. You will hear from us when there is something new to read:\n"
        f"{site_url}\n\n"
        "If it was not you who subscribed, you need do nothing: this address gets no further confirmation.\n"
    )
