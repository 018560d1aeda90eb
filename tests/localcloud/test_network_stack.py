"""The network is deployed, changed and deleted as a stack: each time its table is what its settings say."""

from typing import Any

import pytest

from journeys import _network_table as table
from journeys._network_reading import Deployed, read
from journeys.network import by_tiers, ways
from localcloud.cloud import LocalCloud
from tests.localcloud import probes
from tests.stacks.template_ec2 import made, tiers
from tests.templates import Template, resources

pytestmark = pytest.mark.cloud

Ids = dict[str, str]


def look(cloud: LocalCloud, template: Template, ids: Ids) -> Deployed:
    (vpc,) = resources(template, "AWS::EC2::VPC")
    connection = next((ids[one] for one in resources(template, "AWS::EC2::VPNConnection")), None)
    standing = {tier: [ids[one] for one in names] for tier, names in tiers(template).items()}
    return read(cloud.client("ec2"), ids[vpc], standing, connection)


def of_vpc(cloud: LocalCloud, vpc: str) -> dict[str, list[Any]]:
    """What there is of a VPC; what AWS makes with it goes with it."""
    ec2, within = cloud.client("ec2"), [{"Name": "vpc-id", "Values": [vpc]}]
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    available = [*within, {"Name": "state", "Values": ["available"]}]
    return {
        "acls": ec2.describe_network_acls(Filters=within)["NetworkAcls"],
        "endpoints": ec2.describe_vpc_endpoints(Filters=within)["VpcEndpoints"],
        "flow logs": ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc]}])["FlowLogs"],
        "gateways": ec2.describe_internet_gateways(Filters=attached)["InternetGateways"],
        "groups": ec2.describe_security_groups(Filters=within)["SecurityGroups"],
        "nat": ec2.describe_nat_gateways(Filter=available)["NatGateways"],
        "subnets": ec2.describe_subnets(Filters=within)["Subnets"],
        "tables": ec2.describe_route_tables(Filters=within)["RouteTables"],
        "vpn": ec2.describe_vpn_gateways(Filters=attached)["VpnGateways"],
    }


def test_it_is_deployed_made_cheaper_made_dearer_and_deleted(cloud: LocalCloud) -> None:
    default, one = made(), made(nat_gateways="1")
    cheapest = made(nat_gateways="0", vpn_remote="none", interface_endpoints="none")
    first: Ids = probes.deploy(cloud, default["Resources"])
    (vpc,) = resources(default, "AWS::EC2::VPC")
    addresses = {each["PublicIp"] for each in cloud.client("ec2").describe_addresses()["Addresses"]}
    assert len(addresses & set(first.values())) == 3

    for template, gateways, office in ((one, 1, True), (cheapest, 0, False), (default, 3, True)):
        ids = probes.update(cloud, template["Resources"])
        deployed = look(cloud, template, ids)
        assert len(deployed.network.nats) == gateways
        wanted = by_tiers(nat=gateways > 0, office=office)
        assert table.differences(table.tiers(deployed), wanted) == []
        assert table.ways(deployed) == ways(nat=gateways > 0, office=office)
        kept = ("AWS::EC2::Subnet", "AWS::EC2::RouteTable", "AWS::EC2::NetworkAcl", "AWS::EC2::VPC")
        for kind in kept:
            assert all(ids[name] == first[name] for name in resources(template, kind)), f"another {kind}"
        assert bool(of_vpc(cloud, first[vpc])["vpn"]) is office

    probes.destroy(cloud)
    left = {what: found for what, found in of_vpc(cloud, first[vpc]).items() if found}
    assert left == {}
    ours = addresses & set(first.values())
    assert not ours & {each["PublicIp"] for each in cloud.client("ec2").describe_addresses()["Addresses"]}
