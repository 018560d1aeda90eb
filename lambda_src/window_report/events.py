"""The objects that a queue message tells of."""

import json
from typing import Any
from urllib.parse import unquote_plus


class UnreadableMessageError(ValueError):
    """The message is not an S3 event notification."""


def created(body: str) -> list[str]:
    """The keys of the created objects in an SQS body; none for ``s3:TestEvent``, which S3 sends when it is set up.

    Raises:
        UnreadableMessageError: It is something else; its place is the dead-letter queue.
    """
    try:
        event = json.loads(body)
    except json.JSONDecodeError as error:
        raise UnreadableMessageError(f"message: must be JSON, {error}") from error
    if isinstance(event, dict) and event.get("Event") == "s3:TestEvent":
        return []
    try:
        return [_key(record) for record in event["Records"] if record["eventName"].startswith("ObjectCreated:")]
    except (AttributeError, KeyError, TypeError) as error:
        raise UnreadableMessageError("message: must be an S3 event with 'Records' of objects") from error


def _key(record: dict[str, Any]) -> str:
    # Keys are form-encoded in events: "=" arrives as "%3D", a space as "+".
    return unquote_plus(record["s3"]["object"]["key"])
