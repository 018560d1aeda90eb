"""Releases reach the shared file system whole or not at all, and what is rejected is rejected with its reason."""

import hashlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from release_publisher import handler as publisher
from release_publisher.rules import Entry, Manifest, RejectedError, version_in
from release_publisher.shelf import Shelf
from tests.functions.fake_s3 import FakeS3
from tests.functions.paid_fakes import Context
from update_server import names

BUCKET = "releases-bucket"
DATA = {"app.bin": b"\x00\x01" * 700_000, "notes.txt": b"better than before"}


def entry(name: str, data: bytes, **more: Any) -> dict[str, Any]:
    return {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), **more}


def manifest(version: str = "1.2.3", files: dict[str, bytes] | None = None, **more: Any) -> dict[str, Any]:
    listed = [entry(name, data) for name, data in (DATA if files is None else files).items()]
    return {"version": version, "files": listed, **more}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("RELEASES_ROOT", str(tmp_path))
    publisher.settings.cache_clear()
    yield tmp_path
    publisher.settings.cache_clear()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    fake = FakeS3()
    monkeypatch.setattr(boto3, "client", lambda service: {"s3": fake}[service])
    publisher.s3.cache_clear()
    yield fake
    publisher.s3.cache_clear()


def upload(s3: FakeS3, told: dict[str, Any] | bytes, files: dict[str, bytes] | None = None, at: str = "1.2.3") -> str:
    for name, data in (DATA if files is None else files).items():
        s3.upload(BUCKET, f"releases/{at}/{name}", data)
    key = f"releases/{at}/manifest.json"
    s3.upload(BUCKET, key, told if isinstance(told, bytes) else json.dumps(told).encode())
    return key


def message(*keys: str, name: str = "ObjectCreated:Put", body: str | None = None) -> dict[str, Any]:
    records = [{"eventName": name, "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}} for key in keys]
    return {
        "messageId": f"m-{'-'.join(keys)}",
        "receiptHandle": "r",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:q",
        "body": body if body is not None else json.dumps({"Records": records}),
        "attributes": {},
        "messageAttributes": {},
    }


def invoke(*messages: dict[str, Any]) -> list[str]:
    """The ids of the messages that failed."""
    answer = publisher.handler({"Records": list(messages)}, Context())
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def reason(s3: FakeS3, key: str) -> str:
    told: dict[str, str] = json.loads(s3.objects[BUCKET, f"rejected/{key}"]["Body"])
    assert told["key"] == key
    return told["reason"]


def shelf_of(root: Path) -> list[str]:
    """What readers may find: nothing that begins with a dot."""
    found = sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))
    return [one for one in found if not one.startswith(".")]


def left_aside(root: Path) -> list[str]:
    return [path.name for path in root.glob(".incoming-*")]


def test_a_release_is_published_whole(root: Path, s3: FakeS3) -> None:
    assert invoke(message(upload(s3, manifest()))) == []
    assert {name: (root / "1.2.3" / name).read_bytes() for name in DATA} == DATA
    assert json.loads((root / "1.2.3" / "manifest.json").read_bytes()) == manifest()
    assert json.loads((root / "latest.json").read_bytes()) == manifest()
    assert shelf_of(root) == ["1.2.3", "1.2.3/app.bin", "1.2.3/manifest.json", "1.2.3/notes.txt", "latest.json"]
    assert left_aside(root) == []
    assert not [key for key in s3.keys(BUCKET) if key.startswith("rejected/")]


def test_told_twice_it_is_published_once(root: Path, s3: FakeS3) -> None:
    told = message(upload(s3, manifest()))
    assert invoke(told, told) == []
    before = (root / "1.2.3").stat().st_mtime_ns
    assert invoke(told) == []
    assert (root / "1.2.3").stat().st_mtime_ns == before
    assert not [key for key in s3.keys(BUCKET) if key.startswith("rejected/")]


def test_a_release_never_changes(root: Path, s3: FakeS3) -> None:
    invoke(message(upload(s3, manifest())))
    other = {"app.bin": b"other"}
    key = upload(s3, manifest(files=other), other)
    assert invoke(message(key)) == []
    assert reason(s3, key) == "version 1.2.3 is published already, and a release never changes"
    assert (root / "1.2.3" / "app.bin").read_bytes() == DATA["app.bin"]


@pytest.mark.parametrize(
    ("versions", "latest"),
    [
        (["1.2.3", "1.10.0"], "1.10.0"),
        (["1.10.0", "1.2.3"], "1.10.0"),
        (["1.2.3", "2.0.0-rc.1"], "1.2.3"),
        (["1.2.3", "1.2.3+build.7"], "1.2.3"),
        (["2.0.0", "10.0.0"], "10.0.0"),
    ],
)
def test_the_latest_is_the_newest_and_no_pre_release(root: Path, s3: FakeS3, versions: list[str], latest: str) -> None:
    for version in versions:
        # A plus arrives encoded.
        key = upload(s3, manifest(version), at=version).replace("+", "%2B")
        assert invoke(message(key)) == []
        assert (root / version / "app.bin").exists()
    assert json.loads((root / "latest.json").read_bytes())["version"] == latest


