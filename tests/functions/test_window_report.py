"""window_report: which hour, what is asked, and that the newest report stays."""

import json
import sqlite3
from typing import Any
from urllib.parse import quote_plus

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from window_report import handler as report
from window_report.athena import Athena, QueryError
from window_report.events import UnreadableMessageError, created
from window_report.reports import OvertakenError, Reports
from window_report.rules import Window, query, report_key, window_of
from window_report.settings import Settings

WINDOW = Window("2026-11-21", "03")
KEY = "events/event_date=2026-11-21/event_hour=03/2026/11/21/05/delivery-1.parquet"


@pytest.mark.parametrize("key", [KEY, "event_date=2026-11-21/event_hour=03/x", KEY.replace("2026/11/21/05/", "")])
def test_an_object_belongs_to_the_hour_of_its_partition(key: str) -> None:
    assert window_of(key) == WINDOW


@pytest.mark.parametrize(
    "key",
    [
        "",
        "events/x.parquet",
        KEY.replace("hour=03", "hour=24"),
        KEY.replace("-11-", "-13-"),
        KEY.replace("11-21/event", "02-30/event"),
        "event_date=2026-11-21/event_hour=03/",
        "events/event_date=2026-11-21' OR '1'='1/event_hour=03/x",
    ],
)
def test_what_is_in_no_hour_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="key: "):
        window_of(key)


@given(st.text())
def test_no_key_leads_to_anything_but_a_day_and_an_hour(key: str) -> None:
    try:
        window = window_of(key)
    except ValueError:
        return
    assert len(window.day) == 10
    assert window.hour.isdigit()


@pytest.mark.parametrize("name", ["", 'e"; DROP', "Events", "a b"])
def test_a_name_that_is_none_of_glue_s_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="table: must be 1 to 255"):
        query(WINDOW, database="db", table=name)


def test_each_event_counts_once_and_an_id_is_its_device_s_own() -> None:
    """The query is run, by another engine that speaks this much of SQL."""
    connection = sqlite3.connect(":memory:")
    columns = "event_id, device_id, recorded_at, temperature, humidity, ingested_at, event_date, event_hour"
    connection.execute("ATTACH ':memory:' AS db")
    connection.execute(f"CREATE TABLE db.events ({columns})")
    rows = [
        ("e1", "a", "t", 10.0, 40.0, "2", "2026-11-21", "03"),
        ("e1", "a", "t", 99.0, 99.0, "3", "2026-11-21", "03"),  # again, later: the first counts
        ("e1", "b", "t", 7.0, 1.0, "1", "2026-11-21", "03"),  # another device's: its own
        ("e2", "a", "t", 20.0, 60.0, "2", "2026-11-21", "03"),
        ("e3", "a", "t", 1.0, 1.0, "2", "2026-11-21", "04"),
        ("e3", "a", "t", 1.0, 1.0, "2", "2026-11-20", "03"),
    ]
    connection.executemany(f"INSERT INTO db.events VALUES ({', '.join('?' * 8)})", rows)  # noqa: S608
    found = connection.execute(query(WINDOW, database="db", table="events")).fetchall()
    hour = ("2026-11-21", "03")
    assert found == [(*hour, "a", 2, 30.0, 15.0, 10.0, 20.0, 50.0), (*hour, "b", 1, 7.0, 7.0, 7.0, 7.0, 1.0)]
    connection.close()


def test_a_report_has_one_place() -> None:
    assert report_key(WINDOW) == "reports/event_date=2026-11-21/event_hour=03/report.csv"


def s3_event(*keys: str, name: str = "ObjectCreated:CompleteMultipartUpload") -> str:
    """As S3 sends it; keys form-encoded."""
    records = [
        {"eventName": name, "s3": {"bucket": {"name": "lake"}, "object": {"key": quote_plus(key, safe="/")}}}
        for key in keys
    ]
    return json.dumps({"Records": records})


def test_the_keys_of_an_event_are_decoded() -> None:
    assert created(s3_event(KEY, "a b+c")) == [KEY, "a b+c"]
    assert created(s3_event(KEY, name="ObjectRemoved:Delete")) == []
    assert created('{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "lake"}') == []


