"""What a consumer recorded: an item per event, and per message group how far it has come."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from fanout_consumer.rules import Event, RefusedError

_FAILED = "ConditionalCheckFailed"


@dataclass(frozen=True)
class Place:
    """Where an ordered message stands: its group, and a number that grows within it."""

    group: str
    sequence: str


class Records:
    """The records of one consumer, in a table shared by all (partition key ``consumer``, sort key ``id``).

    Args:
        table: Name of the table.
        consumer: Whose records.
        dynamodb: boto3 client of DynamoDB.
    """

    def __init__(self, table: str, consumer: str, dynamodb: Any) -> None:
        self._table = table
        self._consumer = {"S": consumer}
        self._dynamodb = dynamodb

    def add(self, event: Event, place: Place | None = None) -> bool:
        """Record an event, and with a place that its group has come so far; False when that was done already.

        Raises:
            RefusedError: Another event has this id, or a later one of the group was recorded before.
        """
        try:
            if place:
                parts = [{"Put": self._put(event, place)}, {"Update": self._progress(event, place)}]
                self._dynamodb.transact_write_items(TransactItems=parts)
            else:
                self._dynamodb.put_item(**self._put(event, None))
        except ClientError as refusal:
            return self._known_or_refused(event, place, refusal)
        return True

    def _put(self, event: Event, place: Place | None) -> dict[str, Any]:
        item = {"consumer": self._consumer, "id": {"S": event.id}, "body": {"S": event.model_dump_json()}}
        if place:
            item |= {"group": {"S": place.group}, "sequence": {"N": place.sequence}}
        return {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _progress(self, event: Event, place: Place) -> dict[str, Any]:
        values = {":sequence": {"N": place.sequence}, ":id": {"S": event.id}, ":one": {"N": "1"}}
        return {
            "TableName": self._table,
            # No event has this id: '#' is not allowed in one.
            "Key": {"consumer": self._consumer, "id": {"S": f"group#{place.group}"}},
            "UpdateExpression": "SET last_sequence = :sequence, last_id = :id ADD handled :one",
            "ConditionExpression": "attribute_not_exists(last_sequence) OR last_sequence < :sequence",
            "ExpressionAttributeValues": values,
        }

    def _known_or_refused(self, event: Event, place: Place | None, refusal: ClientError) -> bool:
        """False when the item that is there is of this very event; whatever else went wrong is raised."""
        answer: Any = refusal.response
        # A transaction says for each part what became of it, a single write for itself.
        record, *progress = answer.get("CancellationReasons") or [{**answer, "Code": answer["Error"]["Code"]}]
        if str(record.get("Code")).startswith(_FAILED):
            if record.get("Item", {}).get("body") != {"S": event.model_dump_json()}:
                raise RefusedError(f"id: must be new, {event.id!r} belongs to another event") from refusal
            return False
        if place and any(reason.get("Code") == _FAILED for reason in progress):
            raise RefusedError(
                f"SequenceNumber: must be after the last one of group {place.group!r}, got {place.sequence} "
                f"of event {event.id!r}"
            ) from refusal
        raise refusal
