"""One upload at a time against S3 in memory: what is written, what is removed, and that the newest object wins."""

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError

from image_renditions.events import Upload
from image_renditions.limits import Limits
from image_renditions.pipeline import Outcome, StillChangingError, process
from image_renditions.settings import Settings
from tests import images
from tests.functions.fake_s3 import FakeS3

OUT = "renditions"
SETTINGS = Settings.of({"RENDITION_NAME": "thumbnail", "MAX_EDGE": "128", "RENDITIONS_BUCKET": OUT})
PHOTO = Upload("photos", "summer/my photo+1.jpg")
JPG, WEBP = f"thumbnail/{PHOTO.key}.jpg", f"thumbnail/{PHOTO.key}.webp"
REJECTED = f"rejected/thumbnail/{PHOTO.key}.json"
GOOD, OTHER, CLEAR, BAD = images.jpeg(), images.jpeg(300, 400), images.encode(images.with_alpha(), "PNG"), b"no picture"


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


def upload(s3: FakeS3, data: bytes, what: Upload = PHOTO) -> None:
    s3.upload(what.bucket, what.key, data)


def run(s3: FakeS3, what: Upload = PHOTO, settings: Settings = SETTINGS) -> Outcome:
    return process(s3.client, what, settings)


def test_a_picture_becomes_a_rendition_that_says_what_it_was_made_from(s3: FakeS3) -> None:
    upload(s3, GOOD)
    outcome = run(s3)
    assert (outcome.status, outcome.key) == ("rendered", JPG)
    assert s3.keys(OUT) == [JPG]
    written = s3.objects[OUT, JPG]
    assert written["ContentType"] == "image/jpeg"
    assert "CacheControl" not in written
    source = s3.head_object(Bucket=PHOTO.bucket, Key=PHOTO.key)
    assert written["Metadata"] == {
        "source-etag": source["ETag"].strip('"'),
        "source-version-id": source["VersionId"],
        "width": "128",
        "height": "96",
    }


def test_the_cache_control_is_set_when_asked_for(s3: FakeS3) -> None:
    upload(s3, GOOD)
    run(s3, settings=replace(SETTINGS, cache_control="max-age=60"))
    assert s3.objects[OUT, JPG]["CacheControl"] == "max-age=60"


def test_a_refusal_is_written_down_for_the_uploader(s3: FakeS3) -> None:
    upload(s3, BAD)
    outcome = run(s3)
    assert (outcome.status, outcome.key) == ("rejected", REJECTED)
    assert s3.keys(OUT) == [REJECTED]
    assert s3.objects[OUT, REJECTED]["ContentType"] == "application/json"
    source = s3.head_object(Bucket=PHOTO.bucket, Key=PHOTO.key)
    assert json.loads(s3.objects[OUT, REJECTED]["Body"]) == {
        "code": "not-an-image",
        "rule": "format: JPEG, PNG, WebP or GIF",
        "message": "The file's content is not a JPEG, PNG, WebP or GIF picture, whatever its name says.",
        "rendition": "thumbnail",
        "source": {
            "bucket": "photos",
            "key": PHOTO.key,
            "versionId": source["VersionId"],
            "etag": source["ETag"].strip('"'),
            "size": len(BAD),
        },
    }


STATES = {"opaque": (GOOD, JPG), "transparent": (CLEAR, WEBP), "bad": (BAD, REJECTED), "another": (OTHER, JPG)}


@pytest.mark.parametrize("after", STATES)
@pytest.mark.parametrize("before", STATES)
def test_a_new_upload_replaces_whatever_the_old_one_left(s3: FakeS3, before: str, after: str) -> None:
    upload(s3, STATES[before][0])
    run(s3)
    upload(s3, STATES[after][0])
    run(s3)
    alone = FakeS3()
    upload(alone, STATES[after][0])
    run(alone)
    assert s3.keys(OUT) == [STATES[after][1]]
    assert s3.objects == alone.objects


def test_a_repeated_event_changes_nothing(s3: FakeS3) -> None:
    upload(s3, GOOD)
    run(s3)
    first = dict(s3.objects)
    run(s3)
    assert s3.objects == first


def test_names_that_differ_in_their_extension_do_not_collide(s3: FakeS3) -> None:
    for key in ("a", "a.png", "a.jpg", "a.jpg.jpg"):
        upload(s3, GOOD, Upload("photos", key))
        run(s3, Upload("photos", key))
    assert len(s3.keys(OUT)) == 4


def test_other_pictures_renditions_are_left_alone(s3: FakeS3) -> None:
    upload(s3, GOOD)
    run(s3)
    run(s3, settings=replace(SETTINGS, rendition="web"))
    upload(s3, BAD)
    run(s3)
    assert s3.keys(OUT) == [REJECTED, f"web/{PHOTO.key}.jpg"]


