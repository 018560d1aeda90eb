"""orders_service, over its table and two neighbours that can be bad."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from orders_service import neighbours as orders_neighbours
from orders_service import store as orders_store
from orders_service.app import application
from orders_service.neighbours import neighbours
from orders_service.settings import Settings
from service_kit import clients
from service_kit.settings import ServerSettings
from tests.servers import fake_aws, fake_service, processes
from tests.servers.asking import ask, using
from tests.servers.fake_service import FakeService
from tests.servers.ports import free_port

CUSTOMER = str(uuid.UUID(int=7))
ORDER = {"customerId": CUSTOMER, "items": [{"sku": "TEA-1", "quantity": 2}, {"sku": "POT_2", "quantity": 1}]}
Make = Callable[[], FastAPI]
EVENT_NEEDS = {"orderId", "customerId", "items", "total", "createdAt", "correlationId"}
# As they are, before the tests become more patient.
CATALOG_PATIENCE = orders_neighbours._CATALOG_READ_SECONDS, orders_neighbours._CATALOG_TOTAL_SECONDS
USUAL_PATIENCE = clients.READ_SECONDS
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[FakeService, FakeService]]:
    with fake_service.running() as first, fake_service.running() as second:
        yield first, second


@pytest.fixture
def catalog(services: tuple[FakeService, FakeService]) -> FakeService:
    products = [
        {"sku": "TEA-1", "name": "Tea", "price": 450, "stock": 9},
        {"sku": "POT_2", "name": "Pot", "price": 2999, "stock": 1},
    ]
    return _well(services[0], {f"/prod/products/{one['sku']}": one for one in products})


@pytest.fixture
def customers(services: tuple[FakeService, FakeService]) -> FakeService:
    return _well(
        services[1], {f"/customers/{CUSTOMER}": {"id": CUSTOMER, "name": "Ada", "rewardPoints": 5}, "/health": {}}
    )


def _well(service: FakeService, content: dict[str, Any]) -> FakeService:
    service.content = content
    service.failures.clear()
    service.asked.clear()
    return service


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other tests is no neighbour that hangs."""
    monkeypatch.setattr(clients, "READ_SECONDS", 10)
    monkeypatch.setattr(clients, "TOTAL_SECONDS", 20)
    monkeypatch.setattr(orders_neighbours, "_CATALOG_READ_SECONDS", 10)
    monkeypatch.setattr(orders_neighbours, "_CATALOG_TOTAL_SECONDS", 20)
    monkeypatch.setattr(orders_store, "_CALL_SECONDS", 10)
    monkeypatch.setattr(orders_store, "_TOTAL_SECONDS", 20)


@pytest.fixture
def table(aws: fake_aws.FakeAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, dict[str, Any]]]:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    for name, value in (processes.AWS | {"AWS_ENDPOINT_URL": aws.url}).items():
        monkeypatch.setenv(name, value)
    aws.tables["orders"] = {}
    aws.calls.clear()
    yield aws.tables["orders"]
    aws.failures.clear()


@pytest.fixture
def app(table: object, catalog: FakeService, customers: FakeService) -> Make:
    return _app(catalog.url, customers.url)


def _app(catalog: str, customers: str) -> Make:
    """Makes the application for each request: its connections belong to one event loop."""
    settings = Settings(
        aws_region="eu-central-1",
        orders_table="orders",
        catalog_url=f"{catalog}/prod/",
        customers_url=customers,
        request_seconds=40,
    )
    orders = orders_store.store(settings.orders_table, settings.aws_region)
    return lambda: application(settings, orders, neighbours(settings))


def _placing(key: str | None = "k-1", order: Any = ORDER, correlation: str = "c-1") -> dict[str, Any]:
    headers = {"X-Correlation-Id": correlation} | ({} if key is None else {"Idempotency-Key": key})
    return {"method": "POST", "path": "/orders", "json": order, "headers": headers}


def _place(app: Make, **given: Any) -> httpx.Response:
    return ask(app(), **_placing(**given))


def _at_once(app: Make, *requests: dict[str, Any]) -> list[httpx.Response]:
    """The answers of one server to requests that come together."""

    async def asked(client: httpx.AsyncClient) -> list[httpx.Response]:
        async def answer(method: str, path: str, **request: Any) -> httpx.Response:
            return await client.request(method, path, **request)

        return await asyncio.gather(*(answer(**one) for one in requests))

    return using(app(), asked)


