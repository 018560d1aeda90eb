"""journeys/_network_table.py and _network_reading.py: what is read, compared, shown and kept."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from journeys import _network_table as table
from journeys._network_model import Route
from journeys._network_reading import read
from journeys._progress import Progress
from journeys._reachability import Verdict

VERDICTS = {
    "internet": {"web:443": Verdict(True, "internet gateway"), "data:5432": Verdict(False, "answer: no route")},
    "web": {"web:443": Verdict(False, "group of web"), "data:5432": Verdict(False, "answer: ACL into data a")},
    "office": {"web:443": Verdict(False, "both are elsewhere"), "data:5432": Verdict(True, "VPN")},
}
WANTED = {"internet": {"web:443": "internet gateway"}, "office": {"data:5432": "VPN"}}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (WANTED, []),
        ({**WANTED, "internet": {}}, ["internet -> web:443: should be refused, is internet gateway"]),
        ({**WANTED, "internet": {"web:443": "VPN"}}, ["internet -> web:443: should be VPN, is internet gateway"]),
        ({**WANTED, "web": {"data:5432": "local"}}, ["web -> data:5432: should be local, is answer: ACL into data a"]),
        ({**WANTED, "web": {"mail:25": "local"}}, ["web -> mail:25: was not asked"]),
    ],
)
def test_each_difference_is_named(wanted: table.Ways, found: list[str]) -> None:
    assert table.differences(VERDICTS, wanted) == found


def test_only_what_is_reached() -> None:
    reached = table.reached(VERDICTS)
    assert reached == {"internet": {"web:443": "internet gateway"}, "web": {}, "office": {"data:5432": "VPN"}}


def test_the_kept_table_says_what_is_in_the_way() -> None:
    text = table.as_text([table.render(VERDICTS, "Who reaches whom")], VERDICTS)
    lines = text.splitlines()
    cells = {line.split()[0]: " ".join(line.split()[1:]) for line in lines if line[:2] == "  " and line.strip()}
    assert cells["internet"] == "internet - route"
    assert cells["web"] == "- group - ACL"
    assert cells["office"] == "VPN", "where both ends are elsewhere nothing is said"
    assert lines[-3:] == [
        "internet -> data:5432: answer: no route",
        "web -> web:443: group of web",
        "web -> data:5432: answer: ACL into data a",
    ]


def test_a_table_is_printed_whole_however_narrow_the_console_is() -> None:
    out = StringIO()
    Progress(Console(file=out, width=20)).table(table.render(VERDICTS, "Who reaches whom"))
    assert "internet   - route" in out.getvalue()
    assert "…" not in out.getvalue()


class Ec2:
    """One private subnet without a table or list of its own, in a VPC with both."""

    def __init__(self) -> None:
        self._answers: dict[str, Any] = {
            "Subnets": [{"SubnetId": "s", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "eu-central-1a"}],
            "RouteTables": [
                {"Routes": [], "Associations": [{"SubnetId": "other"}], "PropagatingVgws": []},
                {
                    "Routes": [
                        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
                        {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "blackhole"},
                        {"DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw-1", "State": "active"},
                        {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "active"},
                        {"DestinationCidrBlock": "10.1.0.0/16", "VpcPeeringConnectionId": "pcx-1", "State": "active"},
                        {"DestinationCidrBlock": "10.2.0.0/16", "CoreNetworkArn": "arn:core", "State": "active"},
                        {
                            "DestinationCidrBlock": "172.16.0.0/12",
                            "GatewayId": "vgw-1",
                            "State": "active",
                            "Origin": "EnableVgwRoutePropagation",
                        },
                    ],
                    "Associations": [{"Main": True}],
                    "PropagatingVgws": [{"GatewayId": "vgw-1"}],
                },
            ],
            "NetworkAcls": [
                {
                    "Associations": [{"SubnetId": "s"}],
                    "Entries": [
                        {
                            "RuleNumber": 1,
                            "Egress": False,
                            "RuleAction": "deny",
                            "Protocol": "6",
                            "CidrBlock": "0.0.0.0/0",
                            "PortRange": {"From": 1, "To": 2},
                        },
                        {
                            "RuleNumber": 2,
                            "Egress": False,
                            "RuleAction": "allow",
                            "Protocol": "-1",
                            "Ipv6CidrBlock": "::/0",
                        },
                    ],
                }
            ],
            "VpnConnections": [
                {
                    "VpnGatewayId": "vgw-1",
                    "Routes": [
                        {"DestinationCidrBlock": "192.168.0.0/16", "State": "available"},
                        {"DestinationCidrBlock": "192.169.0.0/16", "State": "deleted"},
                    ],
                }
            ],
        }

    def also(self, kind: str, one: dict[str, Any]) -> None:
        self._answers.setdefault(kind, []).append(one)

    def __getattr__(self, name: str) -> Any:
        found = "".join(word.capitalize() for word in name.removeprefix("describe_").split("_"))
        return lambda **_asked: {found: self._answers.get(found, [])}


def test_a_subnet_without_a_table_of_its_own_has_the_main_one() -> None:
    (subnet,) = read(Ec2(), "vpc", {"private": ["s"]}, None).subnets["private"]
    assert subnet.name == "private a"
    assert subnet.routes == (
        Route("10.0.0.0/16", "local"),
        Route("0.0.0.0/0", "nat-1", live=False),
        Route("::/0", "igw-1"),
        Route("pl-1", "vpce-1"),
        Route("10.1.0.0/16", "pcx-1"),
        Route("10.2.0.0/16", "something else"),
        Route("172.16.0.0/12", "vgw-1", propagated=True),
    )
    assert [(rule.number, rule.allow, rule.ports) for rule in subnet.rules] == [(1, False, (1, 2))]


def test_each_tier_is_said_to_lead_wherever_one_of_its_routes_leads() -> None:
    assert table.ways(read(Ec2(), "vpc", {"private": ["s"]}, None)) == {
        "private": {
            "local",
            "NAT gateway",
            "internet gateway",
            "endpoint",
            "VPN",
            "another way, pcx-1",
            "another way, something else",
        }
    }


def test_a_nat_gateway_in_a_subnet_of_no_tier_is_one_too() -> None:
    ec2 = Ec2()
    ec2.also("Subnets", {"SubnetId": "t", "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "eu-central-1a"})
    ec2.also("NatGateways", {"NatGatewayId": "nat-1", "SubnetId": "t"})
    deployed = read(ec2, "vpc", {"private": ["s"]}, None)
    assert deployed.network.nats["nat-1"].cidr == "10.0.1.0/24"
    assert [one.name for one in deployed.subnets["private"]] == ["private a"]


def test_static_routes_of_the_vpn_are_added_where_they_propagate() -> None:
    deployed = read(Ec2(), "vpc", {"private": ["s"]}, "vpn-1")
    (subnet,) = deployed.subnets["private"]
    assert subnet.routes[-1] == Route("192.168.0.0/16", "vgw-1", propagated=True)
    assert deployed.propagating == {"private a": ["vgw-1"]}
    assert deployed.office is not None
    assert deployed.office.address == "192.168.0.1"
    assert read(Ec2(), "vpc", {"private": ["s"]}, None).office is None
