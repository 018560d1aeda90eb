"""The catalog's API over events of API Gateway, with table and cache in memory."""

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog_api import connections
from catalog_api import handler as api
from catalog_api.cache import Cache
from catalog_api.rules import MAX_PRICE, MAX_STOCK
from catalog_api.store import Store
from tests.functions.catalog_fakes import Context, FakeRedis, FakeTable, request

TEA = {"name": "Tea", "price": 250, "stock": 9}
KEPT_TEA = {"sku": "tea", **TEA}


@dataclass
class Shop:
    table: FakeTable
    cache: FakeRedis


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop(FakeTable(), FakeRedis())
    cache = Cache(lambda: made.cache, seconds=300, unknown_seconds=30, clock=made.cache.clock, jitter=lambda: 1.0)
    store = Store("products", made.table)
    monkeypatch.setattr(connections, "products", lambda: cache)
    monkeypatch.setattr(connections, "store", lambda: store)
    return made


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def cache(self) -> str | None:
        return self.headers.get("X-Cache")


def ask(method: str, path: str, **more: Any) -> Answer:
    """The answer; a refusal must be problem details."""
    said = api.handler(request(method, path, **more), Context())
    headers = {name: ",".join(values) for name, values in said["multiValueHeaders"].items()}
    body: Any = json.loads(said["body"]) if said["body"] else None
    if said["statusCode"] >= 400:
        assert body["status"] == said["statusCode"]
        assert body["correlationId"] == headers["X-Correlation-Id"]
        assert "application/problem+json" in headers["Content-Type"]
    return Answer(said["statusCode"], body, headers)


def test_a_product_is_missed_then_hit_then_changed(shop: Shop) -> None:
    assert ask("PUT", "/products/tea", body=TEA).status == 201
    shop.cache.clock.now += 10
    first, second = ask("GET", "/products/tea"), ask("GET", "/products/tea")
    assert [(one.status, one.cache, one.body) for one in (first, second)] == [
        (200, "miss", KEPT_TEA),
        (200, "hit", KEPT_TEA),
    ]
    assert shop.table.reads == 1
    changed = ask("PUT", "/products/tea", body={**TEA, "price": 300})
    assert (changed.status, changed.body["price"]) == (200, 300)
    third = ask("GET", "/products/tea")
    assert (third.cache, third.body["price"]) == ("miss", 300)


def test_that_there_is_none_is_kept_too_until_there_is_one(shop: Shop) -> None:
    answers = [ask("GET", "/products/tea") for _ in range(2)]
    assert [(one.status, one.cache) for one in answers] == [(404, "miss"), (404, "hit")]
    assert shop.table.reads == 1
    assert ask("PUT", "/products/tea", body=TEA).status == 201
    assert ask("GET", "/products/tea").status == 200


def test_without_its_cache_it_asks_the_table(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    ask("PUT", "/products/tea", body=TEA)
    shop.cache.broken = True
    answers = [ask("GET", "/products/tea") for _ in range(2)]
    assert [(one.status, one.cache) for one in answers] == [(200, "error"), (200, "bypass")]
    assert shop.table.reads == 2
    assert ask("PUT", "/products/tea", body=TEA).status == 200
    (metric,) = [line for line in capsys.readouterr().out.splitlines() if '"CacheErrors"' in line]
    found = json.loads(metric)
    assert (found["CacheErrors"], found["function_name"]) == ([1.0], "catalog")
    (dimensions,) = found["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
    assert sorted(dimensions) == ["function_name", "service"], "its alarm looks for these"


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "InternalServerError", "Message": "no"}}, "GetItem"),
        ConnectTimeoutError(endpoint_url="https://dynamodb"),
    ],
)
def test_without_its_table_it_says_when_to_come_back(shop: Shop, error: Exception) -> None:
    shop.table.error = error
    for answer in (ask("GET", "/products/tea"), ask("PUT", "/products/tea", body=TEA)):
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert shop.cache.kept == {}, "a failure was kept as an answer"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**TEA, "price": -1}, "price"),
        ({**TEA, "price": 2.5}, "price"),
        ({**TEA, "price": "250"}, "price"),
        ({**TEA, "price": MAX_PRICE + 1}, "price"),
        ({**TEA, "stock": MAX_STOCK + 1}, "stock"),
        ({**TEA, "name": " "}, "name"),
        ({**TEA, "name": "x" * 201}, "name"),
        ({**TEA, "sku": "other"}, "sku"),
        ({"name": "Tea", "price": 1}, "stock"),
        ("{", "body"),
        ("[]", "body"),
    ],
)
def test_a_wrong_field_is_named(shop: Shop, body: Any, field: str) -> None:
    answer = ask("PUT", "/products/tea", body=body)
    assert answer.status == 400
    assert [one["field"] for one in answer.body["errors"]] == [field]
    assert all(one["rule"] for one in answer.body["errors"])
    assert shop.table.items == {}


@pytest.mark.parametrize("path", ["/products/a%20b", "/products/" + "x" * 65, "/products/order#1", "/elsewhere", "/"])
def test_what_there_is_not_is_404(shop: Shop, path: str) -> None:
    assert ask("GET", path).status == 404
    assert shop.table.reads == 0


def test_a_body_that_is_too_large_or_something_else_is_refused(shop: Shop) -> None:
    padded = json.dumps(TEA) + " " * api.MAX_BODY_BYTES
    assert ask("PUT", "/products/tea", body=padded).status == 413
    assert ask("PUT", "/products/tea", body="name=Tea", headers={"Content-Type": "text/plain"}).status == 415
    assert ask("PUT", "/products/tea", body='{"a":' * 5000 + "1" + "}" * 5000).status == 400
    assert shop.table.items == {}


@pytest.mark.parametrize(
    ("given_id", "taken"), [("order-1.a_b", True), ("x" * 128, True), ("", False), ("x" * 129, False), ("a\nb", False)]
)
def test_the_correlation_id_is_taken_over_and_logged(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, given_id: str, taken: bool
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(api.logger.registered_handler, "stream", log)
    answer = ask("GET", "/products/tea", headers={"X-Correlation-Id": given_id})
    found = answer.headers["X-Correlation-Id"]
    assert (found == given_id) is taken
    lines = [json.loads(line) for line in log.getvalue().splitlines() if '"answered"' in line]
    assert [line["correlation_id"] for line in lines] == [found]


def test_the_next_request_has_an_id_of_its_own(shop: Shop) -> None:
    ids = {ask("GET", "/products/tea").headers["X-Correlation-Id"] for _ in range(3)}
    assert len(ids) == 3


def test_the_document_is_served(shop: Shop) -> None:
    answer = ask("GET", "/openapi.json")
    assert (answer.status, answer.body["openapi"][:2]) == (200, "3.")


@given(
    st.fixed_dictionaries(
        {
            "name": st.text(min_size=1, max_size=200).filter(str.strip),
            "price": st.integers(0, MAX_PRICE),
            "stock": st.integers(0, MAX_STOCK),
        }
    )
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_put_is_what_is_read_from_table_and_cache(shop: Shop, product: dict[str, Any]) -> None:
    shop.cache.kept.clear()
    written = ask("PUT", "/products/any", body=product)
    assert written.status in {200, 201}
    shop.cache.clock.now += 10
    first, second = ask("GET", "/products/any"), ask("GET", "/products/any")
    assert first.body == second.body == written.body
    assert second.cache == "hit"