@pytest.mark.parametrize("moment", ["put_object", "delete_object", "head_object"])
@pytest.mark.parametrize("newer", ["opaque", "transparent", "bad", "another"])
def test_an_upload_during_the_work_is_seen_before_it_ends(s3: FakeS3, moment: str, newer: str) -> None:
    upload(s3, GOOD)

    def replace_once(operation: str, request: dict[str, Any]) -> None:
        if operation == moment:
            s3.before = lambda operation, request: None
            upload(s3, STATES[newer][0])

    s3.before = replace_once
    run(s3)
    assert s3.keys(OUT) == [STATES[newer][1]]
    alone = FakeS3()
    upload(alone, STATES[newer][0])
    run(alone)
    assert s3.objects == alone.objects


@pytest.mark.parametrize("moment", ["put_object", "delete_object", "head_object"])
@pytest.mark.parametrize("newer", ["opaque", "transparent", "bad", "another"])
def test_a_slow_older_worker_does_not_overwrite_the_newer_result(s3: FakeS3, moment: str, newer: str) -> None:
    """The newer event is worked off completely while the older one is at ``moment``."""
    upload(s3, CLEAR)

    def overtake(operation: str, request: dict[str, Any]) -> None:
        if operation == moment:
            s3.before = lambda operation, request: None
            upload(s3, STATES[newer][0])
            run(s3)

    s3.before = overtake
    run(s3)
    alone = FakeS3()
    upload(alone, STATES[newer][0])
    run(alone)
    assert s3.objects == alone.objects


def test_a_source_that_never_rests_is_retried_later(s3: FakeS3) -> None:
    upload(s3, GOOD)
    count = iter(range(100))

    def change(operation: str, request: dict[str, Any]) -> None:
        if operation == "head_object":
            upload(s3, images.jpeg(300 + next(count), 200))

    s3.before = change
    with pytest.raises(StillChangingError, match="changed during each of 3 attempts"):
        run(s3)


def test_deleted_before_it_was_read_is_nobodys_error(s3: FakeS3) -> None:
    assert run(s3).status == "gone"
    assert s3.calls == ["get_object"]


def test_deleted_while_it_was_rendered_is_nobodys_error(s3: FakeS3) -> None:
    upload(s3, GOOD)

    def delete(operation: str, request: dict[str, Any]) -> None:
        if operation == "head_object":
            s3.objects.pop((PHOTO.bucket, PHOTO.key))

    s3.before = delete
    assert run(s3).status == "rendered"


def test_folders_of_the_console_are_no_pictures(s3: FakeS3) -> None:
    folder = Upload("photos", "summer/")
    upload(s3, b"", folder)
    assert run(s3, folder).status == "folder"
    assert s3.keys(OUT) == []
    upload(s3, GOOD, folder)
    assert run(s3, folder).key == "thumbnail/summer/.jpg"


@pytest.mark.parametrize("operation", ["get_object", "put_object", "delete_object", "head_object"])
@pytest.mark.parametrize("code", ["SlowDown", "AccessDenied", "InternalError", "NoSuchBucket", "403"])
def test_errors_of_s3_are_raised_so_that_the_message_is_retried(s3: FakeS3, operation: str, code: str) -> None:
    upload(s3, GOOD)
    s3.refuse = {operation: code}
    with pytest.raises(ClientError, match=f"fake {code}"):
        run(s3)
    s3.refuse = {}
    assert run(s3).status == "rendered"
    assert s3.keys(OUT) == [JPG]


def test_a_broken_connection_is_not_taken_for_a_truncated_picture(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(s3, GOOD)
    whole = FakeS3.get_object

    def half(self: FakeS3, **request: Any) -> dict[str, Any]:
        response = whole(self, **request)
        response["Body"]._raw_stream.truncate(len(GOOD) // 2)
        return response

    monkeypatch.setattr(FakeS3, "get_object", half)
    with pytest.raises(IncompleteReadError):
        run(s3)
    assert s3.keys(OUT) == []


def test_a_file_that_is_too_large_is_refused_without_being_read(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(s3, GOOD)
    monkeypatch.setattr("botocore.response.StreamingBody.read", lambda *_: pytest.fail("the body was read"))
    outcome = run(s3, settings=replace(SETTINGS, limits=Limits(max_bytes=len(GOOD) - 1)))
    assert outcome.reason is not None
    assert outcome.reason.code == "too-large"


@pytest.mark.parametrize("letter", ["a", "ä", "写"])
def test_a_key_that_leaves_no_room_is_refused_under_a_short_name(s3: FakeS3, letter: str) -> None:
    room = 1024 - len("thumbnail/.webp")
    size = len(letter.encode())
    fits, long = (Upload("photos", letter * (room // size + extra)) for extra in (0, 1))
    for what in (fits, long):
        upload(s3, CLEAR, what)
    assert run(s3, fits).status == "rendered"
    outcome = run(s3, long)
    assert outcome.reason is not None
    assert outcome.reason.code == "key-too-long"
    assert outcome.key is not None
    assert outcome.key.startswith("rejected/thumbnail/sha256-")
    assert json.loads(s3.objects[OUT, outcome.key]["Body"])["source"]["key"] == long.key
    assert all(len(key.encode()) <= 1024 for key in s3.keys(OUT))
