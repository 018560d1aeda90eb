"""Constructs in a VPC that was there before, however it is named: they make none, and stand in its subnets."""

from collections.abc import Callable, Iterable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Environment, Fn
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_efs as efs

from constructs_lib import (
    ApiRoute,
    CachedApi,
    DaxCachedTable,
    EdgeOffload,
    FargateService,
    LoadBalancedWebTier,
    MountedFileSystem,
    PostgresDatabase,
    PythonFunction,
)
from tests.constructs.applications import shop
from tests.templates import Template, bare_stack, only, resources, synthesized

CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/11111111-2222-3333-4444-555555555555"
IMAGE = "public.ecr.aws/docker/library/python:3.13-slim"
KEY = dynamodb.Attribute(name="sku", type=dynamodb.AttributeType.STRING)
TIERS = ("Public", "Private", "Isolated")
BALANCER, GROUP = "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::AutoScaling::AutoScalingGroup"
SERVICE, CACHE, FUNCTION = "AWS::ECS::Service", "AWS::ElastiCache::ServerlessCache", "AWS::Lambda::Function"
OF_DATABASE, OF_DAX = "AWS::RDS::DBSubnetGroup", "AWS::DAX::SubnetGroup"


def known(stack: cdk.Stack) -> ec2.IVpc:
    """By its ids."""
    ids = {tier: [f"subnet-{tier}{zone}" for zone in "ab"] for tier in TIERS}
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Mine",
        vpc_id="vpc-1",
        vpc_cidr_block="10.0.0.0/16",
        availability_zones=["eu-central-1a", "eu-central-1b"],
        public_subnet_ids=ids["Public"],
        private_subnet_ids=ids["Private"],
        isolated_subnet_ids=ids["Isolated"],
    )


def told(stack: cdk.Stack) -> ec2.IVpc:
    """By what another stack exports: not even the number of subnets is known before deploy time."""
    public, private, isolated = (Fn.split(",", Fn.import_value(f"{tier}Ids")) for tier in TIERS)
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Mine",
        vpc_id=Fn.import_value("VpcId"),
        vpc_cidr_block=Fn.import_value("VpcCidr"),
        availability_zones=Fn.get_azs(),
        public_subnet_ids=public,
        private_subnet_ids=private,
        isolated_subnet_ids=isolated,
    )


def looked_up(stack: cdk.Stack) -> ec2.IVpc:
    """By ``from_lookup``, before the CLI has looked: a stand-in that a first synthesis has to live with."""
    return ec2.Vpc.from_lookup(stack, "Mine", vpc_name="mine")


def _certificate(stack: cdk.Stack) -> acm.ICertificate:
    return acm.Certificate.from_certificate_arn(stack, "Certificate", CERTIFICATE)


def _tier(stack: cdk.Stack, vpc: ec2.IVpc, **props: Any) -> LoadBalancedWebTier:
    certificate = _certificate(stack)
    return LoadBalancedWebTier(stack, "Tier", vpc=vpc, application=shop(), certificate=certificate, **props)


