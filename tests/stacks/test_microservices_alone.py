"""Each of the three services can be deployed without the others, and is the same with them but for its relations."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import aws_cdk as cdk
import pytest
from constructs import Construct

from constructs_lib import TieredNetwork
from stacks._domain import Domain
from stacks._microservices_catalog import Catalog
from stacks._microservices_customers import Customers
from stacks._microservices_orders import Orders
from stacks.settings import Settings
from tests.templates import NO_BUNDLING, Template, flags, scratch, synthesized, template

SERVICES: Mapping[str, Callable[..., Construct]] = {
    "Orders": lambda *place, **given: Orders(
        *place,
        catalog_url="https://catalog.microservices.example.com",
        customers_url="https://customers.microservices.example.com",
        **given,
    ),
    "Catalog": Catalog,
    "Customers": Customers,
}


@cache
def alone(name: str) -> Template:
    app = cdk.App(context={**flags(), **NO_BUNDLING}, outdir=str(scratch()))
    stack, settings = cdk.Stack(app, "Microservices"), Settings()
    domain = Domain(stack, "Domain", key="microservices", settings=settings)
    SERVICES[name](stack, name, vpc=TieredNetwork(stack, "Network").vpc, domain=domain, settings=settings)
    return synthesized(stack)


# What a service has only together with the others, or has otherwise then, by how its logical id begins: a right to ask
# the catalog, where orders are published and heard, and who hears of the database. Beside that, alarms have listeners.
RELATIONS = {
    "Orders": {
        "OrdersServiceTaskTaskRoleDefaultPolicy",
        "OrdersPublisherRoleDefaultPolicy",
        "OrdersPublisherFunction",
        "OrdersPublisherFunctionDynamoDBEventSource",
    },
    "Catalog": {"CatalogStockRoleDefaultPolicy", "CatalogStockFunctionSqsEventSource"},
    "Customers": {"CustomersDatabaseEvents"},
}
SHARED = ("Network", "Domain", "DependencyLayers")
ALARM = "AWS::CloudWatch::Alarm"


def needs_nobody(name: str, found: Template, whole: Template) -> None:
    foreign = [one for one in found["Resources"] if not one.startswith((name, *SHARED))]
    assert not foreign, f"it has others' resources: {foreign}"
    unknown = sorted(found["Resources"].keys() - whole["Resources"].keys())
    assert not unknown, f"together with the others it is another one: {unknown}"


def is_the_same(name: str, found: Template, whole: Template) -> None:
    there = found["Resources"]
    other = [
        logical_id
        for logical_id, one in whole["Resources"].items()
        if logical_id.startswith(name) and one["Type"] != ALARM and plain(one) != plain(there.get(logical_id, {}))
    ]
    seen = {begin for begin in RELATIONS[name] if any(one.startswith(begin) for one in other)}
    more = [one for one in other if not one.startswith(tuple(RELATIONS[name]))]
    assert not more, f"the others change it: {more}"
    assert seen == RELATIONS[name], f"there is no such relation: {sorted(RELATIONS[name] - seen)}"


def plain(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "Metadata"}


@pytest.mark.parametrize("holds", [needs_nobody, is_the_same])
@pytest.mark.parametrize("name", SERVICES)
def test_each_service_stands_alone(name: str, holds: Callable[[str, Template, Template], None]) -> None:
    holds(name, alone(name), template("microservices"))


def test_a_service_that_needs_another_would_be_seen() -> None:
    whole, orders = template("microservices"), alone("Orders")
    with pytest.raises(AssertionError, match="others' resources"):
        needs_nobody("Orders", whole, whole)
    with pytest.raises(AssertionError, match="it is another one"):
        needs_nobody("Orders", {"Resources": orders["Resources"] | {"OrdersOther": {}}}, whole)


def test_a_service_that_others_change_would_be_seen() -> None:
    whole, orders = template("microservices"), alone("Orders")
    (table,) = [one for one in orders["Resources"] if one.startswith("OrdersTable")]
    whole["Resources"][table]["Properties"]["BillingMode"] = "PROVISIONED"
    with pytest.raises(AssertionError, match=r"the others change it: .*OrdersTable"):
        is_the_same("Orders", orders, whole)
    with pytest.raises(AssertionError, match="there is no such relation"):
        is_the_same("Orders", orders, orders)
