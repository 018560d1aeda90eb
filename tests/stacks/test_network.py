"""What must never drift in the network: who reaches whom for every setting, who may look and change, what is told."""

from collections.abc import Callable
from typing import Any

import pytest

from journeys import _network_table as table
from journeys._network_reading import Deployed, read
from journeys._reachability import trace
from journeys.network import by_servers, by_tiers, ways
from stacks.network import LOOKS
from stacks.settings import Settings
from tests.constructs.networks import spoiled
from tests.repo.policies import identity_statements, many
from tests.stacks.template_ec2 import TemplateEc2, made, tiers
from tests.templates import Template, only, resources

ENTRY, ROUTE = "AWS::EC2::NetworkAclEntry", "AWS::EC2::Route"
PROPAGATION, ATTACHMENT = "AWS::EC2::VPNGatewayRoutePropagation", "AWS::EC2::VPCGatewayAttachment"


def look(template: Template) -> Deployed:
    """The same reading and the same tables as the journey's, of the template."""
    connection = next(iter(resources(template, "AWS::EC2::VPNConnection")), None)
    return read(TemplateEc2(template), "vpc", tiers(template), connection)


def groups(template: Template) -> dict[str, str]:
    found = resources(template, "AWS::EC2::SecurityGroup")
    return {
        name.lower(): f"sg-{next(one for one in found if one.startswith(f'{name}Group'))}"
        for name in ("Web", "App", "Data")
    }


def endpoints(template: Template) -> str | None:
    found = resources(template, "AWS::EC2::SecurityGroup")
    return next((f"sg-{one}" for one in found if "Endpoints" in one), None)


@pytest.mark.parametrize(
    ("context", "gateways", "zones_of_private"),
    [
        ({}, 3, ["zone-a", "zone-b", "zone-c"]),
        ({"nat_gateways": "3"}, 3, ["zone-a", "zone-b", "zone-c"]),
        ({"nat_gateways": "1"}, 1, ["zone-a"] * 3),
        ({"nat_gateways": "0"}, 0, []),
        ({"nat_gateways": "0", "vpn_remote": "none", "interface_endpoints": "none"}, 0, []),
    ],
    ids=str,
)
def test_who_reaches_whom_for_each_setting(context: dict[str, str], gateways: int, zones_of_private: list[str]) -> None:
    template = made(**context)
    deployed = look(template)
    office, group = "vpn_remote" not in context, endpoints(template)
    assert len(deployed.network.nats) == gateways
    assert (deployed.office is not None, group is not None) == (office, "interface_endpoints" not in context)
    assert table.differences(table.tiers(deployed), by_tiers(nat=gateways > 0, office=office)) == []
    assert table.ways(deployed) == ways(nat=gateways > 0, office=office)
    servers = table.servers(deployed, groups(template), group)
    assert table.differences(servers, by_servers(nat=gateways > 0, endpoints=group is not None)) == []
    by = [route.target for one in deployed.subnets["private"] for route in one.routes if "nat-" in route.target]
    assert [deployed.zones[deployed.network.nats[one].name] for one in by] == zones_of_private


def _where(kind: str, name: str) -> Callable[[Template], dict[str, Any]]:
    return lambda template: next(one for each, one in resources(template, kind).items() if name in each)


def _lead(template: Template, **route: Any) -> None:
    isolated = next(name for name in resources(template, "AWS::EC2::RouteTable") if "IsolatedSubnet1" in name)
    template["Resources"]["Intruder"] = {"Type": ROUTE, "Properties": {"RouteTableId": {"Ref": isolated}, **route}}


def _way_out(template: Template) -> None:
    private = _where(ROUTE, "PrivateSubnet1")(template)
    _lead(template, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=private["NatGatewayId"])


def _instance(template: Template) -> None:
    _lead(template, DestinationCidrBlock="0.0.0.0/0", NetworkInterfaceId="eni-1")


def _peering(template: Template) -> None:
    _lead(template, DestinationCidrBlock="0.0.0.0/0", VpcPeeringConnectionId="pcx-1")


def _closed_for_answers(template: Template) -> None:
    for rule in resources(template, ENTRY).values():
        if rule.get("PortRange") == {"From": 1024, "To": 65535} and rule["Egress"]:
            rule["PortRange"] = {"From": 1024, "To": 32767}


