"""Three tiers over two or three zones: what leads out of each, what is written down, and what is refused."""

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Environment
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from constructs_lib import SiteToSiteVpn, TieredNetwork
from tests.constructs.networks import OFFICE, in_stack, network, spoiled
from tests.repo import guards_operations, guards_security
from tests.repo.lint import lints
from tests.repo.policies import identity_statements
from tests.repo.rules import Review, review
from tests.templates import NO_BUNDLING, Template, bare_stack, flags, only, resources, scratch, synthesized

SUBNET, ROUTE, NAT, ENDPOINT = (f"AWS::EC2::{one}" for one in ("Subnet", "Route", "NatGateway", "VPCEndpoint"))
GROUP = "AWS::EC2::SecurityGroup"


@pytest.fixture(scope="module")
def default() -> Template:
    return network()


def cidrs(template: Template) -> dict[str, str]:
    return {name.split("Subnet")[0] + name.split("Subnet")[1]: one["CidrBlock"] for name, one in _subnets(template)}


def _subnets(template: Template) -> list[tuple[str, dict[str, Any]]]:
    return [(name.removeprefix("NVpc"), one) for name, one in resources(template, SUBNET).items()]


def test_each_tier_is_a_quarter_and_each_subnet_in_one_zone(default: Template) -> None:
    assert cidrs(default) == {
        "Public1": "10.0.0.0/20",
        "Public2": "10.0.16.0/20",
        "Private1": "10.0.64.0/20",
        "Private2": "10.0.80.0/20",
        "Isolated1": "10.0.128.0/20",
        "Isolated2": "10.0.144.0/20",
    }
    zones = {name: one["AvailabilityZone"]["Fn::Select"][0] for name, one in _subnets(default)}
    assert all(zone == int(name.split("Subnet")[1][0]) - 1 for name, zone in zones.items())


def test_a_third_zone_renumbers_nothing(default: Template) -> None:
    wider = cidrs(network(max_azs=3))
    assert cidrs(default).items() <= wider.items()
    assert len(wider) == 9


def test_a_smaller_network_has_the_same_shape() -> None:
    made = cidrs(network(cidr="172.20.4.0/22", max_azs=3))
    assert (made["Public1"], made["Private1"], made["Isolated3"]) == (
        "172.20.4.0/26",
        "172.20.5.0/26",
        "172.20.6.128/26",
    )


def test_the_cidr_of_a_tier_is_known() -> None:
    assert in_stack(bare_stack()).tier_cidrs == {
        "public": "10.0.0.0/18",
        "private": "10.0.64.0/18",
        "isolated": "10.0.128.0/18",
    }


def ways_out(template: Template) -> dict[str, str]:
    """Subnet -> what its default route leads to."""
    tables = {
        one["RouteTableId"]["Ref"]: one["SubnetId"]["Ref"].removeprefix("NVpc").split("Subnet")
        for one in resources(template, "AWS::EC2::SubnetRouteTableAssociation").values()
    }
    return {
        "{}{}".format(*tables[route["RouteTableId"]["Ref"]][:2]): (
            "nat" if "NatGatewayId" in route else "internet" if "GatewayId" in route else "?"
        )
        for route in resources(template, ROUTE).values()
        if route["DestinationCidrBlock"] == "0.0.0.0/0"
    }


def isolated_has_no_way_out(template: Template) -> None:
    assert not [one for one in ways_out(template) if one.startswith("Isolated")], "the isolated tier has a way out"


def servers_leave_by_nat(template: Template) -> None:
    ways = {way for name, way in ways_out(template).items() if name.startswith("Private")}
    assert ways <= {"nat"}, "servers leave by something else"


def no_address_by_itself(template: Template) -> None:
    assert not any(one["MapPublicIpOnLaunch"] for one in resources(template, SUBNET).values()), "public by default"


def all_traffic_is_written_down(template: Template) -> None:
    assert only(template, "AWS::EC2::FlowLog")["TrafficType"] == "ALL", "something is not written down"


