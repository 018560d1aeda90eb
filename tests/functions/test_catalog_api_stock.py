"""An order is taken from stock once, however often it is delivered; what cannot be taken ends in the dead letters."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from catalog_api import connections, stock
from catalog_api.cache import Cache
from catalog_api.rules import OrderPlaced
from catalog_api.store import Store
from tests.functions.catalog_fakes import Context, FakeRedis, FakeTable, message
from tests.functions.test_catalog_api_handler import Shop

ORDER = {
    "kind": "order-placed",
    "id": "order-placed#o1",
    "orderId": "o1",
    "correlationId": "c-1",
    "total": 500,
    "items": [{"sku": "tea", "quantity": 2}, {"sku": "cup", "quantity": 1}, {"sku": "tea", "quantity": 1}],
}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop(FakeTable(), FakeRedis())
    cache = Cache(lambda: made.cache, seconds=300, unknown_seconds=30, clock=made.cache.clock)
    store = Store("products", made.table, now=lambda: 1000.5)
    monkeypatch.setattr(connections, "products", lambda: cache)
    monkeypatch.setattr(connections, "store", lambda: store)
    for sku, pieces in (("tea", 9), ("cup", 1)):
        made.table.items[sku] = {
            "sku": {"S": sku},
            "name": {"S": sku},
            "price": {"N": "1"},
            "stock": {"N": str(pieces)},
        }
    return made


def deliver(*bodies: Any) -> list[str]:
    """Ids of the messages that failed."""
    records = [message(body, f"m{number}") for number, body in enumerate(bodies)]
    answer = stock.handler({"Records": records}, Context())
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def left(shop: Shop, sku: str) -> int:
    return int(shop.table.items[sku]["stock"]["N"])


def test_an_order_is_taken_once_however_often_it_is_delivered(shop: Shop) -> None:
    assert deliver(ORDER, ORDER) == []
    assert deliver({**ORDER, "id": "another-delivery"}) == []
    assert (left(shop, "tea"), left(shop, "cup")) == (6, 0)
    assert shop.table.items["order#o1"]["expires"] == {"N": str(1000 + 30 * 86_400)}


def test_what_was_kept_of_its_products_is_out_of_date(shop: Shop) -> None:
    deliver(ORDER)
    assert {key: value[0] for key, value in shop.cache.kept.items()} == {
        "product:v1:tea": "changed",
        "product:v1:cup": "changed",
    }


def test_without_a_cache_the_order_is_taken_all_the_same(shop: Shop) -> None:
    shop.cache.broken = True
    assert deliver(ORDER) == []
    assert left(shop, "tea") == 6


@pytest.mark.parametrize(
    "poison",
    [
        "no json",
        {},
        {**ORDER, "kind": "something-else"},
        {**ORDER, "items": []},
        {**ORDER, "items": [{"sku": "tea", "quantity": 0}]},
        {**ORDER, "items": [{"sku": "tea#1", "quantity": 1}]},
        {**ORDER, "orderId": "o#1"},
        {**ORDER, "items": [{"sku": "cup", "quantity": 2}]},
        {**ORDER, "items": [{"sku": "unknown", "quantity": 1}, {"sku": "tea", "quantity": 1}]},
    ],
)
def test_poison_fails_alone(shop: Shop, poison: Any) -> None:
    good = {**ORDER, "orderId": "o2"}
    assert deliver(poison, good) == ["m0"]
    assert left(shop, "tea") == 6, "all of an order, or nothing"


def test_what_may_pass_is_tried_again(shop: Shop) -> None:
    shop.table.error = ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "TransactWriteItems")
    assert deliver(ORDER) == ["m0"]
    shop.table.error = None
    assert deliver(ORDER) == []


def test_the_log_has_the_order_and_its_correlation_id(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(stock.logger.registered_handler, "stream", log)
    deliver(ORDER, {**ORDER, "correlationId": None})
    lines = [json.loads(line) for line in log.getvalue().splitlines() if '"order ' in line]
    assert [(line["message"], line["order_id"], line.get("correlation_id")) for line in lines] == [
        ("order taken from stock", "o1", "c-1"),
        ("order known", "o1", None),
    ]


def test_quantities_of_one_sku_are_added_up() -> None:
    assert OrderPlaced.model_validate(ORDER).quantities() == {"cup": 1, "tea": 3}
