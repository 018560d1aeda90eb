"""localcloud/fixes/vpc_endpoints.py."""

from ipaddress import ip_network
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes
from tests.localcloud.networks import ref, resource, scratch_vpc, vpc

pytestmark = pytest.mark.cloud

S3 = "com.amazonaws.us-east-1.s3"


def routes_to_lists(cloud: LocalCloud) -> dict[str, Any]:
    """The routes to prefix lists of a table with an endpoint of S3, and of one without."""
    ec2, (vpc, _subnet) = cloud.client("ec2"), scratch_vpc(cloud)
    with_it, without = (ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=S3, VpcEndpointType="Gateway", RouteTableIds=[with_it])
    tables = ec2.describe_route_tables(RouteTableIds=[with_it, without])["RouteTables"]
    found = {
        "with" if one["RouteTableId"] == with_it else "without": [
            (route["DestinationPrefixListId"], route["GatewayId"])
            for route in one["Routes"]
            if "DestinationPrefixListId" in route
        ]
        for one in tables
    }
    return {**found, "endpoint": made["VpcEndpoint"]["VpcEndpointId"]}


def prefix_list(cloud: LocalCloud) -> Any:
    filters = [{"Name": "prefix-list-name", "Values": [S3]}]
    (found,) = cloud.client("ec2").describe_prefix_lists(Filters=filters)["PrefixLists"]
    return found


def test_a_route_table_shows_its_endpoints(cloud: LocalCloud, bare: LocalCloud) -> None:
    found = routes_to_lists(cloud)
    assert found["with"] == [(prefix_list(cloud)["PrefixListId"], found["endpoint"])]
    assert found["without"] == []
    assert routes_to_lists(bare)["with"] == [], "the emulator shows them now: the fix can go"


def test_the_addresses_of_services_are_public(cloud: LocalCloud, bare: LocalCloud) -> None:
    (cidr,) = prefix_list(cloud)["Cidrs"]
    assert ip_network(cidr).is_global
    entries = cloud.client("ec2").get_managed_prefix_list_entries(PrefixListId=prefix_list(cloud)["PrefixListId"])
    assert [one["Cidr"] for one in entries["Entries"]] == [cidr]
    assert not ip_network(prefix_list(bare)["Cidrs"][0]).is_global, "they are now: the fix can go"


def interface_endpoints(cloud: LocalCloud) -> tuple[Any, dict[str, str]]:
    """What a VPC with an interface endpoint answers when it is asked for its endpoints."""
    endpoint = resource(
        "VPCEndpoint",
        VpcId=ref("Vpc"),
        ServiceName="com.amazonaws.us-east-1.logs",
        VpcEndpointType="Interface",
        SubnetIds=[ref("Subnet")],
        SecurityGroupIds=[probes.attribute("Group", "GroupId")],
        PrivateDnsEnabled=True,
    )
    group = resource("SecurityGroup", GroupDescription="endpoints", VpcId=ref("Vpc"))
    resources = {**vpc("Subnet"), "Group": group, "Endpoint": endpoint}
    made = probes.deploy(cloud, resources, GroupId=("Group", "GroupId"))
    filters = [{"Name": "vpc-id", "Values": [made["Vpc"]]}]
    found = cloud.client("ec2").describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]
    probes.destroy(cloud)
    return found, made


def test_an_endpoint_tells_its_groups_and_a_vpc_its_own_endpoints(cloud: LocalCloud, bare: LocalCloud) -> None:
    routes_to_lists(cloud)
    (found,), made = interface_endpoints(cloud)
    assert (found["VpcEndpointId"], found["PrivateDnsEnabled"]) == (made["Endpoint"], True)
    assert [one["GroupId"] for one in found["Groups"]] == [made["GroupId"]]

    routes_to_lists(bare)
    theirs, made = interface_endpoints(bare)
    assert len(theirs) > 1, "the emulator filters now"
    assert not any("Groups" in one for one in theirs), "the emulator tells groups now"