@pytest.mark.parametrize("body", ["", "poison", "[]", "1", "{}", '{"Records": [{"eventName": "ObjectCreated:Put"}]}'])
def test_another_message_is_unreadable(body: str) -> None:
    with pytest.raises(UnreadableMessageError, match="message: must be"):
        created(body)


class FakeAthena:
    """Answers with these states, one after the other."""

    def __init__(self, *states: str) -> None:
        self.states = list(states)
        self.asked: list[str] = []
        self.stopped: list[str] = []

    def start_query_execution(self, *, QueryString: str, WorkGroup: str) -> dict[str, str]:  # noqa: N803
        assert WorkGroup == "group"
        self.asked.append(QueryString)
        return {"QueryExecutionId": f"q{len(self.asked)}"}

    def get_query_execution(self, *, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        status = {"State": state} | (
            {"StateChangeReason": "Bytes scanned limit was exceeded"} if state == "CANCELLED" else {}
        )
        location = {"OutputLocation": f"s3://results/{QueryExecutionId}.csv"}
        return {"QueryExecution": {"Status": status, "ResultConfiguration": location}}

    def stop_query_execution(self, *, QueryExecutionId: str) -> None:  # noqa: N803
        self.stopped.append(QueryExecutionId)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def athena(fake: FakeAthena) -> Athena:
    clock = Clock()
    return Athena(fake, "group", clock=clock, sleep=clock.sleep)


def test_a_query_is_waited_for() -> None:
    fake = FakeAthena("QUEUED", "RUNNING", "SUCCEEDED")
    assert athena(fake).run("SELECT 1", within=60) == ("results", "q1.csv")


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("FAILED", "query q1 failed: Athena gave no reason"),
        ("CANCELLED", "query q1 cancelled: Bytes scanned limit was exceeded"),
    ],
)
def test_a_query_that_fails_says_why(state: str, says: str) -> None:
    with pytest.raises(QueryError, match=says):
        athena(FakeAthena("RUNNING", state)).run("SELECT 1", within=60)


def test_a_query_that_takes_too_long_is_stopped() -> None:
    fake = FakeAthena("RUNNING")
    with pytest.raises(QueryError, match="query q1 was stopped: it took longer than 5 seconds"):
        athena(fake).run("SELECT 1", within=5)
    assert fake.stopped == ["q1"]


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Operation")


