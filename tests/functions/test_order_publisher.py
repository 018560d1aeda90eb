"""Stream records in, one event per new order out, with an id that is the same however often it is told."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from catalog_api.rules import OrderPlaced as Heard
from order_publisher import handler as publisher
from order_publisher.rules import message, order_placed
from tests.functions.catalog_fakes import Context

ORDER = {
    "orderId": "5f0b8a1d-7c42-4d55-9a5e-8d5b1f4e3c0e",
    "customerId": "00000000-0000-4000-8000-000000000001",
    "items": [{"sku": "tea", "quantity": 2, "price": 250}],
    "total": 500,
    "status": "placed",
    "createdAt": "2026-11-25T10:00:00Z",
    "correlationId": "c-1",
    "fingerprint": "f" * 64,
}
FAILURES = "https://sqs.eu-west-1.amazonaws.com/123456789012/failures"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:orders"


@dataclass
class FakeSns:
    published: list[dict[str, Any]] = field(default_factory=list)
    broken: int = 0

    def publish(self, **request: Any) -> None:
        if self.broken:
            self.broken -= 1
            raise ConnectionError("SNS is away")
        self.published.append(request)


@dataclass
class FakeSqs:
    told: list[Any] = field(default_factory=list)
    broken: bool = False

    def send_message(self, **request: str) -> None:
        assert request["QueueUrl"] == FAILURES
        if self.broken:
            raise ConnectionError("SQS is away")
        self.told.append(json.loads(request["MessageBody"]))


@pytest.fixture
def sqs() -> FakeSqs:
    return FakeSqs()


@pytest.fixture
def sns(sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSns]:
    fake = FakeSns()
    monkeypatch.setenv("TOPIC_ARN", TOPIC)
    monkeypatch.setenv("FAILURES_URL", FAILURES)
    monkeypatch.setattr(boto3, "client", lambda service: {"sns": fake, "sqs": sqs}[service])
    for one in (publisher._sns, publisher._sqs, publisher._settings):
        one.cache_clear()
    yield fake
    for one in (publisher._sns, publisher._sqs, publisher._settings):
        one.cache_clear()


def record(order: dict[str, Any] | None = None, number: int = 1, event: str = "INSERT") -> dict[str, Any]:
    image = {name: TypeSerializer().serialize(value) for name, value in (order or ORDER).items()}
    return {
        "eventID": f"e{number}",
        "eventName": event,
        "eventSource": "aws:dynamodb",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/1",
        "dynamodb": {"SequenceNumber": str(number), "Keys": {"orderId": image["orderId"]}, "NewImage": image},
    }


def deliver(*records: dict[str, Any]) -> list[str]:
    """Sequence numbers of the records that failed."""
    answer = publisher.handler({"Records": list(records)}, Context())
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def test_a_new_order_is_published_with_what_subscribers_filter_by(sns: FakeSns) -> None:
    assert deliver(record()) == []
    (sent,) = sns.published
    assert sent["TopicArn"] == TOPIC
    attributes = {name: one["StringValue"] for name, one in sent["MessageAttributes"].items()}
    assert attributes == {
        "event": "order-placed",
        "event_id": f"order-placed.{ORDER['orderId']}",
        "total": "500",
        "correlation_id": "c-1",
    }
    assert json.loads(sent["Message"]) == {
        **{name: ORDER[name] for name in ("orderId", "customerId", "items", "total", "createdAt", "correlationId")},
        "kind": "order-placed",
        "id": f"order-placed.{ORDER['orderId']}",
    }


def test_the_consumer_understands_it(sns: FakeSns) -> None:
    deliver(record())
    heard = Heard.model_validate_json(sns.published[0]["Message"])
    assert (heard.order_id, heard.quantities(), heard.correlation_id) == (ORDER["orderId"], {"tea": 2}, "c-1")


def test_told_twice_it_is_the_same_event(sns: FakeSns) -> None:
    deliver(record(), record())
    assert sns.published[0] == sns.published[1]


@pytest.mark.parametrize("event", ["MODIFY", "REMOVE"])
def test_a_change_is_no_new_order(sns: FakeSns, event: str) -> None:
    assert deliver(record(event=event)) == []
    assert sns.published == []


def test_what_fails_is_tried_again(sns: FakeSns, sqs: FakeSqs) -> None:
    sns.broken = 1
    batch = [record(number=1), record({**ORDER, "correlationId": "c-2"}, number=2)]
    assert deliver(*batch) == ["1"]
    assert sqs.told == [], "it is an order: whoever is away will be back"
    assert deliver(*batch) == []


@pytest.mark.parametrize("missing", ["orderId", "customerId", "items", "total", "createdAt", "correlationId"])
def test_what_is_no_order_is_told_at_once_and_holds_up_nothing(sns: FakeSns, sqs: FakeSqs, missing: str) -> None:
    broken = copy.deepcopy(ORDER)
    del broken[missing]
    image = record(broken if missing != "orderId" else {**broken, "orderId": "x"})
    assert deliver(image, record(number=2)) == []
    assert len(sns.published) == 1
    (told,) = sqs.told
    assert (told["streamEventId"], told["keys"]) == ("e1", image["dynamodb"]["Keys"])
    assert missing in told["reason"]


def test_what_can_neither_be_published_nor_told_is_tried_again(sns: FakeSns, sqs: FakeSqs) -> None:
    sqs.broken = True
    image = record({name: value for name, value in ORDER.items() if name != "items"})
    assert deliver(image) == ["1"]
    sqs.broken = False
    assert deliver(image) == []
    assert (len(sqs.told), sns.published) == (1, [])


@pytest.mark.parametrize("wrong", [{"items": []}, {"total": -1}, {"total": "much"}, {"orderId": "o1"}])
def test_the_rules_name_what_is_wrong(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        order_placed({**ORDER, **wrong})


@pytest.mark.parametrize("name", ["TOPIC_ARN", "FAILURES_URL"])
def test_a_missing_variable_is_named(sns: FakeSns, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ValidationError, match=name.lower()):
        publisher._settings()


@given(st.uuids(), st.integers(0, 10**9))
def test_the_event_is_a_function_of_the_order(order_id: Any, total: int) -> None:
    order = {**ORDER, "orderId": str(order_id), "total": total}
    assert message(order_placed(order)) == message(order_placed(copy.deepcopy(order)))
    assert str(order_id) in order_placed(order).id
