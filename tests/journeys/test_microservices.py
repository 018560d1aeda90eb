"""What the journey of the three services judges with: whole documents, problem details, and a server that hangs."""

import copy
import json
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3

from journeys import microservices
from journeys._http import Response
from journeys._microservices import expect
from journeys._microservices_failures import _bounded, _Hanging
from journeys._microservices_refusals import operations
from journeys._steps import NotRunError
from tests.journeys.saying import Saying

DOCUMENT = Path(__file__).parents[2] / "lambda_src" / "catalog_api" / "openapi.json"


@pytest.fixture
def document() -> Any:
    return copy.deepcopy(json.loads(DOCUMENT.read_text(encoding="utf-8")))


def test_a_whole_document_has_named_operations(document: Any) -> None:
    assert operations(document) == ["getProduct", "putProduct"]


def _first(document: Any) -> Any:
    return document["paths"]["/products/{sku}"]["get"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda one: one.update(openapi="2.0"), "2.0"),
        (lambda one: one["info"].update(title=""), "title"),
        (lambda one: one["info"].update(version=""), "version"),
        (lambda one: one.update(paths={}), "no operation"),
        (lambda one: _first(one).pop("operationId"), "has no name"),
        (lambda one: _first(one).update(operationId="putProduct"), "occurs twice"),
        (lambda one: _first(one).update(responses={}), "has no answer"),
        (lambda one: one["components"]["schemas"].pop("Product"), "lead nowhere"),
    ],
)
def test_what_is_missing_in_a_document_is_seen(document: Any, spoil: Callable[[Any], object], says: str) -> None:
    spoil(document)
    with pytest.raises(AssertionError, match=says):
        operations(document)


def answer(status: int, body: Any) -> Response:
    return Response(status, {}, json.dumps(body).encode())


def test_an_answer_is_judged_by_status_and_form() -> None:
    assert expect(answer(200, {"sku": "tea"}), 200) == {"sku": "tea"}
    assert expect(answer(404, {"title": "Not Found"}), 404)["title"] == "Not Found"
    with pytest.raises(AssertionError, match="expected 200, got 404"):
        expect(answer(404, {"title": "Not Found"}), 200)
    with pytest.raises(AssertionError, match="no problem details"):
        expect(answer(404, {"message": "Not Found"}), 404)


def test_an_answer_that_takes_too_long_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _bounded(lambda: answer(200, {}), 200)["status"] == 200
    monkeypatch.setattr("journeys._microservices_failures.LONGEST_SECONDS", -1.0)
    with pytest.raises(AssertionError, match="answered after"):
        _bounded(lambda: answer(200, {}), 200)
    with pytest.raises(AssertionError, match="expected \\(503, 504\\), got 200"):
        _bounded(lambda: answer(200, {}), (503, 504))


@pytest.fixture
def hanging() -> Iterator[str]:
    end = threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Hanging", (_Hanging,), {"end": end})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        end.set()
        server.shutdown()


def test_the_hanging_server_looks_well_and_never_answers(hanging: str) -> None:
    with urllib3.PoolManager(retries=False, timeout=0.5) as pool:
        assert pool.request("GET", f"{hanging}/health", timeout=5).status == 200
        with pytest.raises(urllib3.exceptions.ReadTimeoutError):
            pool.request("GET", f"{hanging}/customers/1")


class _Outside(Saying):
    """A world from which service 3 cannot be reached."""

    token = "t0"

    def __init__(self) -> None:
        self.said: list[str] = []
        self.out: dict[str, str] = dict.fromkeys(microservices.READS, "https://example.com")
        self.servers = SimpleNamespace(of_service=lambda *_: [1], of_group=lambda *_: [1])


class _Services:
    def __init__(self, _world: Any) -> None: ...

    def orders(self, *_: Any, **__: Any) -> Response:
        return Response(200, {}, b"{}")

    def put(self, *_: Any, **__: Any) -> Response:
        return Response(201, {}, b"{}")

    def customers(self, *_: Any, **__: Any) -> Response:
        raise NotRunError("inside the VPC")


def test_from_outside_the_vpc_what_takes_a_customer_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microservices, "Services", _Services)
    world: Any = _Outside()
    microservices.run(world)
    assert [one.rpartition(": ")[2] for one in world.said] == ["inside the VPC", "run this from there"]