class FakeS3:
    """Objects with S3's conditional writes; `meanwhile` is written by somebody else just before."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {"q1.csv": b"one\n", "q2.csv": b"two\n"}
        self.meanwhile: list[bytes] = []
        self.head_code = "404"

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, str]:  # noqa: N803
        assert Bucket == "reports"
        if Key not in self.objects:
            raise refusal(self.head_code)
        return {"ETag": f'"{hash(self.objects[Key])}"'}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == "results"
        return {"Body": type("Body", (), {"read": lambda _: self.objects[Key]})()}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str, **condition: str) -> None:  # noqa: N803
        assert (Bucket, ContentType, len(condition)) == ("reports", "text/csv", 1)
        if self.meanwhile:
            self.objects[Key] = self.meanwhile.pop()
        there = f'"{hash(self.objects[Key])}"' if Key in self.objects else None
        if ("IfNoneMatch" in condition and there) or ("IfMatch" in condition and there != condition["IfMatch"]):
            raise refusal("PreconditionFailed")
        self.objects[Key] = Body


SETTINGS = {"DATABASE": "db", "TABLE": "events", "WORKGROUP": "group", "REPORTS_BUCKET": "reports"}


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


def reports(s3: FakeS3, fake: FakeAthena) -> Reports:
    return Reports(Settings(), s3, athena(fake), lambda: 60.0)


def test_a_report_is_written_once_for_all_messages_of_a_batch() -> None:
    s3, fake = FakeS3(), FakeAthena("SUCCEEDED")
    batch = reports(s3, fake)
    assert batch.refresh(WINDOW) == batch.refresh(WINDOW) == report_key(WINDOW)
    assert len(fake.asked) == 1
    assert s3.objects[report_key(WINDOW)] == b"one\n"


def test_a_new_report_takes_the_place_of_the_old() -> None:
    s3, fake = FakeS3(), FakeAthena("SUCCEEDED")
    reports(s3, fake).refresh(WINDOW)
    reports(s3, fake).refresh(WINDOW)
    assert s3.objects[report_key(WINDOW)] == b"two\n"


@pytest.mark.parametrize("there", [None, b"old"])
def test_an_answer_never_takes_the_place_of_one_that_came_meanwhile(there: bytes | None) -> None:
    s3 = FakeS3()
    if there:
        s3.objects[report_key(WINDOW)] = there
    s3.meanwhile = [b"newer"]
    with pytest.raises(OvertakenError, match="was replaced while it was being made"):
        reports(s3, FakeAthena("SUCCEEDED")).refresh(WINDOW)
    assert s3.objects[report_key(WINDOW)] == b"newer"


def test_another_error_of_s3_is_raised_as_it_is() -> None:
    s3 = FakeS3()
    s3.head_code = "403"
    with pytest.raises(ClientError, match="403"):
        reports(s3, FakeAthena("SUCCEEDED")).refresh(WINDOW)


class FakeSqs:
    def __init__(self) -> None:
        self.released: list[str] = []

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        assert VisibilityTimeout == 0
        self.released.append(ReceiptHandle)


class Context:
    function_name, memory_limit_in_mb, aws_request_id = "report", 256, "r"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:report"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> tuple[FakeS3, FakeAthena, FakeSqs]:
    s3, fake, sqs = FakeS3(), FakeAthena("SUCCEEDED"), FakeSqs()
    monkeypatch.setattr(report, "_s3", lambda: s3)
    monkeypatch.setattr(report, "_athena", lambda: athena(fake))
    monkeypatch.setattr(report, "_sqs", lambda: sqs)
    report._settings.cache_clear()
    return s3, fake, sqs


def failed(*bodies: str) -> list[str]:
    """The handler on these messages; which of them failed."""
    records = [
        {
            "messageId": f"m-{number}",
            "receiptHandle": f"r-{number}",
            "body": body,
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:events",
            "attributes": {},
            "messageAttributes": {},
        }
        for number, body in enumerate(bodies)
    ]
    answer = report.handler({"Records": records}, Context())
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def test_a_batch_asks_once_per_hour_and_reports(world: tuple[FakeS3, FakeAthena, FakeSqs]) -> None:
    s3, fake, _sqs = world
    other = KEY.replace("hour=03", "hour=04")
    assert failed(s3_event(KEY, other), s3_event(KEY), s3_event(other)) == []
    assert len(fake.asked) == 2
    assert report_key(Window("2026-11-21", "04")) in s3.objects


def test_poison_comes_again_at_once_and_the_others_are_done(world: tuple[FakeS3, FakeAthena, FakeSqs]) -> None:
    s3, _fake, sqs = world
    assert failed("poison", s3_event(KEY), s3_event("elsewhere/x")) == ["m-0", "m-2"]
    assert sqs.released == ["r-0", "r-2"]
    assert report_key(WINDOW) in s3.objects


def test_who_was_overtaken_tries_again_at_once(world: tuple[FakeS3, FakeAthena, FakeSqs]) -> None:
    s3, _fake, sqs = world
    s3.meanwhile = [b"newer"]
    assert failed(s3_event(KEY)) == ["m-0"]
    assert sqs.released == ["r-0"]
    assert failed(s3_event(KEY)) == []


def test_a_query_that_fails_waits_for_its_retry(world: tuple[FakeS3, FakeAthena, FakeSqs]) -> None:
    _s3, fake, sqs = world
    fake.states = ["FAILED"]
    assert failed(s3_event(KEY)) == ["m-0"]
    assert sqs.released == []


def test_a_missing_setting_is_named(world: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKGROUP")
    with pytest.raises(ValidationError, match="workgroup"):
        failed(s3_event(KEY))
