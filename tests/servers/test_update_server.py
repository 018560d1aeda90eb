"""update_server: releases of a folder, over ASGI and as a process."""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import threading
import time
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from tests.servers import processes
from tests.servers.asking import ask
from update_server.app import create
from update_server.publish import publish
from update_server.settings import Settings

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ETAG = f'"{SHA256}"'
FILE = "/releases/1.2.0/app.bin"
SIZE = len(CONTENT)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases, and what they were made of. It is done once: whoever publishes waits for the disk."""
    folder = tmp_path_factory.mktemp("published")
    source, made = folder / "source", folder / "releases"
    source.mkdir()
    (source / "app.bin").write_bytes(CONTENT)
    (source / "empty.txt").touch()
    made.mkdir()
    publish(made, "1.1.0", [source / "app.bin"])
    publish(made, "1.2.0", [source / "app.bin", source / "empty.txt"])
    return folder


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    """The releases, for one test to change."""
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    return tmp_path / "releases"


@pytest.fixture
def app(root: Path) -> FastAPI:
    return create(Settings(releases_root=root))


def test_a_file_comes_whole_with_what_proves_it(app: FastAPI) -> None:
    answer = ask(app, "GET", FILE)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    digest = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    wanted = {
        "ETag": ETAG,
        "Repr-Digest": f"sha-256=:{digest}:",
        "Cache-Control": "public, max-age=31536000, immutable",
        "Accept-Ranges": "bytes",
        "Content-Length": str(SIZE),
        "Content-Type": "application/octet-stream",
    }
    assert {name: answer.headers[name] for name in wanted} == wanted


@pytest.mark.parametrize("path", [FILE, "/releases/latest.json", "/releases/1.2.0/manifest.json"])
def test_head_says_the_same_without_the_body(app: FastAPI, path: str) -> None:
    whole, head = ask(app, "GET", path), ask(app, "HEAD", path, headers={"Range": "bytes=0-1"})
    varying = {"x-correlation-id"}
    assert (head.status_code, {k: v for k, v in head.headers.items() if k not in varying}) == (
        200,
        {k: v for k, v in whole.headers.items() if k not in varying},
    )


def test_the_newest_release_is_named_for_a_moment(app: FastAPI, root: Path) -> None:
    answer = ask(app, "GET", "/releases/latest.json")
    assert answer.json()["version"] == "1.2.0"
    assert answer.json()["files"][0] == {"name": "app.bin", "size": SIZE, "sha256": SHA256}
    assert answer.headers["Cache-Control"] == "public, max-age=30"
    assert answer.headers["ETag"] == f'"{hashlib.sha256((root / "latest.json").read_bytes()).hexdigest()}"'
    publish(root, "1.3.0", [root / "1.2.0" / "app.bin"])
    again = ask(app, "GET", "/releases/latest.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.json()["version"]) == (200, "1.3.0")


@pytest.mark.parametrize("path", [FILE, "/releases/latest.json"])
def test_who_has_it_is_told_so(app: FastAPI, path: str) -> None:
    known = ask(app, "GET", path).headers["ETag"]
    answer = ask(app, "GET", path, headers={"If-None-Match": f'"other", {known}'})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", known)
    assert answer.headers["Cache-Control"].startswith("public")
    assert ask(app, "GET", path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_who_wants_another_one_is_told_so(app: FastAPI) -> None:
    assert ask(app, "GET", FILE, headers={"If-Match": '"other"', "Range": "bytes=0-1"}).status_code == 412
    assert ask(app, "GET", FILE, headers={"If-Match": ETAG, "Range": "bytes=0-1"}).status_code == 206


BEFORE, AFTER = "Wed, 25 Nov 2015 10:00:00 GMT", "Tue, 25 Nov 2060 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Modified-Since": "{last_modified}"}, 304),
        ({"If-Modified-Since": AFTER}, 304),
        ({"If-Modified-Since": AFTER, "Range": "bytes=0-1"}, 304),
        ({"If-Modified-Since": BEFORE}, 200),
        ({"If-Modified-Since": "soon"}, 200),
        ({"If-Unmodified-Since": "{last_modified}"}, 200),
        ({"If-Unmodified-Since": BEFORE}, 412),
        ({"If-Unmodified-Since": BEFORE, "Range": "bytes=0-1"}, 412),
        ({"If-Unmodified-Since": "soon"}, 200),
        # A validator says more than a date.
        ({"If-None-Match": '"other"', "If-Modified-Since": AFTER}, 200),
        ({"If-None-Match": ETAG, "If-Modified-Since": BEFORE}, 304),
        ({"If-Match": ETAG, "If-Unmodified-Since": BEFORE}, 200),
        ({"If-Match": ETAG, "If-None-Match": ETAG}, 304),
        ({"If-Match": '"other"', "If-None-Match": ETAG}, 412),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_dates_count_where_no_validator_does(app: FastAPI, method: str, headers: dict[str, str], status: int) -> None:
    date = ask(app, "HEAD", FILE).headers["Last-Modified"]
    sent = {name: value.format(last_modified=date) for name, value in headers.items()}
    assert ask(app, method, FILE, headers=sent).status_code == status


def test_the_latest_has_no_date_that_could_count(app: FastAPI) -> None:
    answer = ask(
        app, "GET", "/releases/latest.json", headers={"If-Modified-Since": AFTER, "If-Unmodified-Since": BEFORE}
    )
    assert (answer.status_code, answer.headers.get("Last-Modified")) == (200, None)


@pytest.mark.parametrize(
    ("header", "start", "end"), [("0-0", 0, 1), ("1000-1999", 1000, 2000), ("-5", SIZE - 5, SIZE), ("9-", 9, SIZE)]
)
def test_a_range(app: FastAPI, header: str, start: int, end: int) -> None:
    answer = ask(app, "GET", FILE, headers={"Range": f"bytes={header}"})
    assert (answer.status_code, answer.content) == (206, CONTENT[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert answer.headers["Content-Length"] == str(end - start)
    assert answer.headers["ETag"] == ETAG


def test_several_ranges(app: FastAPI) -> None:
    answer = ask(app, "GET", FILE, headers={"Range": "bytes=0-3, 10-19, 999999999-"})
    assert answer.status_code == 206
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    message: Message[str, str] = BytesParser().parsebytes(head + answer.content)
    parts: Any = message.get_payload()
    assert [(part["Content-Range"], part.get_payload(decode=True)) for part in parts] == [
        (f"bytes 0-3/{SIZE}", CONTENT[0:4]),
        (f"bytes 10-19/{SIZE}", CONTENT[10:20]),
    ]


@pytest.mark.parametrize("header", ["items=0-5", "bytes=5-2", "bytes=a-", "bytes"])
def test_a_broken_range_is_ignored(app: FastAPI, header: str) -> None:
    answer = ask(app, "GET", FILE, headers={"Range": header})
    assert (answer.status_code, len(answer.content)) == (200, SIZE)


def test_a_range_behind_the_end_is_refused(app: FastAPI) -> None:
    answer = ask(app, "GET", FILE, headers={"Range": f"bytes={SIZE}-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{SIZE}")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_empty_file_has_no_ranges(app: FastAPI) -> None:
    answer = ask(app, "GET", "/releases/1.2.0/empty.txt", headers={"Range": "bytes=0-"})
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(("header", "status"), [(ETAG, 206), (f"W/{ETAG}", 200), ('"other"', 200)])
def test_a_download_goes_on_only_with_the_same_file(app: FastAPI, header: str, status: int) -> None:
    assert ask(app, "GET", FILE, headers={"Range": "bytes=5-9", "If-Range": header}).status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "/releases/9.9.9/app.bin",
        "/releases/9.9.9/manifest.json",
        "/releases/1.2.0/nope.bin",
        "/releases/latest/app.bin",
        "/releases/..%2f..%2fetc/passwd",
        "/releases/1.2.0/..%2f..%2f..%2fsource%2fapp.bin",
        "/releases/1.2.0/%2e%2e",
        "/releases/%2e%2e/latest.json",
        "/releases/1.2.0/..%5c..%5capp.bin",
        "/releases/1.2.0/app.bin%00",
        "/releases/1.2.0//app.bin",
        "/releases//etc/passwd",
        "/releases/1.2.0/",
        "/releases/",
        "/latest.json",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_not_there_is_not_found(app: FastAPI, method: str, path: str) -> None:
    answer = ask(app, method, path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_a_link_out_of_the_root_leads_nowhere(app: FastAPI, root: Path) -> None:
    secret = root.parent / "secret.bin"
    secret.write_bytes(CONTENT)
    for target, status in ((secret, 404), (root / "1.1.0" / "app.bin", 200)):
        (root / "1.2.0" / "app.bin").unlink()
        (root / "1.2.0" / "app.bin").symlink_to(target)
        assert ask(app, "GET", FILE).status_code == status
    (root / "2.0.0").symlink_to(root.parent)
    (root.parent / "manifest.json").write_text('{"version": "2.0.0", "files": []}')
    assert ask(app, "GET", "/releases/2.0.0/manifest.json").status_code == 404
    (root / "2.0.1").symlink_to(root / "2.0.1")
    assert ask(app, "GET", "/releases/2.0.1/manifest.json").status_code == 503


def test_what_is_in_no_manifest_is_not_published(app: FastAPI, root: Path) -> None:
    (root / "1.2.0" / "extra.bin").write_bytes(b"x")
    assert ask(app, "GET", "/releases/1.2.0/extra.bin").status_code == 404


@pytest.mark.parametrize("spoilt", ["app.bin", "manifest.json"])
def test_a_spoilt_release_is_not_sent(app: FastAPI, root: Path, spoilt: str) -> None:
    assert ask(app, "GET", FILE).status_code == 200
    (root / "1.2.0" / spoilt).write_bytes(b'{"version"')
    answer = ask(app, "GET", FILE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")


def test_a_file_system_that_is_away_is_said(app: FastAPI, root: Path) -> None:
    assert ask(app, "GET", "/ready").status_code == 200
    root.rename(root.with_name("away"))
    assert [ask(app, "GET", path).status_code for path in (FILE, "/releases/latest.json", "/ready", "/health")] == [
        503,
        503,
        503,
        200,
    ]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_changed(app: FastAPI, method: str) -> None:
    answer = ask(app, method, FILE)
    assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, {"GET", "HEAD"})


def test_the_document_shows_each_route_once(app: FastAPI) -> None:
    paths = ask(app, "GET", "/openapi.json").json()["paths"]
    assert {path: list(methods) for path, methods in paths.items()} == {
        "/health": ["get"],
        "/ready": ["get"],
        "/releases/latest.json": ["get"],
        "/releases/{version}/{file}": ["get"],
    }
    assert {"200", "206", "304", "404", "412", "416", "503"} <= paths["/releases/{version}/{file}"]["get"][
        "responses"
    ].keys()


@pytest.mark.parametrize(
    ("version", "name", "said"),
    [
        ("1.2.0", "app.bin", "version: must be new, got '1.2.0'"),
        ("../1.4.0", "app.bin", "version: must be a semantic version, got '../1.4.0'"),
        ("1.4.0", "manifest.json", "file: must be a plain name, got 'manifest.json'"),
        ("1.4.0", ".hidden", "file: must be a plain name, got '.hidden'"),
    ],
)
def test_a_release_that_breaks_a_rule_is_not_published(root: Path, version: str, name: str, said: str) -> None:
    before = sorted(root.rglob("*"))
    source = root.parent / "source" / name
    source.touch()
    with pytest.raises(ValueError, match=said.replace(".", r"\.")):
        publish(root, version, [source])
    assert sorted(root.rglob("*")) == before


def test_an_old_version_may_be_published_without_being_the_newest(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "update_server.publish", root, "1.1.1", root / "1.2.0" / "app.bin", "--not-latest"],
        env=processes.environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((root / "latest.json").read_text())["version"] == "1.2.0"
    assert (root / "1.1.1" / "app.bin").read_bytes() == CONTENT


def test_a_download_under_way_is_finished_after_term(root: Path) -> None:
    large = root.parent / "source" / "large.bin"
    large.write_bytes(CONTENT * 100)
    publish(root, "3.0.0", [large])
    with processes.running("update_server", {"RELEASES_ROOT": str(root)}) as process, process.client() as client:
        digest = hashlib.sha256()
        with client.stream("GET", "/releases/3.0.0/large.bin") as answer:
            pieces = answer.iter_raw()
            digest.update(next(pieces))
            # A slow client blocks nobody.
            assert process.get("/health", timeout=2).status_code == 200
            process.terminate()
            process.log(lambda line: line["event"] == "Shutting down")
            for piece in pieces:
                digest.update(piece)
        assert answer.headers["ETag"] == f'"{digest.hexdigest()}"'
        assert process.wait() == 0
    assert [line for line in process.logs if "not_json" in line or line["level"] != "info"] == []


def test_who_does_not_read_on_is_waited_for_only_so_long(root: Path) -> None:
    large = root.parent / "source" / "large.bin"
    large.write_bytes(CONTENT * 100)
    publish(root, "3.0.0", [large])
    given = {"RELEASES_ROOT": str(root), "SHUTDOWN_SECONDS": "1"}
    with processes.running("update_server", given) as process, process.client() as client:
        with client.stream("GET", "/releases/3.0.0/large.bin") as answer:
            pieces = answer.iter_raw()
            next(pieces)
            began = time.monotonic()
            process.terminate()
            assert process.wait() == 0
        assert 0.9 < time.monotonic() - began < 15
    assert "timeout graceful shutdown exceeded" in process.log(lambda line: line["level"] == "error")["event"]


def test_readers_of_latest_never_see_half_of_it(app: FastAPI, root: Path) -> None:
    done = threading.Event()

    def replace() -> None:
        for number in range(20):
            publish(root, f"4.0.{number}", [root / "1.2.0" / "empty.txt"])
        done.set()

    writer = threading.Thread(target=replace)
    writer.start()
    seen = set()
    while not done.is_set():
        answer = ask(app, "GET", "/releases/latest.json")
        assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
        seen.add(answer.json()["version"])
    writer.join()
    assert ask(app, "GET", "/releases/latest.json").json()["version"] == "4.0.19"
    assert seen