def test_a_pre_release_alone_is_published_and_not_the_latest(root: Path, s3: FakeS3) -> None:
    invoke(message(upload(s3, manifest("1.0.0-beta"), at="1.0.0-beta")))
    assert (root / "1.0.0-beta" / "app.bin").exists()
    assert not (root / "latest.json").exists()


def test_stopped_before_the_latest_it_is_made_up_for(root: Path, s3: FakeS3) -> None:
    told = message(upload(s3, manifest()))
    invoke(told)
    (root / "latest.json").unlink()
    invoke(told)
    assert json.loads((root / "latest.json").read_bytes())["version"] == "1.2.3"


TRAVERSALS = ["../evil", "/etc/passwd", "a/b", "..", ".hidden", "a\\b", "a\x00b", "manifest.json", "", "x" * 129, "a\n"]


@pytest.mark.parametrize("name", TRAVERSALS)
def test_a_name_that_leads_elsewhere_is_rejected(root: Path, s3: FakeS3, name: str) -> None:
    key = upload(s3, {"version": "1.2.3", "files": [entry(name, b"x")]})
    assert invoke(message(key)) == []
    assert reason(s3, key).startswith("manifest.json: a file's name must be a plain one, got")
    assert shelf_of(root) == []
    assert not (root.parent / "evil").exists()


def _cut(data: bytes) -> dict[str, bytes]:
    return {**DATA, "app.bin": data}


BAD: dict[str, tuple[dict[str, Any] | bytes, dict[str, bytes], str]] = {
    "no JSON": (b"{", DATA, "manifest.json: the whole: Invalid JSON"),
    "a list": (b"[]", DATA, "manifest.json: the whole: Input should be an object"),
    "no version": ({"files": [entry("a", b"x")]}, DATA, "manifest.json: version: Field required"),
    "no files": (manifest(files={}), DATA, "manifest.json: files: List should have at least 1 item"),
    "a size that is a text": (
        {"version": "1.2.3", "files": [entry("app.bin", b"x", size="1")]},
        DATA,
        "manifest.json: files.0.size: Input should be a valid integer",
    ),
    "an empty file": (manifest(files={"app.bin": b""}), DATA, "manifest.json: files.0.size: Input should be greater"),
    "no digest": (
        {"version": "1.2.3", "files": [entry("app.bin", b"x", sha256="abc")]},
        DATA,
        "manifest.json: files.0.sha256: String should match",
    ),
    "something more": (manifest(url="https://x"), DATA, "manifest.json: url: Extra inputs are not permitted"),
    "another version": (manifest("1.2.4"), DATA, "manifest.json: version must be the folder's, '1.2.3', got '1.2.4'"),
    "a file twice": (
        {"version": "1.2.3", "files": [entry("a", b"x"), entry("a", b"x")]},
        DATA,
        "manifest.json: each file must be named once, got twice a",
    ),
    "too large": (
        {"version": "1.2.3", "files": [entry("a", b"x", size=512 * 1024 * 1024 + 1)]},
        DATA,
        "manifest.json: the files must have at most 536870912 bytes together, got 536870913",
    ),
    "too many": (
        {"version": "1.2.3", "files": [entry(f"f{number}", b"x") for number in range(101)]},
        DATA,
        "manifest.json: files: List should have at most 100 items",
    ),
    "a long manifest": (b" " * 70_000, DATA, "releases/1.2.3/manifest.json: must have at most 65536 bytes, got 70000"),
    "a missing file": (
        manifest(),
        {"app.bin": DATA["app.bin"]},
        "notes.txt: is in the manifest, but not in the bucket",
    ),
    "a file that is longer": (
        manifest(),
        _cut(DATA["app.bin"] + b"x"),
        "app.bin: must have 1400000 bytes as the manifest says, got 1400001",
    ),
    "a file with other bytes": (
        manifest(),
        _cut(DATA["app.bin"][:-1] + b"x"),
        "app.bin: must have the SHA-256 of the manifest, got ",
    ),
}


@pytest.mark.parametrize(("told", "files", "says"), BAD.values(), ids=BAD)
def test_a_bad_release_is_rejected_and_nothing_of_it_is_published(
    root: Path, s3: FakeS3, told: dict[str, Any] | bytes, files: dict[str, bytes], says: str
) -> None:
    key = upload(s3, told, files)
    assert invoke(message(key)) == [], "trying again would change nothing"
    assert reason(s3, key).startswith(says)
    assert shelf_of(root) == []
    assert left_aside(root) == []


@pytest.mark.parametrize(
    "version",
    ["1.2", "v1.2.3", "01.2.3", "1.2.3.4", "latest", "..", "../1.2.3", "1.2.3/x", "1.2.3-", "1" * 65, "1.2.3\n"],
)
def test_a_bad_version_is_rejected(root: Path, s3: FakeS3, version: str) -> None:
    key = upload(s3, manifest(version), at=version)
    assert invoke(message(key)) == []
    assert reason(s3, key).startswith("the version must be a semantic one as '1.2.3', got ")
    assert shelf_of(root) == []
    assert not (root.parent / "1.2.3").exists()


