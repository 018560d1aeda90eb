"""What the fan-out's consumer takes for an event, and which it can use."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fanout_consumer.rules import Item, Movement, OrderEvent, RefusedError, read, usable
from stacks.sns_fanout import NEEDS, ORDER_SUBSCRIBERS

ORDER: dict[str, Any] = {
    "kind": "order",
    "id": "e-1",
    "order": "o-1",
    "total": 1200,
    "customer": {"tier": "gold"},
    "items": [{"sku": "tea", "quantity": 2}],
    "address": "Here 1",
}
MOVEMENT: dict[str, Any] = {"kind": "movement", "id": "e-1", "sku": "tea", "change": -2}
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
EVENTS = st.one_of(
    st.builds(
        OrderEvent,
        kind=st.just("order"),
        id=IDS,
        order=IDS,
        items=st.lists(st.builds(Item, sku=IDS, quantity=st.integers(1, 1000)), max_size=3),
        address=st.none() | st.text(min_size=1, max_size=200),
    ),
    st.builds(Movement, kind=st.just("movement"), id=IDS, sku=IDS, change=st.integers(-1000, 1000)),
)


@pytest.mark.parametrize(
    ("good", "change", "rule"),
    [
        (ORDER, {"kind": "parcel"}, "does not match any of the expected tags: 'order', 'movement'"),
        (ORDER, {"id": ""}, "order.id\n.*match pattern"),
        (ORDER, {"id": "group#tea"}, "order.id\n.*match pattern"),
        (ORDER, {"id": "x" * 65}, "order.id\n.*match pattern"),
        (ORDER, {"total": -1}, "order.total\n.*greater than or equal to 0"),
        (ORDER, {"total": "12"}, "order.total\n.*valid integer"),
        (ORDER, {"customer": {"tier": "iron"}}, "order.customer.tier\n.*'gold', 'silver' or 'basic'"),
        (ORDER, {"customer": {}}, "order.customer.tier\n.*required"),
        (ORDER, {"items": [{"sku": "tea", "quantity": 0}]}, "order.items.0.quantity\n.*greater than or equal to 1"),
        (ORDER, {"items": [{"sku": "tea", "quantity": 1}] * 101}, "order.items\n.*at most 100 items"),
        (ORDER, {"address": ""}, "order.address\n.*at least 1 character"),
        (ORDER, {"colour": "red"}, "order.colour\n.*not permitted"),
        (MOVEMENT, {"sku": "a b"}, "movement.sku\n.*match pattern"),
        (MOVEMENT, {"change": 1001}, "movement.change\n.*less than or equal to 1000"),
        (MOVEMENT, {"change": 1.5}, "movement.change\n.*valid integer"),
        (MOVEMENT, {"total": 1}, "movement.total\n.*not permitted"),
    ],
)
def test_an_event_that_breaks_a_rule_is_refused_with_the_field_and_the_rule(
    good: dict[str, Any], change: dict[str, Any], rule: str
) -> None:
    read(json.dumps(good))
    with pytest.raises(ValidationError, match=rule):
        read(json.dumps(good | change))


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"text"', "{}"])
def test_what_is_no_event_is_refused(body: str) -> None:
    with pytest.raises(ValidationError):
        read(body)


@given(EVENTS)
def test_an_event_comes_out_of_a_message_as_it_went_in(event: OrderEvent | Movement) -> None:
    assert read(event.model_dump_json()) == event


@given(st.binary())
def test_no_bytes_do_anything_but_be_an_event_or_be_refused(noise: bytes) -> None:
    with pytest.raises(ValidationError):
        read(noise.decode(errors="replace"))


@pytest.mark.parametrize(
    ("change", "needs", "says"),
    [
        ({}, {"items", "address"}, None),
        ({"address": None}, {"items"}, None),
        ({"address": None}, {"address"}, "address: must be given for this consumer, order event 'e-1' has none"),
        ({"items": []}, {"items"}, "items: must be given for this consumer, order event 'e-1' has none"),
        ({"items": [], "address": None}, {"items", "address"}, "address: must be given for this consumer"),
        ({"items": [], "address": None}, set(), None),
    ],
)
def test_a_consumer_refuses_an_order_without_what_it_needs(
    change: dict[str, Any], needs: Any, says: str | None
) -> None:
    event = read(json.dumps(ORDER | change))
    if says is None:
        usable(event, needs=needs, group=None)
    else:
        with pytest.raises(RefusedError, match=f"^{says}"):
            usable(event, needs=needs, group=None)


@pytest.mark.parametrize(("group", "good"), [("tea", True), (None, True), ("coffee", False), ("", False)])
def test_a_movement_must_come_in_the_group_of_its_sku(group: str | None, good: bool) -> None:
    event = read(json.dumps(MOVEMENT))
    if good:
        usable(event, needs=frozenset({"items"}), group=group)
    else:
        with pytest.raises(RefusedError, match=f"^MessageGroupId: must be the sku 'tea', .* got '{group}'"):
            usable(event, needs=frozenset(), group=group)


def test_what_the_stack_says_consumers_need_are_parts_of_an_order() -> None:
    assert {part for parts in NEEDS.values() for part in parts} <= OrderEvent.model_fields.keys()
    assert NEEDS.keys() <= {subscriber.name for subscriber in ORDER_SUBSCRIBERS}
