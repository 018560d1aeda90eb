"""The process of a server: settings named, logs in JSON, an orderly end."""

import runpy
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from customers_service.settings import Settings as CustomersSettings
from orders_service.settings import Settings as OrdersSettings
from service_kit import serving
from service_kit.settings import AwsSettings, ServerSettings, complaint
from tests.servers import processes
from update_server.settings import Settings as UpdatesSettings


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[processes.Process]:
    with processes.running("update_server", {"RELEASES_ROOT": str(tmp_path_factory.mktemp("releases"))}) as process:
        yield process


@pytest.mark.parametrize(
    ("settings", "given", "said"),
    [
        (UpdatesSettings, {}, "RELEASES_ROOT: must be set"),
        (CustomersSettings, {"AWS_REGION": "eu-central-1"}, "DATABASE_SECRET_ARN: must be set"),
        (
            OrdersSettings,
            {"AWS_REGION": "eu-central-1", "CATALOG_URL": "ftp://a", "ORDERS_TABLE": "t"},
            "CATALOG_URL: String should match pattern '^https?://[^/\\s]+'; CUSTOMERS_URL: must be set",
        ),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(
    settings: type[ServerSettings],
    given: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        serving.told(settings)
    assert (ended.value.code, capsys.readouterr().err) == (2, f"error: {said}\n")


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("update_server/__main__.py", "RELEASES_ROOT: must be set"),
        ("customers_service/migrate.py", "AWS_REGION: must be set; DATABASE_SECRET_ARN: must be set"),
    ],
)
def test_a_program_that_misses_something_ends_with_that_sentence(
    program: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_REGION", "DATABASE_SECRET_ARN", "RELEASES_ROOT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(processes.ROOT / "container_src" / program), run_name="__main__")
    assert (ended.value.code, capsys.readouterr()) == (2, ("", f"error: {said}\n"))


def test_what_a_server_may_not_write_is_refused_here_too(tmp_path: Path) -> None:
    command = [*processes.READ_ONLY, sys.executable, "-c", "import pathlib; pathlib.Path('file').write_text('x')"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "File too large" in done.stderr
    assert (tmp_path / "file").stat().st_size == 0


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "70000"), ("MAX_BODY_BYTES", "0"), ("REQUEST_SECONDS", "hunter2")]
)
def test_what_is_wrong_is_named_and_not_repeated(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as raised:
        AwsSettings()
    assert complaint(raised.value).startswith(f"{name}: ")
    assert value not in complaint(raised.value)


def test_every_line_of_the_log_is_an_object_with_its_request(server: processes.Process) -> None:
    with server.client() as client:
        client.get("/nope", headers={"X-Correlation-Id": "find-me"})
    line = server.log(lambda one: one["correlation_id"] == "find-me")
    assert {"timestamp", "level", "event", "service", "correlation_id"} <= line.keys()
    assert (line["service"], line["status"]) == ("update_server", 404)
    assert [one for one in server.logs if "not_json" in one] == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused_to_a_client_that_is_still_writing(server: processes.Process, *, chunked: bool) -> None:
    content = b"x" * 900_000
    with server.client() as client:
        refused = client.post("/nope", content=iter([content]) if chunked else content)
        # Chunked, nobody reads it: there is no such route.
        assert refused.status_code == (404 if chunked else 413)
        assert client.get("/health").status_code == 200


def test_what_is_no_http_does_not_stop_it(server: processes.Process) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(b"\x16\x03\x01 not http\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400")
    assert server.get("/health").status_code == 200


def test_the_server_tells_nobody_what_it_is_made_of(server: processes.Process) -> None:
    assert "server" not in server.get("/health").headers
