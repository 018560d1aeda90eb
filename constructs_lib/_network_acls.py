"""The network ACLs of a network's three tiers: stateless, so each direction says what may pass, answers included.

What AWS itself answers in a VPC passes without a rule: its DNS and time, DHCP, metadata of instances and tasks (source:
Amazon VPC user guide, "Network ACL basics"). There is no IPv6 in the network, and no rule for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from constructs_lib._acknowledge import acknowledge

# Ports that askers listen on for answers: NAT gateways and load balancers use all from 1024
# (source: Amazon VPC user guide, "Custom network ACLs", ephemeral ports).
_EPHEMERAL = (1024, 65535)
_ANYWHERE = "0.0.0.0/0"
# Addresses of no public service: those of RFC 1918, and of RFC 6598.
PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
_SPARING = (
    "Each tier has its own list on purpose, so that a security group that was opened by mistake opens no other tier; "
    "a unit test holds the rules of both directions together."
)


@dataclass(frozen=True)
class Rule:
    """One line of a list: from or to where, on which TCP ports (None: any protocol), and whether it may pass."""

    cidr: str
    ports: tuple[int, int] | None = None
    allow: bool = True

    @property
    def traffic(self) -> ec2.AclTraffic:
        """For the CDK."""
        return ec2.AclTraffic.tcp_port_range(*self.ports) if self.ports else ec2.AclTraffic.all_traffic()


class Fragmentation(Rule):
    """ICMP type 3, code 4, "fragmentation needed", without which paths with a small MTU hang.

    Source: Amazon VPC user guide, "Path MTU Discovery and network ACLs".
    """

    @property
    def traffic(self) -> ec2.AclTraffic:
        """For the CDK."""
        return ec2.AclTraffic.icmp(type=3, code=4)


_ANY_PORT, _HTTP, _HTTPS = (0, 65535), (80, 80), (443, 443)


def public_rules(tiers: dict[str, str]) -> tuple[list[Rule], list[Rule]]:
    """In and out of the tier of load balancers and NAT: the web from anywhere, never the isolated tier."""
    rules = [
        Rule(tiers["isolated"], allow=False),
        Rule(tiers["public"]),
        Rule(tiers["private"], _ANY_PORT),
        Rule(_ANYWHERE, _HTTP),
        Rule(_ANYWHERE, _HTTPS),
        Rule(_ANYWHERE, _EPHEMERAL),
        Fragmentation(_ANYWHERE),
    ]
    return rules, rules


def private_rules(tiers: dict[str, str], networks: Sequence[str]) -> tuple[list[Rule], list[Rule]]:
    """In and out of the tier of servers: the other tiers, networks elsewhere, and answers from the internet."""
    inside = [Rule(tiers["public"], _ANY_PORT), Rule(tiers["private"])]
    # Last, so that a VPN which comes later renumbers nothing.
    elsewhere = [Fragmentation(_ANYWHERE), *(Rule(one) for one in networks)]
    # What stands in the isolated tier asks the endpoints of services, which stand here.
    incoming = [*inside, Rule(tiers["isolated"], _HTTPS), Rule(_ANYWHERE, _EPHEMERAL), *elsewhere]
    outgoing = [*inside, Rule(tiers["isolated"], _ANY_PORT), Rule(_ANYWHERE, _HTTP), Rule(_ANYWHERE, _HTTPS)]
    return incoming, [*outgoing, *elsewhere]


def isolated_rules(tiers: dict[str, str]) -> tuple[list[Rule], list[Rule]]:
    """In and out of the tier of data: the private tier and itself, of private addresses; then S3 and DynamoDB.

    It answers the private tier and asks it on 443; as answers go to any port from 1024, security groups decide there.
    Their gateway endpoints are reached at public addresses, and a network ACL cannot name a prefix list. So HTTPS may
    pass to any public address: the route table, which has those two services alone, decides where it gets.
    """
    within = [Rule(tiers["isolated"]), *(Rule(one, allow=False) for one in PRIVATE_RANGES)]
    last = Fragmentation(_ANYWHERE)
    incoming = [Rule(tiers["private"], _ANY_PORT), *within, Rule(_ANYWHERE, _EPHEMERAL)]
    outgoing = [Rule(tiers["private"], _HTTPS), Rule(tiers["private"], _EPHEMERAL), *within, Rule(_ANYWHERE, _HTTPS)]
    return [*incoming, last], [*outgoing, last]


def attach(
    scope: Construct, construct_id: str, vpc: ec2.IVpc, subnets: Sequence[ec2.ISubnet], rules: tuple[list[Rule], ...]
) -> ec2.NetworkAcl:
    """A network ACL with these rules in and out, in their order, for these subnets."""
    made = ec2.NetworkAcl(scope, construct_id, vpc=vpc, subnet_selection=ec2.SubnetSelection(subnets=subnets))
    acknowledge(made.node.default_child or made, {"AwsSolutions-VPC3": _SPARING})
    for direction, name, lines in zip(
        (ec2.TrafficDirection.INGRESS, ec2.TrafficDirection.EGRESS), ("In", "Out"), rules, strict=True
    ):
        # Ten apart, as AWS advises, so that others can be put between.
        for number, line in zip(count(100, 10), lines, strict=False):
            entry = made.add_entry(
                f"{name}{number}",
                rule_number=number,
                cidr=ec2.AclCidr.ipv4(line.cidr),
                traffic=line.traffic,
                direction=direction,
                rule_action=ec2.Action.ALLOW if line.allow else ec2.Action.DENY,
            )
            acknowledge(entry, {"AwsSolutions-VPC3": _SPARING})
    return made
