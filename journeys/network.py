"""Who reaches whom, computed from the deployed routes, network ACLs and security groups; and who may change that."""

from collections.abc import Callable
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Any

from journeys import _network_changes as changes
from journeys import _network_table as table
from journeys._network_reading import Deployed, read
from journeys._world import World

READS = (
    "VpcId",
    "PublicSubnetIds",
    "PrivateSubnetIds",
    "IsolatedSubnetIds",
    "PublicAclId",
    "PrivateAclId",
    "IsolatedAclId",
    "WebGroupId",
    "AppGroupId",
    "DataGroupId",
    "FlowLogGroupName",
    "AuditorRoleArn",
    "OperatorRoleArn",
    "VpnGatewayId",
    "VpnConnectionId",
    "CustomerGatewayId",
)
TIERS = ("public", "private", "isolated")
# RFC 5737: addresses that stand for others.
STAND_INS = [ip_network(one) for one in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
SERVICES = {"S3:443": "endpoint", "DynamoDB:443": "endpoint"}


def ways(*, nat: bool, office: bool) -> dict[str, set[str]]:
    """What the routes of each tier should lead to, and nowhere else."""
    inside = {"local", "endpoint"}
    return {
        "public": inside | {"internet gateway"},
        "private": inside | ({"NAT gateway"} if nat else set()) | ({"VPN"} if office else set()),
        "isolated": inside,
    }


def by_tiers(*, nat: bool, office: bool) -> table.Ways:
    """What routes and network ACLs should let through, and nothing else."""
    gateway, vpn = {"internet:443": "NAT gateway"}, {"office:443": "VPN"}
    private = {f"private:{port}": "local" for port in (443, 8080, 22)}
    return {
        "internet": {"public:443": "internet gateway"},
        "office": dict.fromkeys(private, "VPN") if office else {},
        "public": {"internet:443": "internet gateway", **SERVICES, "public:443": "local", **private},
        "private": {
            **(gateway if nat else {}),
            **SERVICES,
            **(vpn if office else {}),
            "public:443": "local",
            **private,
            "isolated:5432": "local",
        },
        # To the endpoints of services on 443, and to itself. Ports from 1024 are where it answers: its ACL lets them
        # pass whoever asked, since an ACL knows no connection; with security groups nobody is reached there.
        "isolated": {**SERVICES, "private:443": "local", "private:8080": "local", "isolated:5432": "local"},
    }


def by_servers(*, nat: bool, endpoints: bool) -> table.Ways:
    """What remains of it with the security groups of the example."""
    return {
        "internet": {"web:443": "internet gateway"},
        "web": {"app:8080": "local"},
        "app": {
            **({"internet:443": "NAT gateway"} if nat else {}),
            "S3:443": "endpoint",
            "web:443": "local",
            "data:5432": "local",
            **({"endpoints:443": "local"} if endpoints else {}),
        },
    }


def run(world: World) -> None:
    auditor = world.as_role(world.out["AuditorRoleArn"]).client("ec2")
    ids = {tier: world.out[f"{tier.capitalize()}SubnetIds"].split(",") for tier in TIERS}
    look = partial(read, auditor, world.out["VpcId"], ids, world.out.get("VpnConnectionId"))
    deployed = _layout(world, look)
    _reached(world, auditor, deployed)
    _vpn(world, auditor, deployed)
    changes.shut(world, look)
    changes.cut(world, look)
    changes.rights(world, auditor)
    _written_down(world, auditor)
    reason = "no server stands in this network that could send one: what is proven is what its rules say"
    world.not_run("packets flow as the tables say, and flow logs hold their records", reason)


def _layout(world: World, look: Callable[[], Deployed]) -> Deployed:
    with world.step("the auditor reads the network: each tier has a subnet in every zone, and none overlaps") as step:
        deployed = look()
        every = [subnet for tier in TIERS for subnet in deployed.subnets[tier]]
        zones = {tier: [deployed.zones[one.name] for one in deployed.subnets[tier]] for tier in TIERS}
        assert zones["public"] == zones["private"] == zones["isolated"], zones
        assert len(set(zones["public"])) == len(zones["public"]) == 3, zones
        networks = [ip_network(one.cidr) for one in every]
        assert not any(a.overlaps(b) for a in networks for b in networks if a is not b), networks
        assert all(one.rules for one in every), "a subnet has no network ACL"
        step.show(zones=", ".join(zones["public"]), subnets=len(every), nat_gateways=len(deployed.network.nats))
        step.show(acl_rules=sum(len(one[0].rules) for one in deployed.subnets.values()))
    return deployed


def _reached(world: World, ec2: Any, deployed: Deployed) -> None:
    office = "VpnConnectionId" in world.out
    # Where a route is left behind, there should be a gateway.
    nat = bool(deployed.network.nats) or "NAT gateway" in table.ways(deployed)["private"]
    endpoints = _endpoints(ec2, world.out["VpcId"])
    group = endpoints[0]["Groups"][0]["GroupId"] if endpoints else None
    groups = {name: world.out[f"{name.capitalize()}GroupId"] for name in ("web", "app", "data")}
    tiers, servers = table.tiers(deployed), table.servers(deployed, groups, group)
    shown = [
        table.render(tiers, "Who reaches whom, by routes and network ACLs (in every zone)"),
        table.render(servers, "and with the security groups of the example's servers"),
    ]
    for one in shown:
        world.progress.table(one)
    world.save("reachability.txt", table.as_text(shown, tiers, servers))

    with world.step("public leaves by the internet gateway, private by NAT alone, isolated not at all") as step:
        wanted = by_tiers(nat=nat, office=office)
        assert not table.differences(tiers, wanted), table.differences(tiers, wanted)
        lead = table.ways(deployed)
        assert lead == ways(nat=nat, office=office), f"routes lead elsewhere: {lead}"
        found = table.reached(tiers)
        step.show(**{tier: found[tier].get("internet:443", tiers[tier]["internet:443"].how) for tier in TIERS})
        step.show(
            into_private=tiers["internet"]["private:443"].how, into_isolated=tiers["internet"]["isolated:5432"].how
        )

    with world.step("each server is reached by the tier before it, on its port, and by nobody else") as step:
        wanted = by_servers(nat=nat, endpoints=group is not None)
        assert not table.differences(servers, wanted), table.differences(servers, wanted)
        step.show(**{row: ", ".join(ways) or "nothing" for row, ways in table.reached(servers).items()})

    _by_nat(world, deployed)


def _by_nat(world: World, deployed: Deployed) -> None:
    private, places = deployed.subnets["private"], deployed.network.nats
    if not places:
        world.not_run("every private subnet leaves by a NAT gateway", "this network was deployed without them")
        return
    own = len(places) == len(private)
    which = "the NAT gateway of its own zone" if own else f"one of fewer NAT gateways than zones ({len(places)})"
    with world.step(f"every private subnet leaves by {which}") as step:
        for subnet in private:
            (target,) = [route.target for route in subnet.routes if route.target.startswith("nat-")]
            zone = deployed.zones[places[target].name]
            assert not own or zone == deployed.zones[subnet.name], f"{subnet.name} leaves by {zone}"
            step.show(**{subnet.name: f"{target} in {zone}"})


def _endpoints(ec2: Any, vpc: str) -> list[dict[str, Any]]:
    found = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["VpcEndpoints"]
    return [one for one in found if one["VpcId"] == vpc and one["VpcEndpointType"] == "Interface"]


def _vpn(world: World, ec2: Any, deployed: Deployed) -> None:
    if "VpnConnectionId" not in world.out:
        world.not_run("routes of the VPN propagate to the private tier", "this network was deployed without a VPN")
        return
    with world.step("routes of the VPN propagate to every private subnet, and to no other") as step:
        gateway = world.out["VpnGatewayId"]
        for name, gateways in deployed.propagating.items():
            assert gateways == ([gateway] if name.startswith("private") else []), f"{name} hears of {gateways}"
        (found,) = ec2.describe_vpn_connections(VpnConnectionIds=[world.out["VpnConnectionId"]])["VpnConnections"]
        assert (found["CustomerGatewayId"], found["VpnGatewayId"]) == (world.out["CustomerGatewayId"], gateway)
        routes = [one["DestinationCidrBlock"] for one in found["Routes"]]
        assert routes, "the connection has no routes"
        tunnels = [one["Status"] for one in found["VgwTelemetry"]]
        step.show(routes=", ".join(routes), by=gateway, tunnels=", ".join(tunnels))
        (device,) = ec2.describe_customer_gateways(CustomerGatewayIds=[found["CustomerGatewayId"]])["CustomerGateways"]
    address = device["IpAddress"]
    if any(ip_address(address) in one for one in STAND_INS):
        reason = f"the device at {address} is a stand-in (RFC 5737): nobody answers there"
        world.not_run("a tunnel of the VPN comes up", reason)
        return
    with world.step("a tunnel of the VPN is up") as step:
        step.show(tunnels=world.eventually(lambda: "UP" in tunnels and tunnels, within=1, what="a tunnel that is up"))


def _written_down(world: World, ec2: Any) -> None:
    with world.step("accepted and rejected traffic is written down, and forgotten in time") as step:
        filters = [{"Name": "resource-id", "Values": [world.out["VpcId"]]}]
        (log,) = ec2.describe_flow_logs(Filters=filters)["FlowLogs"]
        name = world.out["FlowLogGroupName"]
        assert (log["FlowLogStatus"], log["TrafficType"]) == ("ACTIVE", "ALL"), log
        assert name in (log.get("LogGroupName"), log.get("LogDestination")), log
        groups = world.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        days = [one.get("retentionInDays") for one in groups if one["logGroupName"] == name]
        assert days == [30], days
        step.show(traffic=log["TrafficType"], group=name, days=days[0])