def _one_zone_cut(template: Template) -> None:
    del template["Resources"][next(name for name in resources(template, ROUTE) if "PrivateSubnet2" in name)]


def _detached(template: Template) -> None:
    for name, one in resources(template, ATTACHMENT).items():
        if "InternetGatewayId" in one:
            del template["Resources"][name]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_way_out, "isolated -> internet:443 is not the same in every zone: ACL into public a, no route"),
        (_instance, "isolated -> internet:443 is not the same in every zone: another way, eni-1, no route"),
        (_peering, "isolated -> internet:443 is not the same in every zone: another way, pcx-1, no route"),
        (_closed_for_answers, "internet -> public:443: should be internet gateway, is answer: ACL out of public b"),
        (_one_zone_cut, "private -> internet:443 is not the same in every zone: NAT gateway, no route"),
        (_detached, "public -> internet:443: should be internet gateway, is internet gateway not attached"),
    ],
)
def test_a_change_that_leads_elsewhere_is_seen(spoil: Callable[[Template], None], says: str) -> None:
    def check(template: Template) -> None:
        offences = table.differences(table.tiers(look(template)), by_tiers(nat=True, office=True))
        assert not offences, "\n".join(offences)

    check(made())
    with pytest.raises(AssertionError, match=says):
        check(spoiled(made(), spoil))


