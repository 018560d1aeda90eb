"""The order worker: rules, and the handler over real SQS events with fakes of DynamoDB and SNS."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from order_worker import handler as order_handler
from order_worker.intake import ConflictingOrderError, Intake
from order_worker.rules import Order, notice
from order_worker.settings import Settings
from stacks.order_queue import ORDER

GOOD = {"orderId": "o-1", "item": "tea", "quantity": 2}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"orderId": ""}, "orderId\n.*match pattern"),
        ({"orderId": "a b"}, "orderId\n.*match pattern"),
        ({"orderId": "x" * 65}, "orderId\n.*match pattern"),
        ({"item": ""}, "item\n.*at least 1 character"),
        ({"item": "x" * 101}, "item\n.*at most 100 characters"),
        ({"quantity": 0}, "quantity\n.*greater than or equal to 1"),
        ({"quantity": 1001}, "quantity\n.*less than or equal to 1000"),
        ({"quantity": "2"}, "quantity\n.*valid integer"),
        ({"quantity": 1.5}, "quantity\n.*valid integer"),
        ({"colour": "red"}, "colour\n.*not permitted"),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused_with_the_field_and_the_rule(change: dict[str, Any], rule: str) -> None:
    Order.model_validate(GOOD)
    with pytest.raises(ValidationError, match=rule):
        Order.model_validate(GOOD | change)


def test_the_edge_and_the_worker_state_the_same_rules() -> None:
    edge = ORDER.properties or {}
    worker = Order.model_json_schema()
    assert set(ORDER.required or ()) == set(worker["required"])
    assert ORDER.additional_properties is worker["additionalProperties"] is False
    rules = {"pattern": "pattern", "min_length": "minLength", "max_length": "maxLength"}
    rules |= {"minimum": "minimum", "maximum": "maximum"}
    for name, properties in worker["properties"].items():
        stated = {theirs: getattr(edge[name], ours) for ours, theirs in rules.items()}
        assert {k: v for k, v in stated.items() if v is not None} == {
            k: v for k, v in properties.items() if k in stated
        }


@given(
    st.builds(
        Order,
        orderId=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
        item=st.text(min_size=1, max_size=100),
        quantity=st.integers(1, 1000),
    )
)
def test_a_notice_names_the_order_and_round_trips_through_the_queue(order: Order) -> None:
    assert notice(order).startswith(f"Order {order.orderId}: {order.quantity} x ")
    assert Order.model_validate_json(order.model_dump_json()) == order


def condition_failed(item: dict[str, Any]) -> ClientError:
    """What DynamoDB answers to a write whose condition does not hold, with the item that is there."""
    error = ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": "no"}}, "PutItem")
    cast("dict[str, Any]", error.response)["Item"] = item
    return error


@dataclass
class FakeDynamoDb:
    """Two tables, with the conditions that the worker and Powertools' idempotency put on their writes."""

    tables: dict[str, dict[str, Any]] = field(default_factory=lambda: {"orders": {}, "handled": {}})

    def put_item(self, *, TableName: str, Item: dict[str, Any], **_: Any) -> None:  # noqa: N803 - boto3's names
        key = Item["orderId" if TableName == "orders" else "id"]["S"]
        there = self.tables[TableName].get(key)
        if there and (TableName == "handled" or there != Item):
            raise condition_failed(there)
        self.tables[TableName][key] = Item

    def update_item(self, *, TableName: str, Key: Any, ExpressionAttributeValues: Any, **_: Any) -> None:  # noqa: N803
        record = self.tables[TableName][Key["id"]["S"]]
        record |= {"status": ExpressionAttributeValues[":status"], "data": ExpressionAttributeValues[":response_data"]}
        record["expiration"] = ExpressionAttributeValues[":expiry"]

    def delete_item(self, *, TableName: str, Key: Any, **_: Any) -> None:  # noqa: N803
        del self.tables[TableName][Key["id"]["S"]]


