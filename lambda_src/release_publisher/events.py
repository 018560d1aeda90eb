"""The objects that a queue message tells of."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


class UnreadableMessageError(ValueError):
    """The message is not an S3 event notification."""


@dataclass(frozen=True)
class Upload:
    """Where an object was created."""

    bucket: str
    key: str


def uploads(body: str) -> list[Upload]:
    """Read a message; S3's test event tells of none.

    Raises:
        UnreadableMessageError: It is something else; its place is among the dead letters.
    """
    try:
        event: Any = json.loads(body)
        if event.get("Event") == "s3:TestEvent":
            return []
        created = [one for one in event["Records"] if one["eventName"].startswith("ObjectCreated:")]
        # Keys are form-encoded in events: a space arrives as "+", a plus as "%2B".
        return [Upload(one["s3"]["bucket"]["name"], unquote_plus(one["s3"]["object"]["key"])) for one in created]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableMessageError(f"message: must be an S3 event, got {body[:100]!r}") from error