def test_an_order_is_placed_at_the_prices_of_the_catalog(app: Make, table: dict[str, dict[str, Any]]) -> None:
    answer = _place(app)
    identity = answer.json()["orderId"]
    assert (answer.status_code, answer.json()) == (201, {"orderId": identity, "total": 3899, "status": "placed"})
    assert answer.headers["Location"] == f"/orders/{identity}"
    item = table[identity]
    assert item.keys() == {
        "orderId",
        "customerId",
        "items",
        "total",
        "status",
        "createdAt",
        "correlationId",
        "fingerprint",
    }
    assert (item["total"], item["correlationId"], item["customerId"]) == ({"N": "3899"}, {"S": "c-1"}, {"S": CUSTOMER})
    assert item["items"]["L"][0] == {"M": {"sku": {"S": "TEA-1"}, "quantity": {"N": "2"}, "price": {"N": "450"}}}


def test_the_neighbours_are_asked_under_the_same_correlation_id(
    app: Make, catalog: FakeService, customers: FakeService
) -> None:
    _place(app, correlation="through-all")
    assert {one.headers["x-correlation-id"] for one in catalog.asked + customers.asked} == {"through-all"}
    assert all("eu-central-1/execute-api" in one.headers["authorization"] for one in catalog.asked)
    assert not any("authorization" in one.headers for one in customers.asked)


def test_the_same_key_places_nothing_twice(app: Make, table: dict[str, Any], catalog: FakeService) -> None:
    first = _place(app)
    catalog.content.clear()
    again = _place(app, correlation="c-2")
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(table) == 1
    assert _place(app, key="k-2").status_code == 400, "the catalog is empty now"


def test_the_same_key_with_another_order_is_refused(app: Make, table: dict[str, Any]) -> None:
    _place(app)
    other = _place(app, order=ORDER | {"items": [{"sku": "TEA-1", "quantity": 3}]})
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert len(table) == 1


def test_of_those_who_come_at_once_with_the_same_key_one_places(app: Make, table: dict[str, Any]) -> None:
    answers = _at_once(app, *(_placing(correlation=f"c-{number}") for number in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.text for answer in answers}) == len(table) == 1


def test_a_write_whose_answer_was_lost_is_still_the_first(
    app: Make, aws: fake_aws.FakeAws, table: dict[str, Any]
) -> None:
    put = aws._put

    def lost(request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        aws._put = put  # type: ignore[method-assign]
        put(request)
        return 500, {"__type": "InternalServerError", "message": "after it was written"}

    aws._put = lost  # type: ignore[method-assign]
    assert _place(app).status_code == 201
    assert (len(table), aws.calls.count("PutItem")) == (1, 2)


@pytest.mark.parametrize(
    ("key", "change", "field"),
    [
        (None, {}, "Idempotency-Key"),
        ("", {}, "Idempotency-Key"),
        ("x" * 129, {}, "Idempotency-Key"),
        ("k", {"customerId": "7"}, "customerId"),
        ("k", {"customerId": str(uuid.UUID(int=8))}, "customerId"),
        ("k", {"items": []}, "items"),
        ("k", {"items": [{"sku": "TEA-1", "quantity": 1}] * 2}, "body"),
        ("k", {"items": [{"sku": f"S{number}", "quantity": 1} for number in range(51)]}, "items"),
        ("k", {"items": [{"sku": "TEA-1", "quantity": 0}]}, "items.0.quantity"),
        ("k", {"items": [{"sku": "TEA-1", "quantity": 101}]}, "items.0.quantity"),
        ("k", {"items": [{"sku": "TEA-1", "quantity": True}]}, "items.0.quantity"),
        ("k", {"items": [{"sku": "../x", "quantity": 1}]}, "items.0.sku"),
        ("k", {"items": [{"sku": "TEA-1", "quantity": 1}, {"sku": "NONE", "quantity": 1}]}, "items.1.sku"),
        ("k", {"price": 1}, "price"),
    ],
)
def test_what_breaks_a_rule_is_named(
    app: Make, table: dict[str, Any], key: str | None, change: Any, field: str
) -> None:
    refused = _place(app, key=key, order=ORDER | change)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, field)
    assert table == {}


def test_an_order_is_shown_with_its_customer_and_products(app: Make) -> None:
    where = _place(app).headers["Location"]
    shown = ask(app(), "GET", where).json()
    assert shown["customer"] == {"id": CUSTOMER, "name": "Ada", "rewardPoints": 5}
    assert [product["name"] for product in shown["products"]] == ["Tea", "Pot"]
    assert shown["degraded"] == []
    assert shown["items"] == [
        {"sku": "TEA-1", "quantity": 2, "price": 450},
        {"sku": "POT_2", "quantity": 1, "price": 2999},
    ]
    assert {"fingerprint", "correlationId"} & shown.keys() == set()


@pytest.mark.parametrize("identity", [str(uuid.UUID(int=9)), "7"])
def test_an_order_that_is_not_there_is_not_found(app: Make, identity: str) -> None:
    assert ask(app(), "GET", f"/orders/{identity}").status_code == 404


