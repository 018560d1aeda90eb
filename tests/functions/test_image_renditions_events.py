"""Messages and settings: what is read from them and what is said when it is wrong."""

import json
from typing import Any
from urllib.parse import quote_plus

import pytest

from image_renditions.events import UnreadableMessageError, Upload, uploads
from image_renditions.settings import Settings, SettingsError

ENVIRONMENT = {"RENDITION_NAME": "thumbnail", "MAX_EDGE": "256", "RENDITIONS_BUCKET": "renditions"}


def s3_event(*keys: str, bucket: str = "photos", name: str = "ObjectCreated:Put") -> dict[str, Any]:
    """An event notification as S3 sends it."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "eu-central-1",
                "eventTime": "2026-11-21T08:00:00.000Z",
                "eventName": name,
                "userIdentity": {"principalId": "AWS:AIDA"},
                "requestParameters": {"sourceIPAddress": "203.0.113.7"},
                "responseElements": {"x-amz-request-id": "C3D1", "x-amz-id-2": "FMyU"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "uploads",
                    "bucket": {"name": bucket, "ownerIdentity": {"principalId": "A3"}, "arn": f"arn:aws:s3:::{bucket}"},
                    "object": {
                        "key": quote_plus(key, safe="/"),
                        "size": 1024,
                        "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                        "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
                        "sequencer": "0055AED6DCD90281E5",
                    },
                },
            }
            for key in keys
        ]
    }


def sns_envelope(message: object) -> dict[str, Any]:
    """What SNS puts around a message without raw delivery."""
    return {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:uploads",
        "Subject": "Amazon S3 Notification",
        "Message": json.dumps(message),
        "Timestamp": "2026-11-21T08:00:00.123Z",
        "SignatureVersion": "1",
    }


TEST_EVENT = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2026-11-21T08:00:00.000Z",
    "Bucket": "photos",
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3e",
}
KEYS = ["a.jpg", "holiday/my photo.jpg", "a+b.jpg", "münchen/ß 100%.png", "写真.jpg", "a=b&c.jpg", "x/../y.jpg"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("wrapped", [False, True], ids=["raw", "sns"])
def test_keys_are_decoded(key: str, wrapped: bool) -> None:
    event = s3_event(key)
    body = json.dumps(sns_envelope(event) if wrapped else event)
    assert uploads(body) == [Upload("photos", key)]


def test_one_message_may_tell_of_several_objects() -> None:
    assert [upload.key for upload in uploads(json.dumps(s3_event("a.jpg", "b.jpg")))] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(
    "event",
    [TEST_EVENT, sns_envelope(TEST_EVENT), s3_event("a.jpg", name="ObjectRemoved:Delete"), {"Records": []}],
    ids=["test event", "test event through sns", "deleted", "no records"],
)
def test_what_creates_nothing_is_skipped(event: dict[str, Any]) -> None:
    assert uploads(json.dumps(event)) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("hello", "message: must be JSON"),
        ("", "message: must be JSON"),
        ("[1]", "message: must be a JSON object, got list"),
        ('{"order": 7}', r"must be an S3 event with 'Records', got the keys \['order'\]"),
        ('{"Records": "many"}', "must be an S3 event with 'Records'"),
        ('{"Records": ["one"]}', "must name 'eventName'"),
        ('{"Records": [{"eventName": "ObjectCreated:Put", "s3": {}}]}', "must name 'eventName'"),
        ('{"Type": "Notification", "Message": "hello"}', "message: must be JSON"),
        (json.dumps(s3_event("a")).replace('"key": "a"', '"key": "%ff"'), "key.*must be UTF-8"),
    ],
)
def test_anything_else_is_unreadable(body: str, message: str) -> None:
    with pytest.raises(UnreadableMessageError, match=message):
        uploads(body)


def test_settings_have_defaults() -> None:
    settings = Settings.of(ENVIRONMENT)
    assert (settings.rendition, settings.edge, settings.bucket) == ("thumbnail", 256, "renditions")
    assert (settings.quality, settings.cache_control) == (82, None)
    assert (settings.limits.max_bytes, settings.limits.max_pixels) == (40 * 1024 * 1024, 50_000_000)


def test_settings_are_read() -> None:
    more = {"QUALITY": "60", "MAX_BYTES": "1000", "MAX_PIXELS": "2000", "CACHE_CONTROL": "max-age=60"}
    settings = Settings.of(ENVIRONMENT | more)
    assert (settings.quality, settings.cache_control) == (60, "max-age=60")
    assert (settings.limits.max_bytes, settings.limits.max_pixels) == (1000, 2000)


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_missing_variable_is_named(name: str) -> None:
    without = {key: value for key, value in ENVIRONMENT.items() if key != name}
    with pytest.raises(SettingsError, match=f"{name}: is missing; set it in the function's environment"):
        Settings.of(without)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MAX_EDGE", "0", "MAX_EDGE: must be a whole number from 1 to 2560, got '0'"),
        ("MAX_EDGE", "2561", "from 1 to 2560, got '2561'"),
        ("MAX_EDGE", "big", "got 'big'"),
        ("MAX_EDGE", "25.6", "got '25.6'"),
        ("QUALITY", "96", "QUALITY: must be a whole number from 1 to 95"),
        ("MAX_BYTES", "-1", "MAX_BYTES: must be"),
        ("MAX_PIXELS", "100000001", "MAX_PIXELS: must be"),
        ("RENDITION_NAME", "rejected", "not 'rejected', got 'rejected'"),
        ("RENDITION_NAME", "a/b", "RENDITION_NAME: must be 1 to 32 of a-z, 0-9 and '-'"),
        ("RENDITION_NAME", "-a", "got '-a'"),
        ("RENDITION_NAME", "x" * 33, "1 to 32"),
    ],
)
def test_a_wrong_variable_is_named_with_its_rule(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.of(ENVIRONMENT | {name: value})