def only_flow_logs_of_ours_are_written(template: Template) -> None:
    log = only(template, "AWS::EC2::FlowLog")
    role = resources(template, "AWS::IAM::Role")[log["DeliverLogsPermissionArn"]["Fn::GetAtt"][0]]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    account = {"Ref": "AWS::AccountId"}
    assert statement.get("Condition", {}).get("StringEquals") == {"aws:SourceAccount": account}, "anybody's flow logs"
    source = "".join(map(str, statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1]))
    assert source.endswith(f":{account}:vpc-flow-log/*"), "others than flow logs"


HOLDS = [
    isolated_has_no_way_out,
    servers_leave_by_nat,
    no_address_by_itself,
    all_traffic_is_written_down,
    only_flow_logs_of_ours_are_written,
]


@pytest.mark.parametrize("holds", HOLDS)
@pytest.mark.parametrize("props", [{}, {"nat_gateways": 0}, {"nat_gateways": 1, "max_azs": 3}])
def test_it_holds(holds: Callable[[Template], None], props: dict[str, Any]) -> None:
    holds(network(**props))


def _lead(tier: str, **target: Any) -> Callable[[Template], None]:
    """Another default route for a tier's first table."""

    def change(template: Template) -> None:
        table = next(
            one["RouteTableId"]
            for one in resources(template, "AWS::EC2::SubnetRouteTableAssociation").values()
            if f"{tier}Subnet" in one["SubnetId"]["Ref"]
        )
        properties = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", **target}
        template["Resources"]["Intruder"] = {"Type": ROUTE, "Properties": properties}

    return change


def _trusting(template: Template) -> None:
    for role in resources(template, "AWS::IAM::Role").values():
        del role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]


def _set(kind: str, prop: str, to: Any) -> Callable[[Template], None]:
    def change(template: Template) -> None:
        for one in resources(template, kind).values():
            one[prop] = to

    return change


@pytest.mark.parametrize(
    ("holds", "spoil", "says"),
    [
        (isolated_has_no_way_out, _lead("Isolated", NatGatewayId="n"), "has a way out"),
        (servers_leave_by_nat, _lead("Private", GatewayId="igw"), "leave by something else"),
        (no_address_by_itself, _set(SUBNET, "MapPublicIpOnLaunch", True), "public by default"),
        (all_traffic_is_written_down, _set("AWS::EC2::FlowLog", "TrafficType", "REJECT"), "not written down"),
        (only_flow_logs_of_ours_are_written, _trusting, "anybody's flow logs"),
    ],
)
def test_and_would_be_missed(
    default: Template, holds: Callable[[Template], None], spoil: Callable[[Template], None], says: str
) -> None:
    with pytest.raises(AssertionError, match=says):
        holds(spoiled(default, spoil))


@pytest.mark.parametrize(("asked", "made"), [(None, 2), (0, 0), (1, 1), (2, 2)])
def test_nat_gateways_are_a_switch_of_cost_that_moves_no_subnet(asked: int | None, made: int) -> None:
    template = network(nat_gateways=asked)
    assert len(resources(template, NAT)) == made
    assert len(resources(template, "AWS::EC2::EIP")) == made
    assert resources(template, SUBNET) == resources(network(), SUBNET)
    ways = ways_out(template)
    assert {name for name, way in ways.items() if way == "internet"} == {"Public1", "Public2"}
    assert {name for name, way in ways.items() if way == "nat"} == ({"Private1", "Private2"} if made else set())


def test_the_tier_of_servers_is_there_without_nat() -> None:
    made = in_stack(bare_stack(), nat_gateways=0)
    assert len(made.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS).subnet_ids) == 2


