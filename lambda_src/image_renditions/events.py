"""The uploads that a queue message tells of."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


class UnreadableMessageError(ValueError):
    """The message is not an S3 event notification, plain or wrapped by SNS."""


@dataclass(frozen=True)
class Upload:
    """Where an object was created. What it holds now is asked of S3, as events come late, twice and out of order."""

    bucket: str
    key: str


def uploads(body: str) -> list[Upload]:
    """Read an SQS body: an S3 event as such (raw delivery) or in SNS's envelope.

    Returns:
        The created objects; none for ``s3:TestEvent``, which S3 sends when notifications are set up, and for events
        other than ``ObjectCreated``.

    Raises:
        UnreadableMessageError: It is something else; its place is the dead-letter queue.
    """
    event = _json(body)
    if event.get("Type") == "Notification" and isinstance(event.get("Message"), str):
        event = _json(event["Message"])
    if event.get("Event") == "s3:TestEvent":
        return []
    records = event.get("Records")
    if not isinstance(records, list):
        raise UnreadableMessageError(f"message: must be an S3 event with 'Records', got the keys {sorted(event)}")
    return [upload for record in records if (upload := _upload(record))]


def _upload(record: Any) -> Upload | None:
    try:
        if not record["eventName"].startswith("ObjectCreated:"):
            return None
        s3 = record["s3"]
        # Keys are form-encoded in events: a space arrives as "+", a plus as "%2B".
        return Upload(bucket=s3["bucket"]["name"], key=unquote_plus(s3["object"]["key"], errors="strict"))
    except (AttributeError, KeyError, TypeError) as error:
        raise UnreadableMessageError(
            "message: an S3 record must name 'eventName', 's3.bucket.name' and 's3.object.key'"
        ) from error
    except UnicodeDecodeError as error:
        raise UnreadableMessageError(f"message: the record's key must be UTF-8, {error.reason}") from error


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableMessageError(f"message: must be JSON, {error}") from error
    if not isinstance(value, dict):
        raise UnreadableMessageError(f"message: must be a JSON object, got {type(value).__name__}")
    return value