def web_tier(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    _tier(stack, vpc)


def inner_web_tier(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    _tier(stack, vpc, internet_facing=False)


def tier_with_files(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    group = ec2.SecurityGroup.from_security_group_id(stack, "FilesGroup", "sg-0123456789abcdef0")
    files = efs.FileSystem.from_file_system_attributes(
        stack, "Files", file_system_id="fs-0123456789abcdef0", security_group=group
    )
    point = efs.AccessPoint.from_access_point_attributes(
        stack, "Point", access_point_id="fsap-0123456789abcdef0", file_system=files
    )
    _tier(stack, vpc, mounted=MountedFileSystem(file_system=files, access_point=point, folder="/mnt/files"))


def edge(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    front = _tier(stack, vpc, open=False).front
    EdgeOffload(stack, "Edge", front=front, origin_domain="origin.example.com", file_paths=["/releases/*"])


def service(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    image, certificate = ecs.ContainerImage.from_registry(IMAGE), _certificate(stack)
    FargateService(stack, "Orders", vpc=vpc, image=image, name="orders", certificate=certificate)


def database(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    PostgresDatabase(stack, "Data", vpc=vpc)


def api(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    worker, routes = PythonFunction(stack, "Worker", package="catalog_api"), [ApiRoute("GET", "/products/{sku}")]
    CachedApi(stack, "Catalog", vpc=vpc, handler=worker, routes=routes, partition_key=KEY)


def table(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    DaxCachedTable(stack, "Table", partition_key=KEY, vpc=vpc)


# What stands in which tier.
STANDING: dict[Callable[[cdk.Stack, ec2.IVpc], None], dict[str, str]] = {
    web_tier: {BALANCER: "Public", GROUP: "Private"},
    inner_web_tier: {BALANCER: "Private", GROUP: "Private"},
    tier_with_files: {BALANCER: "Public", GROUP: "Private"},
    edge: {BALANCER: "Public", GROUP: "Private"},
    service: {BALANCER: "Public", SERVICE: "Private"},
    database: {OF_DATABASE: "Isolated", FUNCTION: "Private"},
    api: {CACHE: "Isolated", FUNCTION: "Isolated"},
    table: {OF_DAX: "Isolated"},
}


def subnets(value: Any) -> Iterable[Any]:
    """What a resource says of its subnets, wherever it says it."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name in {"Subnets", "SubnetIds", "VPCZoneIdentifier"}:
                yield one
            else:
                yield from subnets(one)


def check(template: Template, standing: dict[str, str]) -> None:
    made = {one["Type"] for one in template["Resources"].values()}
    assert not made & {"AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::RouteTable"}, "a network of its own"
    for kind, tier in standing.items():
        found = [one for properties in resources(template, kind).values() for one in subnets(properties)]
        assert found, f"{kind} says nothing of subnets"
        others = [other for other in TIERS if other != tier]
        for one in map(str, found):
            elsewhere = tier not in one or any(other in one for other in others)
            assert not elsewhere, f"{kind} stands elsewhere: {one}"


@pytest.mark.parametrize("make", STANDING)
@pytest.mark.parametrize("form", [known, told])
def test_it_stands_in_the_subnets_of_an_existing_network(
    make: Callable[[cdk.Stack, ec2.IVpc], None], form: Callable[[cdk.Stack], ec2.IVpc]
) -> None:
    stack = bare_stack()
    make(stack, form(stack))
    check(synthesized(stack), STANDING[make])


@pytest.mark.parametrize("make", STANDING)
def test_a_first_synthesis_before_the_network_was_looked_up_succeeds(
    make: Callable[[cdk.Stack, ec2.IVpc], None],
) -> None:
    stack = bare_stack(env=Environment(account="111122223333", region="eu-central-1"))
    make(stack, looked_up(stack))
    assert resources(stack, "AWS::EC2::SecurityGroup")


def test_one_that_stands_elsewhere_would_be_missed() -> None:
    stack = bare_stack()
    web_tier(stack, known(stack))
    with pytest.raises(AssertionError, match="stands elsewhere"):
        check(synthesized(stack), {GROUP: "Isolated"})


def test_a_network_of_its_own_would_be_missed() -> None:
    stack = bare_stack()
    DaxCachedTable(stack, "Table", partition_key=KEY)
    with pytest.raises(AssertionError, match="a network of its own"):
        check(synthesized(stack), {})


IN_ONE_ZONE = ec2.SubnetSelection(
    subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS,
    subnet_filters=[ec2.SubnetFilter.availability_zones(["eu-central-1a"])],
)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC), ["subnet-Publica", "subnet-Publicb"]),
        (IN_ONE_ZONE, ["subnet-Privatea"]),
    ],
    ids=["type", "filter"],
)
@pytest.mark.parametrize("kind", [CACHE, OF_DAX])
def test_subnets_are_chosen_in_any_way_that_the_cdk_has(
    kind: str, chosen: ec2.SubnetSelection, expected: list[str]
) -> None:
    stack = bare_stack()
    vpc = known(stack)
    if kind == CACHE:
        worker, routes = PythonFunction(stack, "Worker", package="catalog_api"), [ApiRoute("GET", "/products/{sku}")]
        CachedApi(stack, "Api", vpc=vpc, handler=worker, routes=routes, partition_key=KEY, subnets=chosen)
    else:
        DaxCachedTable(stack, "Table", partition_key=KEY, vpc=vpc, subnets=chosen)
    assert only(stack, kind)["SubnetIds"] == expected
