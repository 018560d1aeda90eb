"""Reads a deployed VPC by EC2's API into the model by which reachability is computed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from journeys._network_model import EPHEMERAL_OF_LINUX, AclRule, GroupRule, Network, Place, Ports, Route, Subnet

# Of RFC 5737: somebody on the internet who is no host of anybody's.
SOMEBODY = "198.51.100.7"


@dataclass(frozen=True)
class Deployed:
    """A VPC as it is now.

    Attributes:
        network: What its places share.
        subnets: Tier -> its subnets, in the order of their zones.
        zones: Subnet's name -> zone; one of no tier has its id for a name.
        services: S3 and DynamoDB, which its gateway endpoints lead to.
        office: Somebody in the network behind the VPN; None without one.
        propagating: Subnet's name -> VPN gateways whose routes its table takes over.
    """

    network: Network
    subnets: Mapping[str, list[Subnet]]
    zones: Mapping[str, str]
    services: Mapping[str, Place]
    office: Place | None
    propagating: Mapping[str, list[str]]

    @property
    def internet(self) -> Place:
        """Somebody there."""
        return Place("internet", SOMEBODY, behind="internet")

    def server(self, tier: str, zone: int, *groups: str, name: str = "") -> Place:
        """A server in a tier's subnet; with groups they are asked too, and without they are left out of account."""
        subnet = self.subnets[tier][zone]
        address = str(ip_network(subnet.cidr).network_address + 10)
        return Place(name or subnet.name, address, subnet, groups or None, answers=EPHEMERAL_OF_LINUX)


def read(ec2: Any, vpc: str, tiers: Mapping[str, Iterable[str]], connection: str | None) -> Deployed:
    """Ask EC2.

    Args:
        ec2: Its client.
        vpc: Id.
        tiers: Tier -> ids of its subnets.
        connection: Id of the VPN connection; None without one.
    """
    in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    learned = _vpn_routes(ec2, connection)
    tables = ec2.describe_route_tables(Filters=in_vpc)["RouteTables"]
    acls = ec2.describe_network_acls(Filters=in_vpc)["NetworkAcls"]
    tier_of = {identity: tier for tier, ids in tiers.items() for identity in ids}
    subnets: dict[str, Subnet] = {}
    zones, propagating = {}, {}
    # Also those of no tier: a NAT gateway there is a way out like any other.
    found = ec2.describe_subnets(Filters=in_vpc)["Subnets"]
    for one in sorted(found, key=lambda one: str(one["AvailabilityZone"])):
        identity, zone = one["SubnetId"], one["AvailabilityZone"]
        name = f"{tier_of[identity]} {zone[-1]}" if identity in tier_of else identity
        table = _table_of(tables, identity)
        subnets[identity] = Subnet(
            name, one["CidrBlock"], tuple(_routes(table, learned)), tuple(_rules(acls, identity))
        )
        zones[name] = zone
        propagating[name] = [each["GatewayId"] for each in table["PropagatingVgws"]]
    lists = {one["PrefixListId"]: one for one in ec2.describe_prefix_lists()["PrefixLists"]}
    nats = ec2.describe_nat_gateways(Filter=[*in_vpc, {"Name": "state", "Values": ["available"]}])["NatGateways"]
    gateways = [
        *(one["InternetGatewayId"] for one in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]),
        *(one["VpnGatewayId"] for one in ec2.describe_vpn_gateways(Filters=attached)["VpnGateways"]),
    ]
    groups = ec2.describe_security_groups(Filters=in_vpc)["SecurityGroups"]
    network = Network(
        groups={one["GroupId"]: tuple(_group_rules(one)) for one in groups},
        lists={name: tuple(one["Cidrs"]) for name, one in lists.items()},
        nats={one["NatGatewayId"]: subnets[one["SubnetId"]] for one in nats},
        attached=frozenset(gateways),
    )
    return Deployed(
        network=network,
        subnets={tier: [subnet for each, subnet in subnets.items() if each in set(ids)] for tier, ids in tiers.items()},
        zones=zones,
        services={
            name: Place(name, _first(one["Cidrs"][0]), behind="service")
            for one in lists.values()
            for name in ("S3", "DynamoDB")
            if one["PrefixListName"].endswith(f".{name.lower()}") and ".ipv6." not in one["PrefixListName"]
        },
        office=Place("office", _first(learned[0].destination), behind="vpn") if learned else None,
        propagating=propagating,
    )


def _first(cidr: str) -> str:
    return str(ip_network(cidr).network_address + 1)


def _vpn_routes(ec2: Any, connection: str | None) -> list[Route]:
    """The routes that a VPN gateway passes on. AWS does so while a tunnel is up; only then a table shows them."""
    if connection is None:
        return []
    (found,) = ec2.describe_vpn_connections(VpnConnectionIds=[connection])["VpnConnections"]
    return [
        Route(one["DestinationCidrBlock"], found["VpnGatewayId"], propagated=True)
        for one in found.get("Routes", [])
        if one["State"] == "available"
    ]


def _table_of(tables: list[dict[str, Any]], subnet: str) -> dict[str, Any]:
    """The subnet's own table, or else the VPC's main one."""
    ties = [(table, tie) for table in tables for tie in table["Associations"]]
    own = [table for table, tie in ties if tie.get("SubnetId") == subnet]
    return (own or [table for table, tie in ties if tie.get("Main")])[0]


_TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "EgressOnlyInternetGatewayId",
)
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


def _routes(table: dict[str, Any], learned: list[Route]) -> Iterable[Route]:
    for one in table["Routes"]:
        destination = next(one[name] for name in _DESTINATIONS if name in one)
        target = next((one[name] for name in _TARGETS if name in one), "something else")
        from_vpn = one.get("Origin") == "EnableVgwRoutePropagation"
        yield Route(destination, target, propagated=from_vpn, live=one["State"] == "active")
    gateways = {one["GatewayId"] for one in table["PropagatingVgws"]}
    yield from (route for route in learned if route.target in gateways)


def _rules(acls: list[dict[str, Any]], subnet: str) -> Iterable[AclRule]:
    for acl in acls:
        if any(tie["SubnetId"] == subnet for tie in acl["Associations"]):
            for one in acl["Entries"]:
                if "CidrBlock" in one:
                    allow = one["RuleAction"] == "allow"
                    yield AclRule(
                        one["RuleNumber"], one["Egress"], allow, one["Protocol"], one["CidrBlock"], _ports(one)
                    )


def _ports(entry: dict[str, Any]) -> Ports | None:
    said = entry.get("PortRange")
    return (said["From"], said["To"]) if said else None


def _group_rules(group: dict[str, Any]) -> Iterable[GroupRule]:
    for egress, name in ((False, "IpPermissions"), (True, "IpPermissionsEgress")):
        for one in group[name]:
            yield GroupRule(
                egress=egress,
                protocol=one["IpProtocol"],
                ports=(one["FromPort"], one["ToPort"]) if "FromPort" in one else None,
                cidrs=tuple(each["CidrIp"] for each in one["IpRanges"]),
                groups=tuple(each["GroupId"] for each in one["UserIdGroupPairs"]),
                lists=tuple(each["PrefixListId"] for each in one["PrefixListIds"]),
            )
