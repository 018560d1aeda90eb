"""A VPC as far as it decides who reaches whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

Ports = tuple[int, int]
ANY_PROTOCOL = "-1"
# Where answers go: to any port from 1024 of whoever is elsewhere, of NAT gateways and load balancers, and to these of
# Linux (sources: Amazon VPC user guide, "Custom network ACLs", ephemeral ports; net.ipv4.ip_local_port_range).
EPHEMERAL: Ports = (1024, 65535)
EPHEMERAL_OF_LINUX: Ports = (32768, 60999)


@dataclass(frozen=True)
class Route:
    """A line of a route table.

    Attributes:
        destination: CIDR, or the id of a prefix list.
        target: "local", or the id of a gateway or endpoint.
        propagated: Learned from a VPN gateway; a line of the table's own to the same network is preferred.
        live: False where the target is gone: such a route swallows what it leads.
    """

    destination: str
    target: str
    propagated: bool = False
    live: bool = True


@dataclass(frozen=True)
class AclRule:
    """A line of a network ACL; no ports means all."""

    number: int
    egress: bool
    allow: bool
    protocol: str
    cidr: str
    ports: Ports | None = None


@dataclass(frozen=True)
class GroupRule:
    """What a security group lets in or out; any of the other sides is enough, no ports means all."""

    egress: bool
    protocol: str
    ports: Ports | None = None
    cidrs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subnet:
    """A subnet with the lines of its route table and its network ACL."""

    name: str
    cidr: str
    routes: tuple[Route, ...] = ()
    rules: tuple[AclRule, ...] = ()


@dataclass(frozen=True)
class Place:
    """Who sends or receives.

    Attributes:
        name: For people.
        address: Its IPv4 address: in the subnet, or elsewhere.
        subnet: Where it stands; None for somebody elsewhere.
        groups: Its security groups; None leaves them out of account.
        behind: What leads to somebody elsewhere: "internet", "vpn", or "service" for one of AWS's.
        answers: The ports, one of which it takes to ask and listens on for the answer.
    """

    name: str
    address: str
    subnet: Subnet | None = None
    groups: tuple[str, ...] | None = None
    behind: str = ""
    answers: Ports = EPHEMERAL


@dataclass(frozen=True)
class Network:
    """What the places share.

    Attributes:
        groups: Security group -> its rules.
        lists: Prefix list -> its CIDRs.
        nats: NAT gateway -> the subnet that it stands in.
        attached: Internet and VPN gateways of the VPC.
    """

    groups: Mapping[str, tuple[GroupRule, ...]] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nats: Mapping[str, Subnet] = field(default_factory=dict)
    attached: frozenset[str] = frozenset()


def within(address: str, cidr: str) -> bool:
    """Whether an address is one of a network."""
    return ip_address(address) in ip_network(cidr)
