"""What must never drift in the three services: who reaches whom, who may what, and what a clone shares with nobody."""

import copy
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from aws_cdk import aws_ec2 as ec2

from catalog_api.rules import MAX_PRICE, MAX_STOCK, NewProduct
from stacks._microservices_catalog import PRODUCT
from tests.stacks.microservices_rules import (
    BALANCER,
    CACHE,
    DATABASE,
    GROUP,
    INGRESS,
    MAPPING,
    METHOD,
    SCALING,
    SERVICE,
    TABLE,
    TARGETS,
    TASK,
    calls_go_by_name,
    each_has_its_own_data,
    health_is_asked,
    only_these_get_in,
    orders_are_news,
    orders_may_only_this,
    releases_are_rolled,
    servers_stand_in_private,
    stores_stand_apart,
    the_catalog_is_signed,
    what_is_kept_outlives_the_stack,
)
from tests.stacks.physical_names import named
from tests.templates import Template, only, resources, scenario_app, scratch, template


@pytest.fixture
def microservices() -> Template:
    return template("microservices")


HOLDS = [
    only_these_get_in,
    stores_stand_apart,
    servers_stand_in_private,
    health_is_asked,
    releases_are_rolled,
    calls_go_by_name,
    orders_may_only_this,
    each_has_its_own_data,
    the_catalog_is_signed,
    orders_are_news,
    what_is_kept_outlives_the_stack,
]
POLICY = "AWS::IAM::Policy"
OPEN = [{"CidrIp": "0.0.0.0/0", "FromPort": 0}]
NETWORK: list[str | int] = ["NetworkConfiguration", "AwsvpcConfiguration"]
STATEMENTS: list[str | int] = ["PolicyDocument", "Statement"]
MUTATIONS: list[tuple[Callable[[Template], None], str, str, list[str | int], Any, str]] = [
    (only_these_get_in, GROUP, "OrdersServiceSecurityGroup", ["SecurityGroupIngress"], OPEN, "others get in"),
    (only_these_get_in, GROUP, "CustomersDatabase", ["SecurityGroupIngress"], OPEN, "others get in"),
    (only_these_get_in, INGRESS, "CatalogApiCache", ["SourceSecurityGroupId"], "sg-1", "others get in"),
    (only_these_get_in, INGRESS, "CustomersServers", ["FromPort"], 22, "others get in"),
    (stores_stand_apart, CACHE, "", ["SubnetIds"], [], "the cache stands"),
    (stores_stand_apart, "AWS::RDS::DBSubnetGroup", "", ["SubnetIds"], [], "the database stands"),
    (stores_stand_apart, DATABASE, "", ["PubliclyAccessible"], True, "public address"),
    (servers_stand_in_private, SERVICE, "", [*NETWORK, "Subnets"], [], "tasks stand in public"),
    (servers_stand_in_private, SERVICE, "", [*NETWORK, "AssignPublicIp"], "ENABLED", "public addresses"),
    (servers_stand_in_private, SCALING, "", ["VPCZoneIdentifier"], [], "instances stand in public"),
    (servers_stand_in_private, BALANCER, "Customers", ["Scheme"], "internet-facing", "face the internet"),
    (health_is_asked, TARGETS, "Customers", ["HealthCheckPath"], "/", "is not asked"),
    (health_is_asked, SCALING, "", ["HealthCheckType"], "EC2", "stays"),
    (releases_are_rolled, SERVICE, "", ["DeploymentConfiguration", "DeploymentCircuitBreaker"], {}, "a bad version"),
    (releases_are_rolled, SERVICE, "", ["DeploymentConfiguration", "MinimumHealthyPercent"], 0, "a gap"),
    (
        calls_go_by_name,
        TASK,
        "",
        ["ContainerDefinitions", 0, "Environment"],
        [{"Name": "CATALOG_URL", "Value": "http://10.0.0.1"}, {"Name": "CUSTOMERS_URL", "Value": ""}],
        "something else",
    ),
    (
        orders_may_only_this,
        POLICY,
        "OrdersServiceTaskTaskRole",
        [*STATEMENTS, 0, "Action"],
        "s3:*",
        "it may",
    ),
    (
        orders_may_only_this,
        POLICY,
        "OrdersServiceTaskTaskRole",
        [*STATEMENTS, 1, "Resource"],
        "arn:aws:execute-api:::api/v1/*",
        "other things with the catalog",
    ),
    (
        each_has_its_own_data,
        POLICY,
        "CatalogAnswers",
        STATEMENTS,
        [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "arn:aws:dynamodb:::table/OrdersT"}],
        "another service's table",
    ),
    (the_catalog_is_signed, METHOD, "", ["AuthorizationType"], "NONE", "anybody may call"),
    (orders_are_news, TABLE, "Orders", ["StreamSpecification"], {}, "nobody hears"),
    (orders_are_news, MAPPING, "OrdersPublisher", ["DestinationConfig"], {}, "is lost"),
    (orders_are_news, MAPPING, "", ["FunctionResponseTypes"], [], "holds up all"),
    (orders_are_news, MAPPING, "OrdersPublisher", ["MaximumRetryAttempts"], 3, "a topic that is away"),
    (orders_are_news, MAPPING, "OrdersPublisher", ["MaximumRecordAgeInSeconds"], 24 * 3600, "a topic that is away"),
    (what_is_kept_outlives_the_stack, DATABASE, "", ["DeletionProtection"], False, "by mistake"),
]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(microservices: Template, holds: Callable[[Template], None]) -> None:
    holds(microservices)