def test_gateway_endpoints_are_in_every_table(default: Template) -> None:
    gateways = [one for one in resources(default, ENDPOINT).values() if one["VpcEndpointType"] == "Gateway"]
    assert {one["ServiceName"]["Fn::Join"][1][2] for one in gateways} == {".s3", ".dynamodb"}
    tables = set(resources(default, "AWS::EC2::RouteTable"))
    assert all({table["Ref"] for table in one["RouteTableIds"]} == tables for one in gateways)


def test_what_a_gateway_endpoint_lets_through_can_be_narrowed() -> None:
    stack = bare_stack()
    made = in_stack(stack)
    assert set(made.gateway_endpoints) == {"s3", "dynamodb"}
    mine = iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=["s3:*"], resources=["arn:aws:s3:::mine/*"])
    made.gateway_endpoints["s3"].add_to_policy(mine)
    policies = {name: one.get("PolicyDocument") for name, one in resources(stack, ENDPOINT).items()}
    (narrowed,) = [name for name, policy in policies.items() if policy]
    assert "S3" in narrowed


def test_interface_endpoints_admit_the_vpc_and_ask_nobody() -> None:
    stack = bare_stack()
    made = in_stack(stack, interface_endpoints=["ecr.api", "secretsmanager"])
    template = synthesized(stack)
    assert set(made.interface_endpoints) == {"ecr.api", "secretsmanager"}
    endpoints = [one for one in resources(template, ENDPOINT).values() if one["VpcEndpointType"] == "Interface"]
    assert [one["ServiceName"]["Fn::Join"][1][2] for one in endpoints] == [".ecr.api", ".secretsmanager"]
    (group,) = resources(template, GROUP)
    for one in endpoints:
        assert one["PrivateDnsEnabled"] is True
        assert all("PrivateSubnet" in subnet["Ref"] for subnet in one["SubnetIds"])
        assert one["SecurityGroupIds"] == [{"Fn::GetAtt": [group, "GroupId"]}]
    rules = only(template, GROUP)
    assert [(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in rules["SecurityGroupIngress"]] == [
        ("10.0.0.0/16", 443, 443)
    ]
    assert [rule["CidrIp"] for rule in rules["SecurityGroupEgress"]] == ["255.255.255.255/32"]


def test_without_interface_endpoints_there_is_none(default: Template) -> None:
    assert not resources(default, GROUP)
    assert len(resources(default, ENDPOINT)) == 2


def test_flow_logs_are_kept_for_as_long_as_asked() -> None:
    assert only(network(), "AWS::Logs::LogGroup")["RetentionInDays"] == 30
    kept = network(log_retention=logs.RetentionDays.ONE_YEAR, vpn=OFFICE)
    assert {one["RetentionInDays"] for one in resources(kept, "AWS::Logs::LogGroup").values()} == {365}


def test_alarms_are_about_each_nat_gateway(default: Template) -> None:
    about = {
        (one["MetricName"], one["Dimensions"][0]["Value"]["Ref"])
        for one in resources(default, "AWS::CloudWatch::Alarm").values()
    }
    expected = {(name, nat) for name in ("ErrorPortAllocation", "PacketsDropCount") for nat in resources(default, NAT)}
    assert about == expected


def test_who_changes_rules_changes_those_of_the_three_lists_and_nothing_else() -> None:
    stack = bare_stack()
    made = in_stack(stack)
    in_stack(stack, "Other", cidr="10.1.0.0/16")
    operator = iam.Role(stack, "Operator", assumed_by=iam.AccountRootPrincipal())
    assert made.grant_change_acls(operator).success
    (statement,) = [one for name, one in identity_statements(synthesized(stack)) if name.startswith("Operator")]
    verbs = ("Create", "Delete", "Replace")
    assert sorted(statement["Action"]) == [f"ec2:{verb}NetworkAclEntry" for verb in verbs]
    named = [part["Ref"] for one in statement["Resource"] for part in one["Fn::Join"][1] if isinstance(part, dict)]
    lists = [name for name in named if not name.startswith("AWS::")]
    acls = resources(stack, "AWS::EC2::NetworkAcl")
    assert sorted(lists) == sorted(name for name in acls if name.startswith("N"))
    assert len(lists) == 3


def test_ids_of_the_vpn_are_told_where_there_is_one() -> None:
    without, with_one = in_stack(bare_stack()), in_stack(bare_stack(), vpn=OFFICE)
    assert {without.vpn_gateway_id, without.customer_gateway_id, without.vpn_connection_id} == {None}
    assert all((with_one.vpn_gateway_id, with_one.customer_gateway_id, with_one.vpn_connection_id))


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"max_azs": 1}, "max_azs: must be between 2 and 3, got 1"),
        ({"max_azs": 4}, "max_azs: must be between 2 and 3, got 4"),
        ({"nat_gateways": -1}, "nat_gateways: must be between 0 and 2, got -1"),
        ({"nat_gateways": 3}, "nat_gateways: must be between 0 and 2, got 3"),
        ({"cidr": "10.0.0.0/15"}, "cidr: its mask: must be between 16 and 22, got 15"),
        ({"cidr": "10.0.0.0/23"}, "cidr: its mask: must be between 16 and 22, got 23"),
        ({"cidr": "10.0.0.1/16"}, "cidr: must be an IPv4 network as '10.0.0.0/16', got '10.0.0.1/16'"),
        ({"cidr": "fd00::/16"}, "cidr: must be an IPv4 network as '10.0.0.0/16', got 'fd00::/16'"),
        ({"cidr": "8.8.0.0/16"}, r"cidr: must be of private addresses .*, got '8.8.0.0/16'"),
        ({"interface_endpoints": ["ECR"]}, "interface_endpoints: must be short names as \"ecr.api\", got 'ECR'"),
        (
            {"interface_endpoints": ["logs", "s3"]},
            "interface_endpoints: must leave out what has a gateway .*, got 's3'",
        ),
        ({"interface_endpoints": ["dynamodb"]}, "interface_endpoints: must leave out what .* endpoint, got 'dynamodb'"),
        ({"interface_endpoints": ["logs", "logs"]}, "interface_endpoints: must be unique, got 'logs' twice"),
        (
            {"vpn": SiteToSiteVpn("203.0.113.10", networks=("10.0.8.0/24",))},
            "vpn: its networks must not overlap the VPC's 10.0.0.0/16, got '10.0.8.0/24'",
        ),
    ],
)
def test_a_prop_out_of_range_is_refused(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network(**props)


def test_two_in_one_stack() -> None:
    stack = bare_stack()
    in_stack(stack, "One")
    in_stack(stack, "Two", cidr="10.1.0.0/16", interface_endpoints=["logs"])
    assert len(resources(stack, "AWS::EC2::VPC")) == 2


def everything(scope: cdk.Stack) -> TieredNetwork:
    return in_stack(scope, max_azs=3, interface_endpoints=["ecr.api", "logs"], vpn=OFFICE)


def test_guards_and_lint_hold() -> None:
    stack = bare_stack()
    everything(stack)
    template = synthesized(stack)
    guards = {*guards_security.GUARDS, *guards_operations.GUARDS} - {guards_operations.alarms_are_heard}
    assert [one for guard in guards for one in guard(template)] == []
    assert [one.message for one in lints(template) if not one.accepted] == []


@pytest.mark.parametrize("pinned", [False, True], ids=["any account", "an account and region"])
def test_an_importer_with_cdk_nag_has_nothing_to_do(pinned: bool) -> None:
    def app() -> cdk.App:
        made = cdk.App(context={**flags(), **NO_BUNDLING}, outdir=str(scratch()))
        env = Environment(account="111122223333", region="eu-central-1") if pinned else None
        everything(cdk.Stack(made, "S", env=env))
        return made

    found: Review = review(app)
    assert found.problems() == []
    assert json.dumps(sorted({one.rule for one in found.findings})) == '["AwsSolutions-VPC3"]'