def test_a_bad_moment_of_a_neighbour_is_not_seen(app: Make, catalog: FakeService, customers: FakeService) -> None:
    catalog.failures += [(502, {})]
    customers.failures += [(500, {})] * 2
    assert _place(app).status_code == 201


@pytest.mark.parametrize("away", ["customers", "catalog"])
def test_without_a_neighbour_orders_are_shown_but_not_placed(
    app: Make, catalog: FakeService, customers: FakeService, table: dict[str, Any], away: str
) -> None:
    where = _place(app).headers["Location"]
    nobody = f"http://127.0.0.1:{free_port()}"
    alone = _app(nobody if away == "catalog" else catalog.url, nobody if away == "customers" else customers.url)
    shown = ask(alone(), "GET", where)
    assert (shown.status_code, shown.json()["degraded"]) == (200, [away])
    assert (shown.json()["customer"] is None, shown.json()["products"] is None) == (
        away == "customers",
        away == "catalog",
    )
    refused = _place(alone, key="k-2")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert away in refused.json()["detail"]
    assert _place(alone).status_code == 200, "what was placed is found without them"
    assert len(table) == 1
    ready = ask(alone(), "GET", "/ready")
    assert ready.json()["dependencies"] == {"orders": "up", "catalog": "up", "customers": "up"} | {away: "down"}


def test_a_neighbour_that_hangs_does_not_hang_its_callers(
    app: Make, customers: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = _place(app).headers["Location"]
    monkeypatch.setattr(clients, "READ_SECONDS", 0.2)
    monkeypatch.setattr(clients, "TOTAL_SECONDS", 0.5)
    began = time.monotonic()
    with customers.hanging():
        shown, refused = _at_once(app, {"method": "GET", "path": where}, _placing(key="k-2"))
    assert (shown.status_code, shown.json()["degraded"]) == (200, ["customers"])
    assert (refused.status_code, refused.headers["Retry-After"]) == (504, "5")
    assert time.monotonic() - began < 5


def test_a_catalog_that_has_to_be_started_is_waited_for_and_asked_once(
    app: Make, catalog: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "READ_SECONDS", 0.2)
    monkeypatch.setattr(clients, "TOTAL_SECONDS", 0.5)
    request = _placing(order=ORDER | {"items": [{"sku": "TEA-1", "quantity": 1}]})

    async def work(client: httpx.AsyncClient) -> httpx.Response:
        with catalog.hanging():
            placed = asyncio.create_task(client.request(request.pop("method"), request.pop("path"), **request))
            assert await asyncio.to_thread(catalog.waited_for.wait, 30), "it was not asked"
            done, _ = await asyncio.wait({placed}, timeout=1)
            assert not done, "it was given up"
        return await placed

    assert using(app(), work).status_code == 201
    assert [one.path for one in catalog.asked] == ["/prod/products/TEA-1"]


def test_its_patience_ends_before_that_of_its_own_callers() -> None:
    one, whole = CATALOG_PATIENCE
    assert USUAL_PATIENCE < one < whole < ServerSettings().request_seconds


def test_a_neighbour_that_talks_nonsense_is_not_believed(
    app: Make, catalog: FakeService, table: dict[str, Any]
) -> None:
    where = _place(app).headers["Location"]
    catalog.content["/prod/products/TEA-1"] = {"sku": "TEA-1", "name": "Tea", "price": "free"}
    assert _place(app, key="k-2").status_code == 503
    assert ask(app(), "GET", where).json()["degraded"] == ["catalog"]
    assert len(table) == 1


def test_a_customer_who_is_gone_is_no_failure(app: Make, customers: FakeService) -> None:
    where = _place(app).headers["Location"]
    customers.content.clear()
    shown = ask(app(), "GET", where).json()
    assert (shown["customer"], shown["degraded"]) == (None, [])


def test_a_table_that_is_busy_is_said(app: Make, aws: fake_aws.FakeAws) -> None:
    aws.failures += [(500, "InternalServerError")] * 3
    refused = ask(app(), "GET", f"/orders/{uuid.uuid4()}")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")


def test_a_table_that_refuses_us_is_our_fault(app: Make, aws: fake_aws.FakeAws) -> None:
    aws.failures += [(400, "AccessDeniedException")]
    refused = ask(app(), "GET", f"/orders/{uuid.uuid4()}")
    assert (refused.status_code, "AccessDenied" in refused.text) == (500, False)


def test_the_document_names_every_refusal(app: Make) -> None:
    place = ask(app(), "GET", "/openapi.json").json()["paths"]["/orders"]["post"]
    assert {"200", "201", "400", "408", "413", "422", "500", "503", "504"} == place["responses"].keys()
    (key,) = place["parameters"]
    assert (key["name"], key["in"], key["required"]) == ("Idempotency-Key", "header", True)
