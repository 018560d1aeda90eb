"""What a consumer recorded: an item per event, and per message group how far it has come."""

from typing import Any

from botocore.exceptions import ClientError

from fanout_consumer.rules import Event, RefusedError

_FAILED = "ConditionalCheckFailed"


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

    def add(self, event: Event) -> bool:
        """Record an event; False when that was done already.

        Raises:
            RefusedError: Another event has this id.
        """
        try:
            self._dynamodb.put_item(**self._put(event, {}))
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != f"{_FAILED}Exception":
                raise
            return self._known(event, refusal)
        return True

    def add_in_order(self, event: Event, *, group: str, sequence: str) -> bool:
        """Record an event of a message group, and that the group has come so far; False when that was done already.

        Args:
            event: The event.
            group: The message group.
            sequence: Its sequence number in the queue, which grows within the group.

        Raises:
            RefusedError: Another event has this id, or a later one of the group was recorded before.
        """
        place = {"group": {"S": group}, "sequence": {"N": sequence}}
        progress = {
            "TableName": self._table,
            # No event has this id: '#' is not allowed in one.
            "Key": {"consumer": self._consumer, "id": {"S": f"group#{group}"}},
            "UpdateExpression": "SET last_sequence = :sequence, last_id = :id ADD handled :one",
            "ConditionExpression": "attribute_not_exists(last_sequence) OR last_sequence < :sequence",
            "ExpressionAttributeValues": {":sequence": {"N": sequence}, ":id": {"S": event.id}, ":one": {"N": "1"}},
        }
        try:
            self._dynamodb.transact_write_items(TransactItems=[{"Put": self._put(event, place)}, {"Update": progress}])
        except ClientError as refusal:
            reasons = refusal.response.get("CancellationReasons", [])
            record, order = [reason.get("Code") for reason in reasons] or (None, None)
            if record == _FAILED:
                return self._known(event, refusal)
            if order == _FAILED:
                raise RefusedError(
                    f"SequenceNumber: must be after the last one recorded of group {group!r}, got {sequence} "
                    f"of event {event.id!r}"
                ) from refusal
            raise
        return True

    def _put(self, event: Event, more: dict[str, Any]) -> dict[str, Any]:
        item = {"consumer": self._consumer, "id": {"S": event.id}, "body": {"S": event.model_dump_json()}, **more}
        return {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _known(self, event: Event, refusal: ClientError) -> bool:
        """False when the item that is there is of this very event."""
        answer: Any = refusal.response
        # A transaction answers with the item of each part, a single write with its only one.
        recorded = (answer.get("CancellationReasons") or [answer])[0].get("Item", {})
        if recorded.get("body") != {"S": event.model_dump_json()}:
            raise RefusedError(f"id: must be new, {event.id!r} belongs to another event") from refusal
        return False
