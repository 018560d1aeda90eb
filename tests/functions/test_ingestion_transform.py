"""ingestion_transform: what is an event, what becomes of it, and what becomes of the rest."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from constructs_lib import _ingestion_table as table
from ingestion_transform import handler as transform
from ingestion_transform import rejected, rules

NOW = datetime(2026, 11, 21, 3, 4, 5, 678000, tzinfo=UTC)
CLOCK = rules.Clock(NOW, timedelta(hours=48), timedelta(minutes=5))
GOOD: dict[str, Any] = {
    "eventId": "e-1",
    "deviceId": "d-1",
    "recordedAt": "2026-11-21T02:59:59.5+01:00",
    "temperature": 21.5,
    "humidity": 40,
}


def raw(**changes: Any) -> bytes:
    """A good event with changes; None takes a field away."""
    return json.dumps({name: value for name, value in (GOOD | changes).items() if value is not None}).encode()


def test_a_good_event_is_a_row_in_the_partition_of_when_it_was_recorded() -> None:
    event = rules.event_of(raw(), "d-1", CLOCK)
    assert rules.row(event, NOW) == {
        "event_id": "e-1",
        "device_id": "d-1",
        "recorded_at": "2026-11-21 01:59:59.500",
        "temperature": 21.5,
        "humidity": 40.0,
        "ingested_at": "2026-11-21 03:04:05.678",
    }
    assert rules.partition(event) == {"event_date": "2026-11-21", "event_hour": "01"}


def test_the_row_and_the_partition_are_the_table_s() -> None:
    event = rules.event_of(raw(), "d-1", CLOCK)
    assert tuple(rules.row(event, NOW)) == tuple(table.COLUMNS)
    assert tuple(rules.partition(event)) == table.PARTITIONS


@pytest.mark.parametrize(
    ("record", "code", "reason"),
    [
        (b"", "not-json", "record: Invalid JSON"),
        (b"hello", "not-json", "record: Invalid JSON"),
        (b"\xff\xfe", "not-json", "record: Invalid JSON"),
        (b"[]", "wrong-type", "record: Input should be an object"),
        (raw(humidity=None), "missing-field", "humidity: Field required"),
        (raw(colour="red"), "unknown-field", "colour: Extra inputs are not permitted, got 'red'"),
        (raw(temperature="warm"), "wrong-type", "temperature: Input should be a valid number, got 'warm'"),
        (raw(temperature=True), "wrong-type", "temperature: Input should be a valid number, got 'True'"),
        (raw(temperature=201), "out-of-range", "temperature: Input should be less than or equal to 200, got '201'"),
        (raw(humidity=-0.5), "out-of-range", "humidity: Input should be greater than or equal to 0, got '-0.5'"),
        (b'{"temperature": NaN}', "missing-field", "eventId: Field required"),
        (raw().replace(b"21.5", b"NaN"), "out-of-range", "temperature: Input should be"),
        (raw(eventId="a b"), "out-of-range", "eventId: String should match pattern"),
        (raw(recordedAt="yesterday"), "out-of-range", "recordedAt: Input should be a valid datetime"),
        (raw(recordedAt="2026-11-21T03:00:00"), "out-of-range", "recordedAt: Input should have timezone info"),
        (raw(recordedAt=1795230000), "wrong-type", "recordedAt: Input should be a valid datetime"),
        (raw(deviceId="d-2"), "wrong-device", "deviceId: must be the publisher 'd-1', got 'd-2'"),
        (raw(recordedAt="2026-11-21T03:09:06Z"), "clock-off", "recordedAt: must lie between 2026-11-19T03:04:05"),
        (raw(recordedAt="2026-11-19T03:04:05Z"), "clock-off", "got 2026-11-19T03:04:05"),
        (b"x" * 131_073, "too-large", "record: must be at most 131072 bytes, got 131073"),
    ],
)
def test_what_is_no_event_is_rejected_with_its_reason(record: bytes, code: str, reason: str) -> None:
    with pytest.raises(rules.RejectedError) as refusal:
        rules.event_of(record, "d-1", CLOCK)
    assert (refusal.value.code, reason in str(refusal.value)) == (code, True), str(refusal.value)


@pytest.mark.parametrize("recorded", ["2026-11-19T03:04:05.678Z", "2026-11-21T03:09:05.678Z"])
def test_the_edges_of_the_clock_are_inside(recorded: str) -> None:
    assert rules.event_of(raw(recordedAt=recorded), "d-1", CLOCK).eventId == "e-1"


def test_a_record_of_the_largest_size_is_read() -> None:
    padded = raw() + b" " * (rules.MAX_BYTES - len(raw()))
    assert rules.event_of(padded, "d-1", CLOCK).deviceId == "d-1"


@given(record=st.binary(max_size=200) | st.text().map(str.encode) | st.recursive(st.none(), st.lists).map(json.dumps))
def test_nothing_but_a_rejection_comes_of_anything(record: bytes | str) -> None:
    data = record.encode() if isinstance(record, str) else record
    with pytest.raises(rules.RejectedError, match=": "):
        rules.event_of(data, "d-1", CLOCK)


@given(
    recorded=st.datetimes(NOW.replace(tzinfo=None) - timedelta(hours=47), NOW.replace(tzinfo=None)),
    offset=st.integers(-14 * 60, 14 * 60),
)
def test_the_partition_is_the_hour_in_utc_wherever_the_device_is(recorded: datetime, offset: int) -> None:
    local = recorded.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=offset)))
    event = rules.event_of(raw(recordedAt=local.isoformat()), "d-1", CLOCK)
    hour = rules.partition(event)
    assert (hour["event_date"], hour["event_hour"]) == (f"{recorded:%Y-%m-%d}", f"{recorded:%H}")
    assert str(rules.row(event, NOW)["recorded_at"]).startswith(f"{recorded:%Y-%m-%d %H:%M:%S}")


def test_the_same_batch_again_is_the_same_object() -> None:
    one = rejected.Rejected.of("c", "r", raw=b"\x00", publisher="d", sequence="49-1", arrived=NOW)
    two = rejected.Rejected.of("c", "r", raw=b"\x00", publisher="d", sequence="49-2", arrived=NOW)
    assert rejected.key("errors/", [one]) == rejected.key("errors/", [one])
    assert rejected.key("errors/", [one]) != rejected.key("errors/", [one, two])
    assert rejected.key("errors/", [one]).startswith("errors/2026/11/21/03/")


class FakeS3:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.broken = False

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
        if self.broken:
            raise RuntimeError("S3 is away")
        assert ContentType == "application/x-ndjson"
        self.objects[f"{Bucket}/{Key}"] = Body


class Context:
    function_name, memory_limit_in_mb, aws_request_id = "transform", 512, "r"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:transform"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    fake = FakeS3()
    monkeypatch.setenv("ERRORS_BUCKET", "lake")
    monkeypatch.setenv("ERRORS_PREFIX", "errors/rejected/")
    monkeypatch.setenv("MAX_LATE_HOURS", "48")
    monkeypatch.setattr(transform, "_s3", lambda: fake)
    transform._settings.cache_clear()
    return fake


def batch(*records: bytes, publisher: str = "d-1") -> dict[str, Any]:
    """As Data Firehose invokes a function for a stream (Lambda developer guide)."""
    arrived = int(NOW.timestamp() * 1000)
    return {
        "invocationId": "2b4d1ad9-2f48-94bd-a088-767c317e994a",
        "sourceKinesisStreamArn": "arn:aws:kinesis:eu-west-1:123456789012:stream/events",
        "deliveryStreamArn": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/delivery",
        "region": "eu-west-1",
        "records": [
            {
                "recordId": f"r-{number}",
                "approximateArrivalTimestamp": arrived,
                "data": base64.b64encode(record).decode(),
                "kinesisRecordMetadata": {
                    "shardId": "shardId-000000000000",
                    "partitionKey": publisher,
                    "approximateArrivalTimestamp": arrived,
                    "sequenceNumber": f"4954611581{number}",
                    "subsequenceNumber": 0,
                },
            }
            for number, record in enumerate(records)
        ],
    }


def handled(event: dict[str, Any]) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = transform.handler(event, Context())["records"]
    return answer


def test_every_record_is_answered_in_order_and_the_bad_are_kept_whole(s3: FakeS3) -> None:
    answers = handled(batch(raw(), b"\xffnot json", raw(eventId="e-2"), raw(deviceId="other")))
    assert [(each["recordId"], each["result"]) for each in answers] == [
        ("r-0", "Ok"),
        ("r-1", "Dropped"),
        ("r-2", "Ok"),
        ("r-3", "Dropped"),
    ]
    assert answers[0]["metadata"] == {"partitionKeys": {"event_date": "2026-11-21", "event_hour": "01"}}
    assert json.loads(base64.b64decode(answers[2]["data"]))["event_id"] == "e-2"
    ((key, body),) = s3.objects.items()
    assert key.startswith("lake/errors/rejected/2026/11/21/03/")
    lines = [json.loads(line) for line in body.decode().splitlines()]
    assert [line["code"] for line in lines] == ["not-json", "wrong-device"]
    assert base64.b64decode(lines[0]["data"]) == b"\xffnot json"
    assert (lines[1]["publisher"], lines[1]["sequence"]) == ("d-1", "49546115813")


def test_nothing_is_written_when_nothing_is_wrong(s3: FakeS3) -> None:
    handled(batch(raw()))
    assert s3.objects == {}


def test_a_batch_whose_bad_records_cannot_be_kept_fails_as_a_whole(s3: FakeS3) -> None:
    s3.broken = True
    with pytest.raises(RuntimeError, match="S3 is away"):
        handled(batch(raw(), b"bad"))


def test_the_same_batch_again_leaves_one_object(s3: FakeS3) -> None:
    for _ in range(2):
        handled(batch(b"bad"))
    assert len(s3.objects) == 1


def test_a_record_without_its_source_is_refused(s3: FakeS3) -> None:
    event = batch(raw())
    del event["records"][0]["kinesisRecordMetadata"]
    with pytest.raises(ValueError, match="record: must come from a Kinesis stream"):
        handled(event)


@pytest.mark.parametrize(("name", "value"), [("ERRORS_BUCKET", None), ("MAX_LATE_HOURS", "0")])
def test_a_setting_that_is_missing_or_wrong_is_named(
    s3: FakeS3, monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.lower()):
        handled(batch(raw()))
