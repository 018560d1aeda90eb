"""The journey's own judgement: what it asks for follows from what was deployed, and not from what is left of it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from journeys import _network_changes as changes
from journeys import network
from journeys._network_reading import read
from journeys._target import Target
from journeys._world import World
from tests.constructs.networks import spoiled
from tests.stacks.template_ec2 import TemplateEc2, made, tiers
from tests.templates import Template, resources

AWS = Target.aws("eu-central-1")
OWN_ZONE, FEWER = (
    "every private subnet leaves by the NAT gateway of its own zone",
    "every private subnet leaves by one of fewer NAT gateways than zones (1)",
)
NO_NAT, NO_ROUTE = (
    "every private subnet leaves by a NAT gateway",
    "without the default route of a private subnet the table shows that it cannot leave",
)
VPN, NO_VPN = (
    "routes of the VPN propagate to every private subnet, and to no other",
    "routes of the VPN propagate to the private tier",
)


class Gone(TemplateEc2):
    """One whose NAT gateways were deleted, and their routes were not."""

    def describe_nat_gateways(self, **_asked: Any) -> Any:
        return {"NatGateways": []}


def run(folder: Path, template: Template, ec2: TemplateEc2 | None = None) -> dict[str, str]:
    """The part of the journey that only looks: what it proves -> how that ended."""
    ec2 = ec2 or TemplateEc2(template)
    groups = resources(template, "AWS::EC2::SecurityGroup")
    out = {"VpcId": "vpc"} | {
        f"{name}GroupId": f"sg-{next(one for one in groups if one.startswith(f'{name}Group'))}"
        for name in ("Web", "App", "Data")
    }
    for connection, one in resources(template, "AWS::EC2::VPNConnection").items():
        out |= {
            "VpnConnectionId": connection,
            "VpnGatewayId": ec2.id(one["VpnGatewayId"]),
            "CustomerGatewayId": ec2.id(one["CustomerGatewayId"]),
        }
    world = World("network", AWS, out, build=folder)
    look = partial(read, ec2, "vpc", tiers(template), out.get("VpnConnectionId"))
    deployed = network._layout(world, look)
    network._reached(world, ec2, deployed)
    network._vpn(world, ec2, deployed)
    return {one.name: one.result for one in world.steps.results}


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, {OWN_ZONE: "passed", VPN: "passed"}),
        ({"nat_gateways": "1"}, {FEWER: "passed", VPN: "passed"}),
        ({"nat_gateways": "0", "vpn_remote": "none"}, {NO_NAT: "not-run", NO_VPN: "not-run"}),
    ],
    ids=str,
)
def test_it_says_of_each_setting_what_is_so(tmp_path: Path, context: dict[str, str], expected: dict[str, str]) -> None:
    found = run(tmp_path, made(**context))
    assert expected.items() <= found.items()
    others = {OWN_ZONE, FEWER, NO_NAT, VPN, NO_VPN} - set(expected)
    assert not others & set(found)
    assert set(found.values()) <= {"passed", "not-run"}


def test_routes_that_are_left_behind_by_their_gateways_are_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="private -> internet:443: should be NAT gateway, is NAT gateway gone"):
        run(tmp_path, made(), Gone(made()))


def _drop(kind: str) -> Callable[[Template], None]:
    def change(template: Template) -> None:
        for name in resources(template, kind):
            del template["Resources"][name]

    return change


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("AWS::EC2::VPNConnectionRoute", "private -> office:443: was not asked"),
        ("AWS::EC2::VPNGatewayRoutePropagation", "private -> office:443: should be VPN, is no route"),
    ],
)
def test_a_vpn_that_leads_nowhere_is_noticed(tmp_path: Path, kind: str, says: str) -> None:
    template = spoiled(made(), _drop(kind))
    with pytest.raises(AssertionError, match=says):
        run(tmp_path, template)


def test_a_way_that_the_table_does_not_ask_for_is_noticed(tmp_path: Path) -> None:
    def lead(template: Template) -> None:
        isolated = next(name for name in resources(template, "AWS::EC2::RouteTable") if "IsolatedSubnet1" in name)
        route = {"RouteTableId": {"Ref": isolated}, "DestinationCidrBlock": "8.8.8.0/24", "TransitGatewayId": "tgw-1"}
        template["Resources"]["Intruder"] = {"Type": "AWS::EC2::Route", "Properties": route}

    with pytest.raises(AssertionError, match=r"routes lead elsewhere: .*another way, tgw-1"):
        run(tmp_path, spoiled(made(), lead))


def test_what_cannot_be_cut_is_said_not_to_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("network", AWS, {"PrivateSubnetIds": "s"}, build=tmp_path)
    ec2 = TemplateEc2(made(nat_gateways="0"))
    tables = ec2.describe_route_tables()["RouteTables"]
    monkeypatch.setattr(ec2, "describe_route_tables", lambda **_asked: {"RouteTables": tables[-1:]})
    monkeypatch.setattr(world, "client", lambda _service: ec2)
    changes.cut(world, lambda: pytest.fail("nothing was cut"))
    (step,) = world.steps.results
    assert (step.name, step.result) == (NO_ROUTE, "not-run")
    assert step.reason == "this network was deployed without NAT gateways"
