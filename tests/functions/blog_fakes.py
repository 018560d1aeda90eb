"""Stand-ins for the services that the blog's functions call, with just the behaviour they lean on."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Operation")


@dataclass
class FakeDynamoDb:
    """Tables of items by their key, sorted by ``id``."""

    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    broken: str = ""

    def put_item(self, *, TableName: str, Item: dict[str, Any], ConditionExpression: str) -> None:  # noqa: N803
        name = ConditionExpression.removeprefix("attribute_not_exists(").removesuffix(")")
        key = (TableName, Item[name]["S"])
        if self.broken:
            raise refusal(self.broken)
        if key in self.items:
            raise refusal("ConditionalCheckFailedException")
        self.items[key] = Item

    def get_item(self, *, TableName: str, Key: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        item = self.items.get((TableName, Key["id"]["S"]))
        return {"Item": item} if item else {}

    def query(
        self,
        *,
        TableName: str,  # noqa: N803
        **said: Any,
    ) -> dict[str, Any]:
        assert said["ScanIndexForward"] is False
        before = said["ExpressionAttributeValues"].get(":before", {"S": "~"})["S"]
        assert ("id < :before" in said["KeyConditionExpression"]) == (before != "~")
        found = sorted(
            (one for (table, _), one in self.items.items() if table == TableName), key=lambda one: one["id"]["S"]
        )
        wanted = said["ProjectionExpression"].split(", ")
        listed = [one for one in reversed(found) if one["id"]["S"] < before][: said["Limit"]]
        return {"Items": [{name: one[name] for name in wanted if name in one} for one in listed]}


@dataclass
class FakeS3:
    """One bucket's objects: key -> (content, headers, written when)."""

    objects: dict[str, tuple[bytes, dict[str, str], datetime]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    forbidden: bool = False

    def put(self, key: str, data: bytes = b"", when: datetime | None = None) -> None:
        self.objects[key] = (data, {}, when or datetime.now(UTC))

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **headers: str) -> None:  # noqa: N803
        self.objects[Key] = (Body, headers, datetime.now(UTC))
        self.order.append(Key)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if self.forbidden:
            raise refusal("AccessDenied")
        if Key not in self.objects:
            raise refusal("NoSuchKey")
        return {"Body": BytesIO(self.objects[Key][0])}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if self.forbidden:
            raise refusal("403")
        if Key not in self.objects:
            raise refusal("404")
        return {}

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803
        del self.objects[Key]

    def get_paginator(self, operation: str) -> "FakeS3":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str) -> list[dict[str, Any]]:  # noqa: N803
        listed = [{"Key": key, "LastModified": when} for key, (_, _, when) in sorted(self.objects.items())]
        # An empty bucket's page has no contents at all.
        return [{"Contents": listed[:2]}, {"Contents": listed[2:]}] if listed else [{}]


class Context(LambdaContext):
    """What Lambda tells of an invocation."""

    def __init__(self) -> None:
        self._function_name = "blog"
        self._memory_limit_in_mb = 256
        self._invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:blog"
        self._aws_request_id = "request"
        self._log_stream_name = "stream"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 10_000


def request(
    method: str, path: str, body: Any = None, *, claims: dict[str, str] | None = None, **query: str
) -> dict[str, Any]:
    """An event of API Gateway's REST proxy integration."""
    return {
        "httpMethod": method,
        "path": path,
        "resource": path,
        "headers": {},
        "multiValueHeaders": {},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "requestContext": {"authorizer": {"claims": claims} if claims is not None else None, "requestId": "1"},
        "body": body if isinstance(body, str | None) else json.dumps(body),
        "isBase64Encoded": False,
    }
