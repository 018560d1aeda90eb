"""How uvicorn is run: what a load balancer relies on, what nobody may say, and what it logs."""

import socket
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from service_kit import serving
from service_kit.app import create_app
from service_kit.settings import ServerSettings
from tests.servers.conftest import Log

# Source: Elastic Load Balancing, "Application Load Balancers", idle_timeout.timeout_seconds, default.
LOAD_BALANCER_IDLE_SECONDS = 60


@contextmanager
def _serving() -> Iterator[tuple[uvicorn.Server, httpx.Client]]:
    router = APIRouter()

    @router.get("/who")
    async def who(request: Request) -> list[str]:
        return [request.client.host if request.client else "", request.url.scheme]

    @router.get("/torn")
    async def torn() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"half"
            raise OSError("the disk is gone")

        return StreamingResponse(parts())

    settings = ServerSettings(port=0)
    app = create_app(title="Toy", description="For tests.", settings=settings, routers=[router], checks={})
    server = serving.server(app, settings)
    thread, pause = threading.Thread(target=server.run), threading.Event()
    thread.start()
    while not server.started:
        assert thread.is_alive()
        pause.wait(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=15) as client:
            yield server, client
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


def test_an_idle_connection_is_kept_longer_than_a_load_balancer_keeps_it() -> None:
    with _serving() as (server, client):
        first, second = (client.get("/health").extensions["network_stream"] for _ in range(2))
    assert first.get_extra_info("socket") is second.get_extra_info("socket")
    assert server.config.timeout_keep_alive > LOAD_BALANCER_IDLE_SECONDS


def test_nobody_is_believed_who_says_for_whom_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    # Uvicorn would believe this machine, or whomever the environment names.
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    said = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "Forwarded": "for=203.0.113.9;proto=https"}
    with _serving() as (_, client):
        assert client.get("/who", headers=said).json() == ["127.0.0.1", "http"]


def test_what_the_server_itself_logs_of_a_request_has_its_id(log: Log) -> None:
    with _serving() as (_, client), pytest.raises(httpx.RemoteProtocolError):
        client.get("/torn", headers={"X-Correlation-Id": "torn-1"})
    ours, its = [one for one in log() if one["level"] == "error"]
    assert ours["correlation_id"] == its["correlation_id"] == "torn-1"
    assert "OSError: the disk is gone" in str(ours["exception"])
    assert str(its["event"]).startswith("Exception in ASGI application")


def test_a_server_that_cannot_listen_says_so_and_fails(log: Log) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        settings = ServerSettings(port=held.getsockname()[1])
        app = create_app(title="Toy", description="For tests.", settings=settings, routers=[], checks={})
        with pytest.raises(SystemExit) as ended:
            serving.server(app, settings).run()
    assert ended.value.code not in {None, 0, 2}
    (line,) = [one for one in log() if one["level"] == "error"]
    assert "address already in use" in str(line["event"])


def test_the_last_words_of_a_process_are_one_line(log: Log) -> None:
    error = RuntimeError("nobody catches this")
    sys.excepthook(type(error), error, None)
    (line,) = log()
    assert (line["level"], line["service"]) == ("critical", "toy")
    assert "RuntimeError: nobody catches this" in str(line["exception"])


def test_warnings_of_libraries_are_lines_too(log: Log) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("of a library", stacklevel=1)
    (line,) = log()
    assert line["level"] == "warning"
    assert "UserWarning: of a library" in str(line["event"])
