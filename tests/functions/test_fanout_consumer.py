"""The fan-out's consumer: its records, and the handler over real SQS events with a fake of DynamoDB."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fanout_consumer import handler as consumer
from fanout_consumer.records import Place, Records
from fanout_consumer.rules import Movement, read
from tests.functions.fanout_fakes import MOVEMENT, ORDER, FakeDynamoDb, Fakes, fifo, message, standard


class Context(LambdaContext):
    def __init__(self) -> None:
        self._function_name = "consumer"
        self._memory_limit_in_mb = 256
        self._invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:consumer"
        self._aws_request_id = "request"


def forget() -> None:
    for made in (consumer._settings, consumer._records, consumer._sqs):
        made.cache_clear()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fakes]:
    fakes = Fakes()
    for name, value in {"CONSUMER": "shipping", "RECORDS_TABLE": "records", "NEEDS": '["address"]'}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "client", lambda service, **_: getattr(fakes, service))
    forget()
    yield fakes
    forget()


def failed(event: dict[str, Any]) -> list[str]:
    answer = consumer.handler(event, Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_events_are_recorded_under_the_consumers_name_once_however_often_they_come(cloud: Fakes) -> None:
    for _ in range(3):
        assert failed(standard(ORDER, ORDER, ORDER | {"id": "e-2"})) == []
    assert cloud.dynamodb.of("shipping") == ["e-1", "e-2"]
    assert json.loads(cloud.dynamodb.items["shipping", "e-1"]["body"]["S"]) == ORDER
    assert cloud.sqs.released == []


def test_poison_fails_alone_and_is_released_at_once(cloud: Fakes) -> None:
    without = ORDER | {"id": "e-2", "address": None}
    assert failed(standard("{poison", ORDER, without, ORDER | {"id": "e-3"})) == ["m-0", "m-2"]
    assert cloud.sqs.released == ["r-0", "r-2"]
    assert cloud.dynamodb.of("shipping") == ["e-1", "e-3"]


def test_a_batch_of_poison_fails_as_a_whole_and_does_not_raise(cloud: Fakes) -> None:
    assert failed(standard("{", "{")) == ["m-0", "m-1"]
    assert failed(fifo(("poison", "tea"))) == ["m-0"]


def test_another_event_under_the_same_id_fails_and_changes_nothing(cloud: Fakes) -> None:
    assert failed(standard(ORDER, ORDER | {"total": 1})) == ["m-1"]
    assert json.loads(cloud.dynamodb.items["shipping", "e-1"]["body"]["S"]) == ORDER


def test_a_fault_of_ours_waits_for_its_retry(cloud: Fakes) -> None:
    cloud.dynamodb.broken = 1
    assert failed(standard(ORDER)) == ["m-0"]
    assert cloud.sqs.released == []
    assert failed(standard(ORDER)) == []


def test_movements_are_recorded_in_order_and_counted_per_group(cloud: Fakes) -> None:
    assert failed(fifo(("t-1", "tea"), ("c-1", "coffee"), ("t-2", "tea"))) == []
    tea, coffee = (cloud.dynamodb.items["shipping", f"group#{sku}"] for sku in ("tea", "coffee"))
    assert (tea["handled"], tea["last_id"]) == ({"N": "2"}, {"S": "t-2"})
    assert (coffee["handled"], coffee["last_id"]) == ({"N": "1"}, {"S": "c-1"})
    record = cloud.dynamodb.items["shipping", "t-2"]
    assert (record["group"], record["sequence"]) == ({"S": "tea"}, {"N": "18849496460467696130"})


def test_a_movement_that_comes_again_is_not_counted_again_even_after_later_ones(cloud: Fakes) -> None:
    batch = fifo(("t-1", "tea"), ("t-2", "tea"))
    assert failed(batch) == failed(batch) == []
    assert cloud.dynamodb.items["shipping", "group#tea"]["handled"] == {"N": "2"}


def test_a_movement_that_comes_after_a_later_one_is_refused(cloud: Fakes) -> None:
    assert failed(fifo(("t-2", "tea"), first=5)) == []
    assert failed(fifo(("t-1", "tea"), first=1)) == ["m-0"]
    assert cloud.dynamodb.of("shipping") == ["t-2", "group#tea"]


def test_what_follows_poison_in_its_group_waits_and_other_groups_go_on(cloud: Fakes) -> None:
    assert failed(fifo(("t-1", "tea"), ("poison", "tea"), ("c-1", "coffee"), ("t-2", "tea"))) == ["m-1", "m-3"]
    assert cloud.sqs.released == ["r-1"]
    assert cloud.dynamodb.of("shipping") == ["t-1", "group#tea", "c-1", "group#coffee"]


def test_a_group_that_failed_in_one_batch_is_tried_again_in_the_next(cloud: Fakes) -> None:
    assert failed(fifo(("poison", "tea"))) == ["m-0"]
    assert failed(fifo(("t-1", "tea"), first=1)) == []


def test_groups_of_a_standard_queue_say_nothing_of_order(cloud: Fakes) -> None:
    assert failed({"Records": [message(0, MOVEMENT, MessageGroupId="fair")]}) == []
    assert cloud.dynamodb.of("shipping") == ["e-1"]


def test_a_fifo_message_without_its_place_is_not_taken_for_one_without_order(cloud: Fakes) -> None:
    batch = fifo(("t-1", "tea"))
    del batch["Records"][0]["attributes"]["SequenceNumber"]
    assert failed(batch) == ["m-0"]
    assert cloud.dynamodb.items == {}


@given(st.lists(st.tuples(st.sampled_from(["tea", "coffee"]), st.booleans()), max_size=8), st.data())
def test_whatever_is_redelivered_each_group_is_recorded_in_order_and_once(
    moves: list[tuple[str, bool]], data: st.DataObject
) -> None:
    """Each batch starts over at any earlier message, as after a timeout, or goes on behind the last."""
    fake = FakeDynamoDb()
    records = Records("records", "shipping", fake)
    done = 0
    while done < len(moves):
        again = data.draw(st.integers(0, done))
        for number in range(again, done + 1):
            event = Movement(kind="movement", id=f"e-{number}", sku=moves[number][0], change=1)
            new = records.add(event, Place(group=event.sku, sequence=str(100 + number)))
            assert new is (number == done)
        done += 1
    for group in ("tea", "coffee"):
        expected = [f"e-{number}" for number, (sku, _) in enumerate(moves) if sku == group]
        got = [key for (_, key), item in fake.items.items() if item.get("group") == {"S": group}]
        assert got == expected
        if expected:
            assert fake.items["shipping", f"group#{group}"]["handled"] == {"N": str(len(expected))}


def test_what_is_sent_to_dynamodb_is_what_it_takes() -> None:
    client = boto3.client("dynamodb", region_name="eu-west-1", config=Config(signature_version="unsigned"))
    event = read(json.dumps(MOVEMENT))
    with Stubber(client) as stub:
        stub.add_response("put_item", {})
        stub.add_response("transact_write_items", {})
        stub.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            modeled_fields={
                "CancellationReasons": [
                    {"Code": "ConditionalCheckFailed", "Item": {"body": {"S": event.model_dump_json()}}},
                    {"Code": "ConditionalCheckFailed"},
                ]
            },
        )
        stub.add_client_error("transact_write_items", "AccessDeniedException")
        records, place = Records("records", "shipping", client), Place("tea", "1")
        assert records.add(event) is True
        assert records.add(event, place) is True
        assert records.add(event, place) is False
        with pytest.raises(ClientError, match="AccessDeniedException"):
            records.add(event, place)


@pytest.mark.parametrize("name", ["CONSUMER", "RECORDS_TABLE"])
def test_a_missing_setting_is_named(cloud: Fakes, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ValidationError, match=name.lower()):
        consumer._settings()


def test_a_part_that_no_order_has_cannot_be_needed(cloud: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEEDS", '["wings"]')
    with pytest.raises(ValidationError, match="'items' or 'address'"):
        consumer._settings()