@pytest.mark.parametrize(("holds", "kind", "where", "path", "value", "says"), MUTATIONS)
def test_and_would_be_missed(
    microservices: Template,
    holds: Callable[[Template], None],
    kind: str,
    where: str,
    path: list[str | int],
    value: Any,
    says: str,
) -> None:
    mutant = copy.deepcopy(microservices)
    spoiled = 0
    for name, resource in mutant["Resources"].items():
        if resource["Type"] == kind and name.startswith(where):
            spot: Any = resource["Properties"]
            for step in path[:-1]:
                spot = spot[step]
            spot[path[-1]] = value
            spoiled += 1
    assert spoiled, f"there is no {kind} {where}"
    with pytest.raises(AssertionError, match=says):
        holds(mutant)


def test_what_would_leave_with_the_stack_is_seen(microservices: Template) -> None:
    mutant = copy.deepcopy(microservices)
    for resource in mutant["Resources"].values():
        if resource["Type"] == TABLE:
            resource["DeletionPolicy"] = "Delete"
    with pytest.raises(AssertionError, match="leaves with the stack"):
        what_is_kept_outlives_the_stack(mutant)


def test_the_edge_has_the_rules_of_the_function() -> None:
    properties = PRODUCT.properties or {}
    assert properties.keys() == set(PRODUCT.required or []) == NewProduct.model_fields.keys()
    assert (properties["price"].maximum, properties["stock"].maximum) == (MAX_PRICE, MAX_STOCK)
    assert (properties["name"].min_length, properties["name"].max_length) == (1, 200)
    assert PRODUCT.additional_properties is False


def test_each_service_names_its_alarms_and_all_are_heard(microservices: Template) -> None:
    alarms = resources(microservices, "AWS::CloudWatch::Alarm")
    for service in ("Orders", "Catalog", "Customers", "Events"):
        assert any(name.startswith(service) for name in alarms), f"{service} has no alarm"
    assert all(one["AlarmActions"] for one in alarms.values())


@cache
def clone(prefix: str) -> Template:
    outdir = scratch()
    scenario_app("microservices", outdir=outdir, prefix=prefix).synth()
    made: Template = json.loads((outdir / "Microservices.template.json").read_text(encoding="utf-8"))
    return made


def test_a_clone_under_another_name_shares_no_name_with_the_first() -> None:
    first, second = named(clone("")), named(clone("Test-"))
    assert first.keys() == second.keys()
    assert {where: name for where, name in first.items() if name == second[where]} == {}
    for wanted in ("ServerlessCacheName", "UserGroupId", "Family", "DomainName"):
        assert any(where.endswith(f"/{wanted}") for where in first), f"{wanted} was not compared"


def test_a_name_that_is_shared_is_seen() -> None:
    mutant = copy.deepcopy(clone("Test-"))
    only(mutant, CACHE)["ServerlessCacheName"] = only(clone(""), CACHE)["ServerlessCacheName"]
    first, second = named(clone("")), named(mutant)
    assert [where for where, name in first.items() if name == second[where]]


def test_a_clone_is_otherwise_the_same() -> None:
    first, second = clone(""), clone("Test-")
    # A deployment's id has a hash of its API's content, and so of its name.
    kinds = [
        {name: one["Type"] for name, one in made["Resources"].items() if one["Type"] != "AWS::ApiGateway::Deployment"}
        for made in (first, second)
    ]
    assert kinds[0] == kinds[1]
    told = {one["Name"]: one["Value"] for one in only(second, TASK)["ContainerDefinitions"][0]["Environment"]}
    assert told["CATALOG_URL"] == "https://catalog.test-microservices.example.com"


@pytest.mark.parametrize(("context", "gateways"), [({}, 2), ({"nat_gateways": "1"}, 1)])
def test_one_way_out_for_both_zones_costs_less(context: dict[str, Any], gateways: int) -> None:
    made = scenario_app("microservices", **context).node.find_all()
    assert len([one for one in made if isinstance(one, ec2.CfnNatGateway)]) == gateways


def test_servers_without_a_way_to_their_packages_are_refused() -> None:
    with pytest.raises(ValueError, match="nat_gateways: must be 1 or 2 for microservices"):
        scenario_app("microservices", nat_gateways="0")


def test_the_image_is_made_of_its_service_and_the_kit_alone() -> None:
    outdir = scratch()
    scenario_app("microservices", outdir=outdir).synth()
    assets = json.loads((outdir / "Microservices.assets.json").read_text(encoding="utf-8"))
    (image,) = assets["dockerImages"].values()
    folder = outdir / image["source"]["directory"]
    assert {path.name for path in folder.iterdir()} - {".dockerignore"} == {"orders_service", "service_kit"}
    assert (folder / image["source"]["dockerFile"]).is_file()
    assert image["source"]["platform"] == "linux/arm64"