@pytest.mark.parametrize(
    "route",
    [
        # To others than the one address that stands for the internet in the table.
        {"DestinationCidrBlock": "8.8.8.0/24", "GatewayId": "igw-1"},
        {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1"},
        {"DestinationCidrBlock": "10.9.0.0/16", "TransitGatewayId": "tgw-1"},
    ],
)
def test_a_route_to_somebody_whom_the_table_does_not_ask_for_is_seen(route: dict[str, str]) -> None:
    deployed = look(spoiled(made(), lambda template: _lead(template, **route)))
    assert not table.differences(table.tiers(deployed), by_tiers(nat=True, office=True))
    assert table.ways(deployed)["isolated"] - ways(nat=True, office=True)["isolated"]


def test_who_hears_of_the_vpns_routes_is_seen_though_the_list_would_refuse_it() -> None:
    def spoil(template: Template) -> None:
        tables = resources(template, "AWS::EC2::RouteTable")
        only(template, PROPAGATION)["RouteTableIds"] += [{"Ref": name} for name in tables if "Isolated" in name]

    def hear(template: Template) -> set[str]:
        return {name.split()[0] for name, gateways in look(template).propagating.items() if gateways}

    assert hear(made()) == {"private"}
    assert hear(spoiled(made(), spoil)) == {"private", "isolated"}
    refused = table.tiers(look(spoiled(made(), spoil)))["isolated"]["office:443"]
    assert refused.how == "ACL out of isolated a"


def test_a_group_that_lets_others_in_is_seen() -> None:
    def check(template: Template) -> None:
        found = table.servers(look(template), groups(template), endpoints(template))
        offences = table.differences(found, by_servers(nat=True, endpoints=True))
        assert not offences, "\n".join(offences)

    def spoil(template: Template) -> None:
        rule = _where("AWS::EC2::SecurityGroupIngress", "DataGroup")(template)
        del rule["SourceSecurityGroupId"]
        rule["CidrIp"] = "0.0.0.0/0"

    def spoil_both(template: Template) -> None:
        spoil(template)
        web = _where("AWS::EC2::SecurityGroupEgress", "WebGroup")(template)
        web["FromPort"], web["ToPort"] = 0, 65535
        del web["DestinationSecurityGroupId"]
        web["CidrIp"] = "0.0.0.0/0"

    check(made())
    # Alone it lets nobody in: the network ACL of the tier still admits the private tier alone.
    check(spoiled(made(), spoil))
    with pytest.raises(AssertionError, match="web -> internet:443"):
        check(spoiled(made(), spoil_both))


def test_even_an_open_group_in_the_isolated_tier_is_not_reached_from_the_public_one() -> None:
    deployed = look(made())
    source, target = deployed.server("public", 0), deployed.server("isolated", 1)
    verdicts = [trace(deployed.network, source, target, port) for port in range(1, 65536, 997)]
    assert not any(one.reached for one in verdicts)


def the_auditor_only_looks(template: Template) -> None:
    (statement,) = [one for name, one in identity_statements(template) if name.startswith("Auditor")]
    assert set(many(statement["Action"])) == set(LOOKS), "the auditor may do something else"
    assert all(one.startswith("ec2:Describe") for one in many(statement["Action"])), "the auditor may change something"


def the_operator_changes_three_lists_alone(template: Template) -> None:
    (statement,) = [one for name, one in identity_statements(template) if name.startswith("Operator")]
    assert all(one.endswith("NetworkAclEntry") for one in many(statement["Action"])), "the operator may do more"
    named = {str(one) for one in many(statement["Resource"])}
    assert len(named) == 3, "the operator reaches other lists"
    acls = resources(template, "AWS::EC2::NetworkAcl")
    assert all(any(f"'Ref': '{name}'" in one for one in named) for name in acls), "a list is missing"


def flow_logs_go_to_their_own_group(template: Template) -> None:
    log = only(template, "AWS::EC2::FlowLog")
    (group,) = [name for name in resources(template, "AWS::Logs::LogGroup") if "FlowLogs" in name]
    assert log["LogGroupName"] == {"Ref": group}, "traffic is written elsewhere"
    rights = [one for name, one in identity_statements(template) if "FlowLog" in name]
    writes = [one for one in rights if "logs:PutLogEvents" in many(one["Action"])]
    assert [one["Resource"] for one in writes] == [{"Fn::GetAtt": [group, "Arn"]}], "its role writes elsewhere"


HOLDS = [the_auditor_only_looks, the_operator_changes_three_lists_alone, flow_logs_go_to_their_own_group]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(holds: Callable[[Template], None]) -> None:
    holds(made())


def _grant(name: str, prop: str, value: Any) -> Callable[[Template], None]:
    def change(template: Template) -> None:
        policy = _where("AWS::IAM::Policy", name)(template)
        for statement in policy["PolicyDocument"]["Statement"]:
            statement[prop] = value

    return change


@pytest.mark.parametrize(
    ("holds", "spoil", "says"),
    [
        (the_auditor_only_looks, _grant("Auditor", "Action", ["ec2:DeleteVpc"]), "something else"),
        (the_operator_changes_three_lists_alone, _grant("Operator", "Action", ["ec2:CreateRoute"]), "may do more"),
        (the_operator_changes_three_lists_alone, _grant("Operator", "Resource", "*"), "other lists"),
        (flow_logs_go_to_their_own_group, _grant("FlowLog", "Resource", "*"), "writes elsewhere"),
    ],
)
def test_and_would_be_missed(holds: Callable[[Template], None], spoil: Callable[[Template], None], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        holds(spoiled(made(), spoil))


def test_settings_of_cost_move_no_subnet_and_no_list() -> None:
    for kind in ("AWS::EC2::Subnet", "AWS::EC2::RouteTable", "AWS::EC2::NetworkAcl"):
        assert resources(made(), kind) == resources(made(nat_gateways="0"), kind)


def test_a_device_of_ones_own() -> None:
    template = made(vpn_remote="198.51.100.20", vpn_networks="172.20.0.0/16, 172.21.0.0/16")
    assert only(template, "AWS::EC2::CustomerGateway")["IpAddress"] == "198.51.100.20"
    routes = resources(template, "AWS::EC2::VPNConnectionRoute").values()
    assert [one["DestinationCidrBlock"] for one in routes] == ["172.20.0.0/16", "172.21.0.0/16"]


@pytest.mark.parametrize("wrong", ["4", "-1", "two", ""])
def test_a_number_of_gateways_that_cannot_be_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=f"nat_gateways: must be a number from 0 to 3, got '{wrong}'"):
        Settings.from_context({"nat_gateways": wrong}.get)


@pytest.mark.parametrize("wrong", ["10.0.0.1", "198.51.100.20,198.51.100.21", "office.example.com"])
def test_an_address_that_cannot_be_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=f"address: must be a public IPv4 address, got '{wrong}'"):
        made(vpn_remote=wrong)


def test_alarms_are_about_every_gateway_and_both_tunnels() -> None:
    found = [(one["Namespace"], one["MetricName"]) for one in resources(made(), "AWS::CloudWatch::Alarm").values()]
    assert sorted(set(found)) == [
        ("AWS/NATGateway", "ErrorPortAllocation"),
        ("AWS/NATGateway", "PacketsDropCount"),
        ("AWS/VPN", "TunnelState"),
    ]
    assert len(found) == 8
