"""Calls to other services: tried again when that helps, in time, signed, with the correlation id."""

import asyncio
import datetime as dt
import hashlib
import hmac
import ssl
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from asgi_correlation_id import correlation_id
from botocore.session import Session

from service_kit import clients
from service_kit.clients import Dependency
from service_kit.problems import UnavailableError
from service_kit.sigv4 import SignedByAws
from service_kit.waiting import within
from tests.servers import fake_service
from tests.servers.authority import issue
from tests.servers.fake_service import FakeService
from tests.servers.ports import free_port


@pytest.fixture(scope="module")
def running() -> Iterator[FakeService]:
    with fake_service.running() as service:
        yield service


@pytest.fixture
def service(running: FakeService, monkeypatch: pytest.MonkeyPatch) -> FakeService:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    running.content = {"/thing": {"a": 1}}
    running.asked.clear()
    running.failures.clear()
    return running


def _get(base_url: str, path: str = "/thing", **options: Any) -> Any:
    async def run() -> Any:
        dependency = Dependency("shop", base_url=base_url, **options)
        try:
            return await dependency.get(path)
        finally:
            await dependency.aclose()

    return asyncio.run(run())


def test_what_is_there_comes_back(service: FakeService) -> None:
    assert _get(service.url) == {"a": 1}
    assert len(service.asked) == 1


def test_what_is_not_there_is_nothing(service: FakeService) -> None:
    assert _get(service.url, "/other") is None
    assert len(service.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_bad_moment_passes(service: FakeService, status: int) -> None:
    service.failures += [(status, {})] * 2
    assert _get(service.url) == {"a": 1}
    assert len(service.asked) == 3


def test_three_bad_moments_are_one_too_many(service: FakeService) -> None:
    service.failures += [(500, {})] * 3
    with pytest.raises(UnavailableError) as raised:
        _get(service.url)
    assert (raised.value.status_code, raised.value.headers) == (503, {"Retry-After": "5"})
    assert len(service.asked) == 3


@pytest.mark.parametrize("status", [400, 403, 409, 301])
def test_what_will_not_be_better_is_asked_once(service: FakeService, status: int) -> None:
    service.failures += [(status, {"Location": "/elsewhere"})]
    with pytest.raises(UnavailableError):
        _get(service.url)
    assert len(service.asked) == 1


def test_who_says_when_to_come_back_is_asked_then_or_not_at_all(service: FakeService) -> None:
    service.failures += [(503, {"Retry-After": "30"})]
    with pytest.raises(UnavailableError) as raised:
        _get(service.url)
    assert raised.value.headers == {"Retry-After": "30"}
    assert len(service.asked) == 1
    service.failures += [(503, {"Retry-After": "0"})]
    assert _get(service.url) == {"a": 1}


def test_nobody_there_is_said_soon() -> None:
    began = time.monotonic()
    with pytest.raises(UnavailableError) as raised:
        _get(f"http://127.0.0.1:{free_port()}")
    assert raised.value.status_code == 503
    assert time.monotonic() - began < clients.TOTAL_SECONDS


def test_who_does_not_answer_is_given_up(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "READ_SECONDS", 0.2)
    monkeypatch.setattr(clients, "TOTAL_SECONDS", 0.5)
    began = time.monotonic()
    with service.hanging(), pytest.raises(UnavailableError) as raised:
        _get(service.url)
    assert raised.value.status_code == 504
    assert 0.3 < time.monotonic() - began < 5
    assert len(service.asked) >= 2


def test_what_is_no_json_is_no_answer(service: FakeService) -> None:
    service.failures += [(200, {"Content-Length": "2"})]
    with pytest.raises(UnavailableError):
        _get(service.url)


@pytest.mark.parametrize("current", ["order-7", None])
def test_the_correlation_id_is_sent_on(service: FakeService, current: str | None) -> None:
    token = correlation_id.set(current)
    try:
        _get(service.url)
    finally:
        correlation_id.reset(token)
    assert service.asked[0].headers.get("x-correlation-id") == current


def test_a_certificate_of_nobody_we_know_is_refused(tmp_path: Path) -> None:
    authority, certificate, key = issue(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n5")
        await writer.drain()
        writer.close()

    async def run() -> Any:
        async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server) as listening:
            dependency = Dependency("shop", base_url=f"https://localhost:{listening.sockets[0].getsockname()[1]}")
            try:
                return await dependency.get("/")
            finally:
                await dependency.aclose()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "localhost")
        with pytest.raises(UnavailableError):
            asyncio.run(run())
        patch.setenv("SSL_CERT_FILE", str(authority))
        # A process reads them once, so another one begins.
        patch.setattr(clients, "_authorities", cache(clients._authorities.__wrapped__))
        assert asyncio.run(run()) == 5


