"""DynamoDB in memory, as far as the to-do API uses it, and requests as API Gateway sends them."""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

APP = "app-client"


def refusal(code: str, operation: str = "Operation") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


@dataclass
class FakeTable:
    """One table with the operations, conditions and paging that the store asks for; nothing else is understood."""

    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    consistent: list[bool] = field(default_factory=list)
    broken: bool = False

    def put_item(self, *, Item: dict[str, Any], ConditionExpression: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        assert ConditionExpression == "attribute_not_exists(id) OR (created = :created AND #version = :first)"
        there, values = self.items.get(_key(Item)), request["ExpressionAttributeValues"]
        if there and (there["created"], there["version"]) != (values[":created"], values[":first"]):
            raise refusal("ConditionalCheckFailedException")
        self.items[_key(Item)] = Item
        return {}

    def get_item(self, *, Key: dict[str, Any], ConsistentRead: bool, **_: Any) -> dict[str, Any]:  # noqa: N803
        if self.broken:
            raise refusal("InternalServerError")
        self.consistent.append(ConsistentRead)
        found = self.items.get(_key(Key))
        return {"Item": found} if found else {}

    def query(self, *, Limit: int, ConsistentRead: bool, **request: Any) -> dict[str, Any]:  # noqa: N803
        assert request["KeyConditionExpression"] == "#user = :user"
        self.consistent.append(ConsistentRead)
        user = request["ExpressionAttributeValues"][":user"]["S"]
        after = _key(request["ExclusiveStartKey"]) if "ExclusiveStartKey" in request else (user, "")
        assert after[0] == user, "the page would begin in somebody else's list"
        keys = sorted(key for key in self.items if key[0] == user and key > after)
        return {"Items": [self.items[key] for key in keys[:Limit]]}

    def update_item(self, *, Key: dict[str, Any], UpdateExpression: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        item = self._seen(Key, request)
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        sets, _, removes = UpdateExpression.removeprefix("SET ").partition(" REMOVE ")
        changed = dict(item)
        for name, value in re.findall(r"(#\w+) = (:\w+)", sets):
            changed[names[name]] = values[value]
        for name in filter(None, removes.split(", ")):
            changed.pop(names[name], None)
        self.items[_key(Key)] = changed
        return {"Attributes": changed}

    def delete_item(self, *, Key: dict[str, Any], **request: Any) -> dict[str, Any]:  # noqa: N803
        self._seen(Key, request)
        del self.items[_key(Key)]
        return {}

    def _seen(self, key: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
        assert request["ConditionExpression"] == "#version = :seen"
        item = self.items.get(_key(key))
        if item is None or item["version"] != request["ExpressionAttributeValues"][":seen"]:
            raise refusal("ConditionalCheckFailedException")
        return item


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return item["user"]["S"], item["id"]["S"]


class Context(LambdaContext):
    """What Lambda tells of an invocation."""

    def __init__(self) -> None:
        self._function_name = "todos"
        self._memory_limit_in_mb = 512
        self._invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:todos"
        self._aws_request_id = "request"


def request(
    method: str,
    url: str,
    *,
    user: str = "ada",
    body: Any = None,
    kind: str = "application/json",
    claims: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The event of one request; ``body`` is sent as it is when it is text."""
    path, _, query = url.partition("?")
    parameters = parse_qsl(query, keep_blank_values=True)
    said = {"sub": user, "aud": APP, "token_use": "id"} if claims is None else claims
    headers = {"Content-Type": kind} if body is not None else {}
    return {
        "resource": "/todos",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(parameters) or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in parameters} or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "authorizer": {"claims": said},
            "httpMethod": method,
            "path": f"/v1{path}",
            "requestId": "request",
            "stage": "v1",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }
