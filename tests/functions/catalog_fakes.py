"""The catalog's table and cache in memory, as far as its functions use them, and its events."""

import json
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError
from redis.exceptions import ConnectionError as NoConnectionError


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeRedis:
    """GET and SET with NX and EX, against a clock; nothing else is understood."""

    clock: Clock = field(default_factory=Clock)
    kept: dict[str, tuple[str, float]] = field(default_factory=dict)
    broken: bool = False
    calls: int = 0
    closed: bool = False

    def get(self, key: str) -> str | None:
        self._called()
        text, until = self.kept.get(key, ("", float("-inf")))
        return text if self.clock() < until else None

    def set(self, key: str, value: str, *, ex: int, nx: bool = False) -> bool | None:
        if nx and self.get(key) is not None:
            return None
        self._called()
        self.kept[key] = (value, self.clock() + ex)
        return True

    def close(self) -> None:
        self.closed = True

    def _called(self) -> None:
        self.calls += 1
        if self.broken:
            raise NoConnectionError("Connection refused")


@dataclass
class FakeTable:
    """The operations and conditions that the store asks for."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    reads: int = 0
    error: Exception | None = None

    def get_item(self, *, Key: dict[str, Any], ConsistentRead: bool, **_: Any) -> dict[str, Any]:  # noqa: N803
        assert ConsistentRead, "what is kept for minutes must not be old already"
        self._called()
        self.reads += 1
        found = self.items.get(Key["sku"]["S"])
        return {"Item": found} if found else {}

    def put_item(self, *, Item: dict[str, Any], ReturnValues: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        assert ReturnValues == "ALL_OLD"
        self._called()
        before = self.items.get(Item["sku"]["S"])
        self.items[Item["sku"]["S"]] = Item
        return {"Attributes": before} if before else {}

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self._called()
        (put,), updates = ([one["Put"] for one in TransactItems[:1]], [one["Update"] for one in TransactItems[1:]])
        assert put["ConditionExpression"] == "attribute_not_exists(sku)"
        codes = ["ConditionalCheckFailed" if put["Item"]["sku"]["S"] in self.items else "None"]
        for one in updates:
            item = self.items.get(one["Key"]["sku"]["S"])
            enough = item is not None and int(item["stock"]["N"]) >= _quantity(one)
            codes.append("None" if enough else "ConditionalCheckFailed")
        if set(codes) != {"None"}:
            answer: Any = {
                "Error": {"Code": "TransactionCanceledException", "Message": "no"},
                "CancellationReasons": [{"Code": code} for code in codes],
            }
            raise ClientError(answer, "TransactWriteItems")
        self.items[put["Item"]["sku"]["S"]] = put["Item"]
        for one in updates:
            item = self.items[one["Key"]["sku"]["S"]]
            item["stock"] = {"N": str(int(item["stock"]["N"]) - _quantity(one))}
        return {}

    def _called(self) -> None:
        if self.error:
            raise self.error


def _quantity(update: dict[str, Any]) -> int:
    return int(update["ExpressionAttributeValues"][":quantity"]["N"])


class Context(LambdaContext):
    """What Lambda tells of an invocation."""

    def __init__(self) -> None:
        self._function_name = "catalog"
        self._memory_limit_in_mb = 512
        self._invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:catalog"
        self._aws_request_id = "request"


def request(method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The event of one request; ``body`` is sent as it is when it is text."""
    sent = {**({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
    return {
        "resource": "/products/{sku}",
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "httpMethod": method,
            "path": f"/v1{path}",
            "requestId": "request",
            "stage": "v1",
            "identity": {"sourceIp": "192.0.2.1", "userArn": "arn:aws:sts::123456789012:assumed-role/shop/session"},
        },
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def message(body: Any, message_id: str = "m") -> dict[str, Any]:
    """One record of a batch of SQS."""
    return {
        "messageId": message_id,
        "receiptHandle": f"receipt-{message_id}",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:stock",
        "awsRegion": "eu-west-1",
    }
