"""Batches as the event source hands them over: what fails is retried alone, everything else is done."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from image_renditions import handler as function
from image_renditions.settings import SettingsError
from tests import images
from tests.functions.fake_s3 import FakeS3
from tests.functions.test_image_renditions_events import ENVIRONMENT, TEST_EVENT, s3_event, sns_envelope


@dataclass
class Context:
    function_name: str = "thumbnail"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:thumbnail"
    aws_request_id: str = "52fdfc07-2182-154f-163f-5f0f9a621d72"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    fake = FakeS3()
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    function.settings.cache_clear()
    monkeypatch.setattr(function, "s3_client", lambda: fake.client)
    yield fake
    function.settings.cache_clear()


def invoke(*bodies: object) -> list[str]:
    """Numbers of the messages that are to be retried."""
    records = [
        {
            "messageId": str(number),
            "receiptHandle": "AQEB",
            "body": body if isinstance(body, str) else json.dumps(body),
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "md5OfBody": "e4e6",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:thumbnail",
            "awsRegion": "eu-central-1",
        }
        for number, body in enumerate(bodies)
    ]
    response = function.handler({"Records": records}, cast("LambdaContext", Context()))
    return [str(failure["itemIdentifier"]) for failure in response["batchItemFailures"]]


def test_a_mixed_batch_reports_only_what_a_retry_may_heal(s3: FakeS3) -> None:
    s3.upload("photos", "good.jpg", images.jpeg())
    s3.upload("photos", "wrapped.png", images.encode(images.with_alpha(), "PNG"))
    s3.upload("photos", "bad.jpg", b"text")
    s3.upload("photos", "denied.jpg", images.jpeg())

    def refuse(operation: str, request: dict[str, Any]) -> None:
        s3.refuse = {"put_object": "AccessDenied"} if "denied" in request["Key"] else {}

    s3.before = refuse
    failed = invoke(
        s3_event("good.jpg"),
        sns_envelope(s3_event("wrapped.png")),
        TEST_EVENT,
        s3_event("bad.jpg"),
        s3_event("denied.jpg"),
        s3_event("deleted.jpg"),
        "not json",
    )
    assert failed == ["4", "6"]
    assert s3.keys("renditions") == [
        "rejected/thumbnail/bad.jpg.json",
        "thumbnail/good.jpg.jpg",
        "thumbnail/wrapped.png.webp",
    ]
    s3.before = lambda operation, request: None
    s3.refuse = {}
    assert invoke(s3_event("denied.jpg")) == []
    assert "thumbnail/denied.jpg.jpg" in s3.keys("renditions")


def test_a_batch_that_fails_as_a_whole_is_retried_message_by_message(s3: FakeS3) -> None:
    s3.refuse = {"get_object": "SlowDown"}
    assert invoke(s3_event("a.jpg"), s3_event("b.jpg")) == ["0", "1"]


def test_a_failure_does_not_stick_to_the_next_batch(s3: FakeS3) -> None:
    assert invoke("junk") == ["0"]
    assert invoke(TEST_EVENT) == []


def test_one_message_with_several_objects_is_retried_as_a_whole(s3: FakeS3) -> None:
    s3.upload("photos", "a.jpg", images.jpeg())
    s3.upload("photos", "b.jpg", images.jpeg())

    def refuse(operation: str, request: dict[str, Any]) -> None:
        s3.refuse = {operation: "SlowDown"} if request["Key"] == "b.jpg" else {}

    s3.before = refuse
    assert invoke(s3_event("a.jpg", "b.jpg")) == ["0"]
    s3.before, s3.refuse = lambda operation, request: None, {}
    assert invoke(s3_event("a.jpg", "b.jpg")) == []
    assert s3.keys("renditions") == ["thumbnail/a.jpg.jpg", "thumbnail/b.jpg.jpg"]


def test_renditions_never_feed_the_pipeline(s3: FakeS3) -> None:
    s3.upload("renditions", "thumbnail/a.jpg.jpg", images.jpeg())
    assert invoke(s3_event("thumbnail/a.jpg.jpg", bucket="renditions")) == ["0"]
    assert s3.calls == []


def test_a_missing_variable_fails_the_whole_batch_with_its_name(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAX_EDGE")
    with pytest.raises(SettingsError, match="MAX_EDGE: is missing"):
        invoke(TEST_EVENT)


def test_what_was_done_is_logged_and_counted_and_nothing_private(
    s3: FakeS3, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.upload("photos", "a.jpg", images.oriented(6))
    s3.upload("photos", "b.jpg", b"text")
    log = io.StringIO()
    monkeypatch.setattr(function.logger.registered_handler, "stream", log)
    invoke(s3_event("a.jpg"), s3_event("b.jpg"), s3_event("gone.jpg"), "junk", TEST_EVENT)
    text = log.getvalue() + capsys.readouterr().out
    lines = [json.loads(line) for line in text.splitlines()]
    by_message = {line["message"]: line for line in lines if "message" in line}
    assert by_message["rendered"]["written"] == "thumbnail/a.jpg.jpg"
    assert by_message["rejected"]["code"] == "not-an-image"
    assert by_message["gone"]["key"] == "gone.jpg"
    assert by_message["message failed and will be retried"]["message_id"] == "3"
    (metrics,) = (line for line in lines if "_aws" in line)
    assert [metrics[name] for name in ("Rendered", "Rejected", "Gone", "Failed", "Skipped")] == [[1.0]] * 5
    assert metrics["rendition"] == "thumbnail"
    assert not any(word in text for word in ("PrivateCamera", "GPS", "203.0.113.7"))
