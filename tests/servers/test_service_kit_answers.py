"""Every answer: a correlation id, security headers, problems instead of traces, and a line in the log."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

import pytest
from fastapi import APIRouter, Body, FastAPI, Query
from fastapi.responses import StreamingResponse
from hypothesis import given
from hypothesis import strategies as st

from service_kit import correlation
from service_kit.answers import SECURITY_HEADERS
from service_kit.app import create_app
from service_kit.problems import UnavailableError
from service_kit.settings import ServerSettings
from tests.servers.asking import ask
from tests.servers.conftest import Log


def _app(*, ready: Exception | None = None, seconds: float = 5) -> FastAPI:
    router = APIRouter()

    @router.post("/echo")
    async def echo(
        text: Annotated[str, Body(embed=True, max_length=20_000)], times: Annotated[int, Query(ge=1)] = 1
    ) -> str:
        return text * times

    @router.get("/secret")
    async def secret() -> None:
        raise RuntimeError("password=hunter2")

    @router.get("/away")
    async def away() -> None:
        raise UnavailableError("The shop is closed.", retry_after=1.2)

    @router.get("/kept")
    async def kept() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"a"
            await asyncio.sleep(0)
            yield b"b"

        return StreamingResponse(parts(), headers={"Cache-Control": "max-age=30"})

    _slow(router, seconds)

    async def check() -> None:
        if ready:
            raise ready

    settings = ServerSettings(max_body_bytes=1000, request_seconds=seconds)
    return create_app(
        title="Toy", description="For tests.", settings=settings, routers=[router], checks={"shop": check}
    )


def _slow(router: APIRouter, seconds: float) -> None:
    @router.get("/never")
    async def never() -> None:
        await asyncio.Event().wait()

    @router.get("/slowly")
    async def slowly() -> StreamingResponse:
        late = asyncio.Event()

        async def parts() -> AsyncIterator[bytes]:
            yield b"a"
            asyncio.get_running_loop().call_later(2 * seconds, late.set)
            await late.wait()
            yield b"b"

        return StreamingResponse(parts())


@pytest.mark.parametrize(
    ("request_of", "status", "errors"),
    [
        (("GET", "/nope", {}), 404, None),
        (("GET", "/echo", {}), 405, None),
        (("POST", "/echo", {"json": {"text": 5}}), 400, [("text", "Input should be a valid string")]),
        (("POST", "/echo", {"json": {}}), 400, [("text", "Field required")]),
        (
            ("POST", "/echo?times=0", {"json": {"text": ""}}),
            400,
            [("times", "Input should be greater than or equal to 1")],
        ),
        (
            ("POST", "/echo", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
            400,
            [("body", "must be JSON")],
        ),
        (("GET", "/secret", {}), 500, None),
        (("GET", "/away", {}), 503, None),
    ],
)
def test_errors_are_problems(
    request_of: tuple[str, str, dict[str, object]], status: int, errors: list[tuple[str, str]] | None
) -> None:
    method, path, more = request_of
    response = ask(_app(), method, path, **more)
    problem = response.json()
    assert response.status_code == problem["status"] == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["correlationId"] == response.headers["X-Correlation-Id"]
    assert [(one["field"], one["rule"]) for one in problem.get("errors", [])] == (errors or [])
    assert "hunter2" not in response.text
    assert "Traceback" not in response.text


def test_an_answer_without_error_is_no_problem() -> None:
    response = ask(_app(), "POST", "/echo?times=2", json={"text": "ab"})
    assert (response.status_code, response.json()) == (200, "abab")


def test_who_is_away_says_when_to_come_back() -> None:
    assert ask(_app(), "GET", "/away").headers["Retry-After"] == "2"


def test_a_wrong_method_is_told_the_right_ones() -> None:
    assert ask(_app(), "DELETE", "/echo").headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/health", "/nope", "/secret"])
def test_security_headers_are_on_every_answer(path: str) -> None:
    headers = ask(_app(), "GET", path).headers
    assert {name: headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_a_route_may_let_its_answer_be_kept() -> None:
    assert ask(_app(), "GET", "/kept").headers["Cache-Control"] == "max-age=30"


@given(st.from_regex(r"[A-Za-z0-9._-]{1,128}", fullmatch=True))
def test_a_well_formed_correlation_id_is_taken(value: str) -> None:
    assert correlation.well_formed(value)


@given(
    st.text().filter(lambda text: not (text.isascii() and 0 < len(text) <= 128))
    | st.sampled_from(["a b", "a\n", "x" * 129])
)
def test_another_is_not(value: str) -> None:
    assert not correlation.well_formed(value)


@pytest.mark.parametrize("sent", ["order-7.a_B", "x" * 128])
def test_the_correlation_id_of_the_caller_comes_back(sent: str) -> None:
    response = ask(_app(), "GET", "/nope", headers={"X-Correlation-Id": sent})
    assert response.headers.get_list("X-Correlation-Id") == [sent]
    assert response.json()["correlationId"] == sent


@pytest.mark.parametrize("sent", [None, "", "x" * 129, 'a"}\\n{"level":"forged'])
def test_without_a_good_one_a_new_one_is_made(sent: str | None) -> None:
    response = ask(_app(), "GET", "/nope", headers={} if sent is None else {"X-Correlation-Id": sent})
    assert response.headers["X-Correlation-Id"] != sent
    assert correlation.well_formed(response.headers["X-Correlation-Id"])


def test_the_log_has_a_line_of_each_request(log: Log) -> None:
    ask(_app(), "GET", "/nope", headers={"X-Correlation-Id": "seven", "X-Forwarded-For": "203.0.113.9"})
    (line,) = [one for one in log() if one["event"] == "request"]
    assert (
        line
        | {
            "level": "info",
            "service": "toy",
            "correlation_id": "seven",
            "method": "GET",
            "path": "/nope",
            "status": 404,
            "forwarded_for": "203.0.113.9",
        }
        == line
    )
    assert str(line["timestamp"]).endswith("Z")


def test_health_checks_are_not_logged(log: Log) -> None:
    ask(_app(), "GET", "/health")
    assert [one for one in log() if one["event"] == "request"] == []


def test_what_failed_is_in_the_log_alone(log: Log) -> None:
    ask(_app(), "GET", "/secret", headers={"X-Correlation-Id": "eight"})
    (line,) = [one for one in log() if one["event"] == "the request failed"]
    assert (line["level"], line["correlation_id"]) == ("error", "eight")
    assert "RuntimeError" in str(line["exception"])


def test_ready_says_which_dependency_does_not_answer() -> None:
    assert ask(_app(), "GET", "/ready").json() == {"status": "ready", "dependencies": {"shop": "up"}}
    down = ask(_app(ready=OSError("closed")), "GET", "/ready")
    assert (down.status_code, down.json()) == (503, {"status": "unready", "dependencies": {"shop": "down"}})
    assert ask(_app(ready=OSError("closed")), "GET", "/health").status_code == 200


@pytest.mark.parametrize(("size", "status"), [(1000, 200), (1001, 413), (5_000_000, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_has_a_largest_size(size: int, status: int, *, chunked: bool) -> None:
    text = json.dumps({"text": "x" * (size - len('{"text": ""}'))}).encode()
    assert len(text) == size

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, size, 700):
            yield text[start : start + 700]

    response = ask(
        _app(), "POST", "/echo", content=parts() if chunked else text, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == status
    assert response.headers.get("Connection") == (None if status == 200 else "close")


def test_a_large_body_is_refused_where_nobody_would_read_it() -> None:
    response = ask(_app(), "POST", "/nope", content=b"x" * 1001)
    assert (response.status_code, response.headers["Content-Type"]) == (413, "application/problem+json")


def test_an_answer_that_does_not_begin_is_given_up() -> None:
    response = ask(_app(seconds=0.05), "GET", "/never")
    assert (response.status_code, response.headers["Retry-After"]) == (504, "5")


def test_an_answer_that_has_begun_may_take_its_time() -> None:
    response = ask(_app(seconds=0.2), "GET", "/slowly")
    assert (response.status_code, response.content) == (200, b"ab")


def test_a_body_that_does_not_come_is_given_up() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    response = ask(_app(seconds=0.05), "POST", "/echo", content=parts(), headers={"Content-Type": "application/json"})
    assert response.status_code == 408


def test_the_document_describes_the_problems() -> None:
    document = ask(_app(), "GET", "/openapi.json").json()
    responses = document["paths"]["/echo"]["post"]["responses"]
    assert set(responses) == {"200", "400", "408", "413", "500", "504"}
    assert all(list(one["content"]) == ["application/problem+json"] for code, one in responses.items() if code != "200")
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert {"title", "status", "detail", "correlationId", "errors"} <= document["components"]["schemas"]["Problem"][
        "properties"
    ].keys()


def test_pages_that_load_scripts_from_elsewhere_are_not_served() -> None:
    assert [ask(_app(), "GET", path).status_code for path in ("/docs", "/redoc")] == [404, 404]


def test_half_an_answer_is_never_completed_with_something_else() -> None:
    app = _app()

    @app.get("/torn")
    async def torn() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"half"
            raise OSError("the disk is gone")

        return StreamingResponse(parts())

    with pytest.raises(RuntimeError, match="the answer broke off"):
        ask(app, "GET", "/torn")


def test_a_client_sees_no_server_software() -> None:
    assert "server" not in ask(_app(), "GET", "/health").headers