def test_proxies_of_the_environment_are_used(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", service.url)
    monkeypatch.setenv("NO_PROXY", "")
    service.content["http://shop.example/thing"] = {"by": "proxy"}
    assert _get("http://shop.example") == {"by": "proxy"}


@pytest.mark.parametrize("token", ["a session token", None])
@pytest.mark.parametrize("path", ["/prod/thing", "/a%20b/c%2Fd?x=1&a=%C3%A9"])
def test_signatures_are_those_of_the_specification(service: FakeService, token: str | None, path: str) -> None:
    session = Session()
    session.set_credentials("AKIDEXAMPLE", "the secret key", token)
    service.content[path] = {"a": 1}
    assert _get(service.url, path, auth=SignedByAws(service="execute-api", region="eu-north-1", session=session))
    headers = service.asked[0].headers
    assert headers.get("x-amz-security-token") == token
    signed = headers["authorization"].rpartition("SignedHeaders=")[2].split(",")[0].split(";")
    assert {"host", "x-amz-date", *(["x-amz-security-token"] if token else [])} <= set(signed)
    assert headers["authorization"].endswith(f"Signature={_signature(path, headers, signed)}")
    assert not headers["authorization"].endswith(_signature(f"{path}x", headers, signed))


def _signature(path: str, headers: dict[str, str], signed: list[str]) -> str:
    """Written down from "Signature Version 4 signing process", without the SDK."""
    where, _, query = path.partition("?")
    empty = hashlib.sha256(b"").hexdigest()
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in signed)
    request = (
        f"GET\n{quote(where, safe='/~')}\n{'&'.join(sorted(query.split('&')))}\n{lines}\n{';'.join(signed)}\n{empty}"
    )
    date = headers["x-amz-date"]
    assert abs(dt.datetime.strptime(date + "+0000", "%Y%m%dT%H%M%SZ%z") - dt.datetime.now(dt.UTC)) < dt.timedelta(
        minutes=1
    )
    scope = f"{date[:8]}/eu-north-1/execute-api/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = b"AWS4the secret key"
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def test_without_credentials_nothing_is_sent(service: FakeService) -> None:
    class Nobody(Session):
        def get_credentials(self) -> None:
            """None."""

    with pytest.raises(RuntimeError, match="there are no AWS credentials"):
        _get(service.url, auth=SignedByAws(service="execute-api", region="eu-north-1", session=Nobody()))
    assert service.asked == []


def test_waiting_ends_although_the_work_does_not() -> None:
    async def stubborn(release: asyncio.Event) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    async def run() -> float:
        release = asyncio.Event()
        asyncio.get_running_loop().call_later(5, release.set)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await within(0.05, stubborn(release))
        release.set()
        return time.monotonic() - began

    assert asyncio.run(run()) < 3


def test_what_is_in_time_comes_back_or_raises() -> None:
    async def fails() -> None:
        raise KeyError("a")

    assert asyncio.run(within(5, asyncio.sleep(0, "done"))) == "done"
    with pytest.raises(KeyError):
        asyncio.run(within(5, fails()))
