"""Stream records in, one mail per new subscriber out."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.functions.blog_fakes import Context, refusal
from tests.functions.test_order_worker import FakeDynamoDb
from welcome_mailer import handler as mailer
from welcome_mailer.rules import UnreadableRecordError, new_subscriber, text


@dataclass
class FakeSes:
    sent: list[dict[str, Any]] = field(default_factory=list)
    broken: int = 0

    def send_email(self, **mail: Any) -> None:
        if self.broken:
            self.broken -= 1
            raise refusal("TooManyRequestsException")
        self.sent.append(mail)

    @property
    def addresses(self) -> list[str]:
        return [mail["Destination"]["ToAddresses"][0] for mail in self.sent]


@dataclass
class Fakes:
    dynamodb: FakeDynamoDb = field(default_factory=FakeDynamoDb)
    sesv2: FakeSes = field(default_factory=FakeSes)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fakes]:
    fakes = Fakes()
    settings = {"SENDER": "news@example.com", "SITE_URL": "https://blog.example", "IDEMPOTENCY_TABLE": "handled"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "client", lambda service, **_: getattr(fakes, service))
    mailer._mailer.cache_clear()
    yield fakes
    mailer._mailer.cache_clear()


def record(name: str = "Ada", number: int = 1, event: str = "INSERT") -> dict[str, Any]:
    email = f"{name}@example.com"
    image = {"email": {"S": email.lower()}, "address": {"S": email}, "subscribed": {"S": "now"}}
    return {
        "eventID": f"e{number}",
        "eventName": event,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/s",
        "dynamodb": {
            "Keys": {"email": image["email"]},
            "NewImage": image,
            "SequenceNumber": str(number),
            "SizeBytes": 1,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def deliver(*records: dict[str, Any]) -> list[str]:
    answer = mailer.handler({"Records": copy.deepcopy(list(records))}, Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_a_new_subscriber_gets_one_mail_however_often_the_record_comes(cloud: Fakes) -> None:
    for _ in range(3):
        assert deliver(record(), record()) == []
    assert cloud.sesv2.addresses == ["Ada@example.com"]
    (mail,) = cloud.sesv2.sent
    assert mail["FromEmailAddress"] == "news@example.com"
    assert "https://blog.example" in mail["Content"]["Simple"]["Body"]["Text"]["Data"]


def test_who_comes_back_later_is_welcomed_again(cloud: Fakes) -> None:
    assert deliver(record(number=1), record(number=2)) == []
    assert len(cloud.sesv2.sent) == 2


def test_changes_and_removals_welcome_nobody(cloud: Fakes) -> None:
    assert deliver(record(event="MODIFY"), record(event="REMOVE")) == []
    assert cloud.sesv2.sent == []


def test_one_that_fails_is_told_and_mailed_when_it_comes_again(cloud: Fakes) -> None:
    cloud.sesv2.broken = 1
    assert deliver(record("Ada", 1), record("Bob", 2)) == ["1"]
    assert cloud.sesv2.addresses == ["Bob@example.com"]
    assert deliver(record("Ada", 1), record("Bob", 2)) == []
    assert cloud.sesv2.addresses == ["Bob@example.com", "Ada@example.com"]


def test_the_address_is_kept_out_of_the_table_and_the_log(cloud: Fakes, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.sesv2.broken = 1
    deliver(record("Ada", 1), record("Bob", 2))
    assert not re.search(r"(?i)(ada|bob)@example", str(cloud.dynamodb.tables))
    assert not re.search(r"(?i)(ada|bob)@example", capsys.readouterr().out)


@pytest.mark.parametrize("missing", ["email", "address"])
def test_a_record_that_lacks_something_fails_alone(cloud: Fakes, missing: str) -> None:
    broken = record("Ada", 1)
    del broken["dynamodb"]["NewImage"][missing]
    assert deliver(broken, record("Bob", 2)) == ["1"]
    assert cloud.sesv2.addresses == ["Bob@example.com"]
    with pytest.raises(UnreadableRecordError, match=f"'{missing}' is missing"):
        new_subscriber(broken)


@given(st.sampled_from("\r\n,;<> "), st.integers(min_value=0, max_value=15))
def test_no_record_can_add_recipients(character: str, place: int) -> None:
    hostile = record()
    address = hostile["dynamodb"]["NewImage"]["address"]["S"]
    hostile["dynamodb"]["NewImage"]["address"]["S"] = address[:place] + character + address[place:]
    with pytest.raises(UnreadableRecordError, match="address: must be one plain address"):
        new_subscriber(hostile)


def test_the_mail_names_the_site() -> None:
    assert "https://blog.example\n" in text("https://blog.example")


def test_a_missing_setting_is_named(cloud: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENDER")
    with pytest.raises(ValidationError, match="sender"):
        deliver(record())


def test_ses_own_refusal_is_not_swallowed(cloud: Fakes) -> None:
    cloud.sesv2.broken = 9
    subscriber = new_subscriber(record())
    assert subscriber is not None
    mailer._mailer().remember(Context())
    with pytest.raises(ClientError, match="TooMany"):
        mailer._mailer().welcome(subscriber)