@dataclass
class FakeSns:
    """Counts what is told; the first ``broken`` publishes fail."""

    broken: int = 0
    told: list[str] = field(default_factory=list)

    def publish(self, *, TopicArn: str, Message: str) -> None:  # noqa: N803
        if self.broken:
            self.broken -= 1
            raise ClientError({"Error": {"Code": "InternalError", "Message": "down"}}, "Publish")
        self.told.append(Message)


@dataclass
class FakeSqs:
    """Remembers which receipts were made visible at once."""

    released: list[tuple[str, int]] = field(default_factory=list)

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        self.released.append((ReceiptHandle, VisibilityTimeout))


@dataclass
class Fakes:
    dynamodb: FakeDynamoDb = field(default_factory=FakeDynamoDb)
    sns: FakeSns = field(default_factory=FakeSns)
    sqs: FakeSqs = field(default_factory=FakeSqs)


class Context(LambdaContext):
    """What Lambda tells of an invocation."""

    def __init__(self) -> None:
        self._function_name = "worker"
        self._memory_limit_in_mb = 256
        self._invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:worker"
        self._aws_request_id = "request"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 10_000


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fakes]:
    fakes = Fakes()
    for name, value in {"ORDERS_TABLE": "orders", "IDEMPOTENCY_TABLE": "handled", "NOTICES_TOPIC_ARN": "t"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "client", lambda service, **_: getattr(fakes, service))
    order_handler._intake.cache_clear()
    order_handler._sqs.cache_clear()
    yield fakes
    order_handler._intake.cache_clear()
    order_handler._sqs.cache_clear()


def event(*bodies: object) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m-{number}",
                "receiptHandle": f"r-{number}",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders",
                "awsRegion": "eu-west-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def failed(answer: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_orders_are_stored_and_told_once_however_often_they_are_delivered(cloud: Fakes) -> None:
    for _ in range(3):
        assert failed(order_handler.handler(event(GOOD, GOOD), Context())) == []
    assert cloud.dynamodb.tables["orders"] == {
        "o-1": {"orderId": {"S": "o-1"}, "item": {"S": "tea"}, "quantity": {"N": "2"}}
    }
    assert cloud.sns.told == ["Order o-1: 2 x tea received."]


def test_poison_fails_alone_and_is_released_at_once(cloud: Fakes) -> None:
    answer = order_handler.handler(event("{poison", GOOD, {"orderId": "o-2"}), Context())
    assert failed(answer) == ["m-0", "m-2"]
    assert cloud.sqs.released == [("r-0", 0), ("r-2", 0)]
    assert list(cloud.dynamodb.tables["orders"]) == ["o-1"]


def test_another_order_under_the_same_id_fails_and_changes_nothing(cloud: Fakes) -> None:
    answer = order_handler.handler(event(GOOD, GOOD | {"quantity": 999}), Context())
    assert failed(answer) == ["m-1"]
    assert cloud.dynamodb.tables["orders"]["o-1"]["quantity"] == {"N": "2"}
    assert len(cloud.sns.told) == 1


def test_a_conflict_is_refused_even_when_the_idempotency_record_has_expired(cloud: Fakes) -> None:
    order_handler.handler(event(GOOD), Context())
    cloud.dynamodb.tables["handled"].clear()
    intake = Intake(Settings(), cloud.dynamodb, cloud.sns)
    intake.remember(Context())
    with pytest.raises(ConflictingOrderError, match="orderId: must be new, 'o-1' belongs to another order"):
        intake.accept(Order.model_validate(GOOD | {"item": "coffee"}))


def test_an_attempt_that_broke_off_before_it_was_told_is_told_on_redelivery(cloud: Fakes) -> None:
    cloud.sns.broken = 1
    assert failed(order_handler.handler(event(GOOD), Context())) == ["m-0"]
    assert cloud.sqs.released == [], "a fault of ours waits for its retry"
    assert failed(order_handler.handler(event(GOOD), Context())) == []
    assert cloud.sns.told == ["Order o-1: 2 x tea received."]


def test_a_missing_setting_is_named(cloud: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORDERS_TABLE")
    with pytest.raises(ValidationError, match="orders_table"):
        order_handler.handler(event(GOOD), Context())
