"""What a rolling replacement is judged with: who is lost, who only has to come again, and what is kept in the end."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from urllib3.exceptions import ProtocolError

from journeys._http import Response
from journeys._load import load
from journeys._microservices import Services, says_later
from journeys._microservices_replaced import Buyers, settled
from journeys._waiting import Waiting

ORDER = {"customerId": "ada", "items": [{"sku": "rice", "quantity": 1}]}
PROBLEM, PAGE = "application/problem+json", "text/html"


def answer(status: int, body: Any = None, kind: str = "application/json") -> Response:
    return Response(status, {"Content-Type": kind}, json.dumps(body).encode())


LATER, NOBODY_THERE = answer(503, {"title": "later"}, PROBLEM), answer(503, "<html>", PAGE)


class Service:
    """Answers what it is told to at first, and then as it should."""

    def __init__(self, *first: Response | Exception) -> None:
        self.first = list(first)
        self.keys: list[str] = []
        self.looked: list[str] = []
        self.degraded: list[str] = []

    def new_key(self) -> str:
        return f"key-{len(set(self.keys))}"

    def place(self, order: Any, *, key: str) -> Response:
        assert order == ORDER
        self.keys.append(key)
        return self._next() or answer(201, {"orderId": f"order-of-{key}"})

    def orders(self, method: str, path: str) -> Response:
        assert method == "GET"
        self.looked.append(path)
        shown = {"orderId": path.removeprefix("/orders/"), "degraded": self.degraded}
        return self._next() or answer(200, shown)

    def _next(self) -> Response | None:
        first = self.first.pop(0) if self.first else None
        if isinstance(first, Exception):
            raise first
        return first


def buyers(service: Service) -> Buyers:
    world: Any = SimpleNamespace(eventually=Waiting(clock=lambda: 0.0, sleep=lambda _: None).eventually)
    services: Any = service
    return Buyers(world, services, ORDER, "known")


def test_only_the_service_itself_can_say_later() -> None:
    assert says_later(LATER)
    assert says_later(answer(504, {}, PROBLEM))
    assert not any(map(says_later, [NOBODY_THERE, answer(500, {}, PROBLEM), answer(200, {})]))


def test_one_of_three_places_an_order_and_the_others_look_at_the_last_one() -> None:
    service = Service()
    group = buyers(service)
    assert [group.send(number).status for number in (1, 0, 2, 3)] == [200, 201, 200, 201]
    assert service.looked == ["/orders/known", "/orders/order-of-key-0"]
    assert group.placed == ["order-of-key-0", "order-of-key-1"]
    assert (group.later, group.degraded) == (0, 0)


def test_who_is_told_to_come_later_asks_again_with_the_same_key() -> None:
    service = Service(LATER, LATER)
    group = buyers(service)
    assert group.send(0).status == 201
    assert service.keys == ["key-0"] * 3
    assert (group.placed, group.later) == (["order-of-key-0"], 2)


def test_an_order_that_is_shown_without_a_neighbour_is_counted_and_not_lost() -> None:
    service = Service()
    service.degraded = ["catalog"]
    group = buyers(service)
    assert group.send(1).status == 200
    assert group.degraded == 1


def test_another_order_than_was_asked_for_is_seen() -> None:
    with pytest.raises(AssertionError, match="asked for known, got"):
        buyers(Service(answer(200, {"orderId": "other", "degraded": []}))).send(1)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    "first", [NOBODY_THERE, answer(502, "", PAGE), answer(500, {}, PROBLEM), ProtocolError("cut off")]
)
def test_what_a_replacement_loses_is_lost(number: int, first: Response | Exception) -> None:
    group = buyers(Service(first))
    with load(lambda _: group.send(number), per_second=50) as running:
        running.go_on(2)
    assert len(running.report.lost) == 1
    assert group.later == 0


@pytest.mark.parametrize(
    ("placed", "after", "says"),
    [
        (["1", "1"], {"0", "1"}, "two were told of the same order"),
        (["1", "2"], {"0", "1"}, r"placed, and not kept: \['2'\]"),
        (["1"], {"0", "1", "2"}, r"kept, and nobody was told: \['2'\]"),
        (["0"], {"0"}, r"placed, and not kept: \['0'\]"),
    ],
)
def test_what_is_kept_must_be_what_was_placed(placed: list[str], after: set[str], says: str) -> None:
    settled(["1", "2"], before={"0"}, after={"0", "1", "2"})
    with pytest.raises(AssertionError, match=says):
        settled(placed, before={"0"}, after=after)


def test_the_orders_of_a_customer_are_counted_over_all_pages() -> None:
    asked: dict[str, Any] = {}

    def paginate(**request: Any) -> list[dict[str, Any]]:
        asked.update(request)
        return [{"Items": [{"orderId": {"S": "1"}}]}, {"Items": []}, {"Items": [{"orderId": {"S": "2"}}]}]

    client = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate))
    world: Any = SimpleNamespace(
        client=lambda _: client, out={"OrdersTableName": "orders", "MerchantRoleArn": ""}, as_role=lambda _: None
    )
    assert Services(world).kept("ada") == {"1", "2"}
    assert (asked["TableName"], asked["ConsistentRead"]) == ("orders", True)
    assert asked["ExpressionAttributeValues"] == {":customer": {"S": "ada"}}
