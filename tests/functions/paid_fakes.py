"""The shop's tables as fakes, with the conditions that its writes and idempotency have; and its requests."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

NOW = 1_800_000_000
USER, APP = "user-1", "app-1"
ENVIRONMENT = {
    "VIDEOS_TABLE": "videos",
    "PREMIUM_TABLE": "premium",
    "CHARGES_TABLE": "charges",
    "IDEMPOTENCY_TABLE": "answered",
    "PREMIUM_DAYS": "30",
    "DISTRIBUTION_DOMAIN": "d1.cloudfront.net",
    "SIGNING_KEYS": '{"blue": {"id": "KBLUE", "secret": "arn:blue"}, "green": {"id": "KGREEN", "secret": "arn:green"}}',
    "SIGNING_KEY": "green",
    "LINK_SECONDS": "300",
    "BIND_IP": "false",
    "USER_POOL_CLIENT_ID": APP,
}
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE_PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC_PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def refused(code: str, **more: Any) -> ClientError:
    """What DynamoDB answers to a write that it refuses."""
    response: Any = {"Error": {"Code": code, "Message": "no"}, **more}
    return ClientError(response, "Write")


@dataclass
class FakeDynamoDb:
    """Tables by name, items by their whole key.

    Attributes:
        tables: Name -> key -> item.
        cancelled: Codes of the reasons with which the next transactions are cancelled, one list each.
    """

    tables: dict[str, dict[Any, Any]] = field(
        default_factory=lambda: {
            "videos": {
                "film": {
                    "videoId": {"S": "film"},
                    "title": {"S": "A film"},
                    "price": {"N": "499"},
                    "currency": {"S": "EUR"},
                    "file": {"S": "film.mp4"},
                }
            },
            "premium": {},
            "charges": {},
            "answered": {},
        }
    )
    cancelled: list[list[str]] = field(default_factory=list)

    def get_item(self, *, TableName: str, Key: Any, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's names
        found = self.tables[TableName].get(_key(Key))
        return {"Item": found} if found else {}

    def get_paginator(self, _: str) -> "FakeDynamoDb":
        return self

    def paginate(self, *, TableName: str, ExpressionAttributeValues: Any, **_: Any) -> Iterator[Any]:  # noqa: N803
        user = ExpressionAttributeValues[":user"]
        for item in self.tables[TableName].values():
            yield {"Items": [item] if item["userId"] == user else []}

    def transact_write_items(self, *, TransactItems: Any) -> None:  # noqa: N803
        if self.cancelled:
            reasons = [{"Code": code} for code in self.cancelled.pop(0)]
            raise refused("TransactionCanceledException", CancellationReasons=reasons)
        premium, charge = (write["Put"] for write in TransactItems)
        there = self.tables["premium"].get(_key(premium["Item"], "userId", "videoId"))
        now = int(premium["ExpressionAttributeValues"][":now"]["N"])
        if there and int(there["expiresAt"]["N"]) > now:
            reasons = [{"Code": "ConditionalCheckFailed"}, {"Code": "None"}]
            raise refused("TransactionCanceledException", CancellationReasons=reasons)
        self.tables["premium"][_key(premium["Item"], "userId", "videoId")] = premium["Item"]
        self.tables["charges"][charge["Item"]["chargeId"]["S"]] = charge["Item"]

    def put_item(self, *, TableName: str, Item: Any, **_: Any) -> None:  # noqa: N803
        there = self.tables[TableName].get(Item["id"]["S"])
        if there:
            raise refused("ConditionalCheckFailedException", Item=there)
        self.tables[TableName][Item["id"]["S"]] = Item

    def update_item(self, *, TableName: str, Key: Any, ExpressionAttributeValues: Any, **_: Any) -> None:  # noqa: N803
        record, values = self.tables[TableName][Key["id"]["S"]], ExpressionAttributeValues
        record |= {"status": values[":status"], "data": values[":response_data"], "expiration": values[":expiry"]}

    def delete_item(self, *, TableName: str, Key: Any, **_: Any) -> None:  # noqa: N803
        del self.tables[TableName][Key["id"]["S"]]

    def bought(self, *, until: int, user: str = USER, video: str = "film") -> None:
        """Let a user have a purchase."""
        item = {
            "userId": {"S": user},
            "videoId": {"S": video},
            "expiresAt": {"N": str(until)},
            "chargeId": {"S": "c-0"},
        }
        self.tables["premium"][_key(item, "userId", "videoId")] = item


class Context(LambdaContext):
    """What Lambda tells of an invocation."""

    def __init__(self) -> None:
        self._function_name = "shop"
        self._memory_limit_in_mb = 512
        self._invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:shop"
        self._aws_request_id = "request"
        self._log_stream_name = "stream"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 10_000


def request(method: str, path: str, *, claims: Any = None, headers: Any = None, **query: str) -> dict[str, Any]:
    """An event of API Gateway."""
    return {
        "httpMethod": method,
        "path": path,
        "resource": path,
        "headers": {"Host": "api", **(headers or {})},
        "multiValueHeaders": {},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [text] for name, text in query.items()} or None,
        "body": None,
        "isBase64Encoded": False,
        "requestContext": {
            "identity": {"sourceIp": "198.51.100.4"},
            "authorizer": {"claims": {"sub": USER, "aud": APP} if claims is None else claims},
        },
    }


def _key(item: Any, *names: str) -> Any:
    values = tuple(item[name]["S"] for name in (names or sorted(item)))
    return values if len(values) > 1 else values[0]
