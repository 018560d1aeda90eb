"""A DynamoDB and an SQS as the fan-out's consumer sees them, and what SQS hands to it."""

import json
from dataclasses import dataclass, field
from typing import Any, cast

from botocore.exceptions import ClientError

ORDER: dict[str, Any] = {
    "kind": "order",
    "id": "e-1",
    "order": "o-1",
    "total": 1200,
    "customer": {"tier": "gold"},
    "items": [{"sku": "tea", "quantity": 2}],
    "address": "Here 1",
}
MOVEMENT: dict[str, Any] = {"kind": "movement", "id": "e-1", "sku": "tea", "change": -2}
QUEUE_ARN = "arn:aws:sqs:eu-west-1:123456789012:shipping"


def refusal(code: str, operation: str, **more: Any) -> ClientError:
    error = ClientError({"Error": {"Code": code, "Message": "no"}}, operation)
    cast("dict[str, Any]", error.response).update(more)
    return error


@dataclass
class FakeDynamoDb:
    """One table, with the conditions that the consumer puts on its writes; all or nothing in a transaction."""

    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    broken: int = 0

    def put_item(self, **request: Any) -> None:
        self._break("PutItem")
        before = self._before(request["Item"])
        if before:
            raise refusal("ConditionalCheckFailedException", "PutItem", Item=before)
        self._store(request["Item"])

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> None:  # noqa: N803 - boto3's name
        self._break("TransactWriteItems")
        put, update = TransactItems[0]["Put"], TransactItems[1]["Update"]
        known, group = self._before(put["Item"]), self._before(update["Key"])
        values = update["ExpressionAttributeValues"]
        late = bool(group) and int(group["last_sequence"]["N"]) >= int(values[":sequence"]["N"])
        if known or late:
            reasons = [
                {"Code": "ConditionalCheckFailed", "Item": known} if known else {"Code": "None"},
                {"Code": "ConditionalCheckFailed" if late else "None"},
            ]
            raise refusal("TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons)
        self._store(put["Item"])
        handled = int(group.get("handled", {"N": "0"})["N"]) + int(values[":one"]["N"])
        progress = {"last_sequence": values[":sequence"], "last_id": values[":id"], "handled": {"N": str(handled)}}
        self._store(update["Key"] | progress)

    def of(self, consumer: str) -> list[str]:
        return [key for owner, key in self.items if owner == consumer]

    def _break(self, operation: str) -> None:
        if self.broken:
            self.broken -= 1
            raise refusal("ProvisionedThroughputExceededException", operation)

    def _before(self, key: dict[str, Any]) -> dict[str, Any]:
        return self.items.get((key["consumer"]["S"], key["id"]["S"]), {})

    def _store(self, item: dict[str, Any]) -> None:
        self.items[item["consumer"]["S"], item["id"]["S"]] = item


@dataclass
class FakeSqs:
    released: list[str] = field(default_factory=list)

    def change_message_visibility(self, **request: Any) -> None:
        assert request["VisibilityTimeout"] == 0
        self.released.append(request["ReceiptHandle"])


@dataclass
class Fakes:
    dynamodb: FakeDynamoDb = field(default_factory=FakeDynamoDb)
    sqs: FakeSqs = field(default_factory=FakeSqs)


def message(number: int, body: object, **attributes: str) -> dict[str, Any]:
    return {
        "messageId": f"m-{number}",
        "receiptHandle": f"r-{number}",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
            **attributes,
        },
        "messageAttributes": {},
        "md5OfBody": "098f6bcd4621d373cade4e832627b4f6",
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN + (".fifo" if "SequenceNumber" in attributes else ""),
        "awsRegion": "eu-west-1",
    }


def standard(*bodies: object) -> dict[str, Any]:
    return {"Records": [message(number, body) for number, body in enumerate(bodies)]}


def fifo(*moves: tuple[str, str], first: int = 0) -> dict[str, Any]:
    """A batch of (id, group): movements of the group's SKU, or of another where the id begins with "poison"."""
    return {
        "Records": [
            message(
                number,
                MOVEMENT | {"id": name, "sku": "other" if name.startswith("poison") else group},
                MessageGroupId=group,
                MessageDeduplicationId=name,
                SequenceNumber=str(18849496460467696128 + first + number),
            )
            for number, (name, group) in enumerate(moves)
        ]
    }
