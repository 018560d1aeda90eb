"""Tests that share what is costly run in one worker, those of scenarios first."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.scheduling import scenarios_first, scope

JOURNEYS = "tests/journeys/test_scenarios.py"


@pytest.mark.parametrize(
    ("nodeid", "unit"),
    [
        (f"{JOURNEYS}::test_the_journey_passes[order-queue]", "scenario order-queue"),
        (f"{JOURNEYS}::test_every_grant_is_used[order-queue]", "scenario order-queue"),
        (f"{JOURNEYS}::test_the_journey_passes[sns-fanout]", "scenario sns-fanout"),
        ("tests/web/test_blog.py::test_readers_find_and_read_posts", "scenario my-blog"),
        ("tests/stacks/test_snapshots.py::test_template[order-queue]", "tests/stacks/test_snapshots.py"),
        ("tests/repo/test_rules.py::test_it[a::b]", "tests/repo/test_rules.py"),
        ("tests/servers/test_customers_service.py::test_it[a]", "customers"),
        ("tests/servers/test_customers_service_rules.py::test_it", "customers"),
        ("tests/servers/test_clients_from_documents.py::test_customers", "customers"),
        ("tests/servers/test_orders_service.py::test_it", "tests/servers/test_orders_service.py"),
    ],
)
def test_a_test_belongs_to_its_scenario_or_its_file(nodeid: str, unit: str) -> None:
    assert scope(nodeid) == unit


def test_scenarios_come_first_and_all_else_stays_in_order() -> None:
    items: list[Any] = [
        SimpleNamespace(nodeid=one) for one in ("tests/b.py::b", "tests/a.py::a", f"{JOURNEYS}::test_it[x]")
    ]
    scenarios_first(items)
    assert [item.nodeid for item in items] == [f"{JOURNEYS}::test_it[x]", "tests/b.py::b", "tests/a.py::a"]