def test_a_manifest_elsewhere_is_rejected(root: Path, s3: FakeS3) -> None:
    s3.upload(BUCKET, "manifest.json", b"{}")
    assert invoke(message("manifest.json")) == []
    assert "must be at releases/<version>/manifest.json" in reason(s3, "manifest.json")


def test_a_rejected_one_can_be_mended(root: Path, s3: FakeS3) -> None:
    key = upload(s3, manifest(), _cut(b"wrong"))
    invoke(message(key))
    assert shelf_of(root) == []
    upload(s3, manifest())
    invoke(message(key))
    assert (root / "1.2.3" / "app.bin").read_bytes() == DATA["app.bin"]


def test_what_s3_fails_at_is_tried_again_and_nothing_is_left(root: Path, s3: FakeS3) -> None:
    told = message(upload(s3, manifest()))

    def fail(operation: str, request: dict[str, Any]) -> None:
        if request["Key"].endswith("notes.txt"):
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "slow"}}, operation)

    s3.before = fail
    assert invoke(told) == [told["messageId"]]
    assert shelf_of(root) == []
    assert left_aside(root) == []
    assert not [key for key in s3.keys(BUCKET) if key.startswith("rejected/")]
    s3.before = lambda operation, request: None
    assert invoke(told) == []
    assert (root / "1.2.3" / "notes.txt").exists()


def test_a_bad_one_does_not_hinder_its_neighbours(root: Path, s3: FakeS3) -> None:
    good = message(upload(s3, manifest("2.0.0"), at="2.0.0"))
    bad = message(upload(s3, b"{", at="3.0.0"))
    broken = message(body="no event")
    assert invoke(bad, broken, good) == [broken["messageId"]]
    assert (root / "2.0.0").exists()


@pytest.mark.parametrize("body", ["[]", "{}", '{"Records": [{}]}', "null", "no JSON"])
def test_what_is_no_event_becomes_a_dead_letter(root: Path, s3: FakeS3, body: str) -> None:
    assert invoke(message(body=body)) == [message(body=body)["messageId"]]


def test_other_events_are_nothing_to_do(root: Path, s3: FakeS3) -> None:
    assert invoke(message(body='{"Event": "s3:TestEvent"}'), message("x", name="ObjectRemoved:Delete")) == []
    assert s3.calls == []


def test_readers_never_see_half_a_release(root: Path, s3: FakeS3) -> None:
    seen: list[list[str]] = []
    key = upload(s3, manifest())
    s3.before = lambda operation, request: seen.append(shelf_of(root))
    invoke(message(key))
    assert len(seen) == 3, "the manifest and each file"
    assert seen == [[]] * 3


def test_two_at_once_publish_one(root: Path) -> None:
    both = threading.Barrier(2)

    def publish(_: int) -> bool:
        def fetch(asked: Entry) -> Iterator[bytes]:
            both.wait(10)
            return iter([b"data"])

        told = Manifest.model_validate(manifest(files={"a": b"data"}))
        return Shelf(root).publish(told, fetch)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(publish, range(2))) == [False, True]
    assert shelf_of(root) == ["1.2.3", "1.2.3/a", "1.2.3/manifest.json", "latest.json"]
    assert left_aside(root) == []


@pytest.mark.parametrize(("age", "stays"), [(2 * 24 * 3600, False), (60, True)])
def test_what_somebody_left_behind_is_swept_away(
    root: Path, s3: FakeS3, age: int, stays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = root / ".incoming-0.9.0-aaaa"
    left.mkdir()
    now = left.stat().st_mtime
    monkeypatch.setattr("release_publisher.shelf.time.time", lambda: now + age)
    invoke(message(upload(s3, manifest())))
    assert left.exists() == stays


def test_a_missing_setting_is_named(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELEASES_ROOT", raising=False)
    publisher.settings.cache_clear()
    with pytest.raises(ValueError, match="releases_root"):
        publisher.settings()


NAMES = ["a", "app.bin", "A-1_b+c.tar.gz", "x" * 128, *TRAVERSALS]
VERSIONS = [
    "1.2.3",
    "0.0.1",
    "1.0.0-rc.1",
    "1.0.0+build.7",
    "1.2",
    "v1.2.3",
    "01.2.3",
    "..",
    "1.2.3-",
    f"1.2.{'3' * 61}",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_taken_when_the_servers_hand_it_out(root: Path, s3: FakeS3, name: str) -> None:
    told = json.dumps({"version": "1.2.3", "files": [entry(name, b"x")]}).encode()
    served = names.is_file(name) and name != names.MANIFEST
    try:
        Manifest.of(told, "1.2.3", 10)
    except RejectedError:
        assert not served, "the servers would hand it out"
    else:
        assert served, "the servers would not hand it out"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_is_taken_when_the_servers_hand_it_out(version: str) -> None:
    try:
        taken = version_in(f"releases/{version}/manifest.json") == version
    except RejectedError:
        taken = False
    assert taken == names.is_version(version)
