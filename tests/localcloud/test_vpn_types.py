"""localcloud/resource_types/vpn.py: made, read back, changed in place or replaced, and gone."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from tests.localcloud import probes
from tests.localcloud.networks import Resources, own_tags, ref, resource, tags

pytestmark = pytest.mark.cloud

NAMES = ("One", "Two")


def tunnel(cipher: str) -> dict[str, Any]:
    return {
        "IKEVersions": [{"Value": "ikev2"}],
        "Phase1EncryptionAlgorithms": [{"Value": cipher}],
        "Phase1DHGroupNumbers": [{"Value": 20}, {"Value": 21}],
        "LogOptions": {"CloudwatchLogOptions": {"LogEnabled": True, "LogOutputFormat": "json"}},
    }


def vpn(
    *,
    tables: tuple[str, ...] = NAMES,
    route: str = "192.168.0.0/16",
    cipher: str = "AES256",
    device: str = "Device",
    **tagged: str,
) -> Resources:
    return {
        "Vpc": resource("VPC", CidrBlock="10.9.0.0/16"),
        **{name: resource("RouteTable", VpcId=ref("Vpc")) for name in NAMES},
        "Gateway": resource("VPNGateway", Type="ipsec.1", AmazonSideAsn=64512, Tags=tags(**tagged)),
        "Attached": resource("VPCGatewayAttachment", VpcId=ref("Vpc"), VpnGatewayId=ref("Gateway")),
        "Propagation": resource(
            "VPNGatewayRoutePropagation", VpnGatewayId=ref("Gateway"), RouteTableIds=[ref(one) for one in tables]
        )
        | {"DependsOn": "Attached"},
        "Device": resource(
            "CustomerGateway", Type="ipsec.1", IpAddress="203.0.113.1", BgpAsn=65000, Tags=tags(**tagged)
        ),
        "Other": resource("CustomerGateway", Type="ipsec.1", IpAddress="203.0.113.2", BgpAsnExtended=4200000000),
        "Connection": resource(
            "VPNConnection",
            Type="ipsec.1",
            StaticRoutesOnly=True,
            CustomerGatewayId=ref(device),
            VpnGatewayId=ref("Gateway"),
            VpnTunnelOptionsSpecifications=[tunnel(cipher), tunnel(cipher)],
            Tags=tags(**tagged),
        ),
        "Route": resource("VPNConnectionRoute", VpnConnectionId=ref("Connection"), DestinationCidrBlock=route),
    }


def connection(cloud: LocalCloud, identity: str) -> Any:
    (found,) = cloud.client("ec2").describe_vpn_connections(VpnConnectionIds=[identity])["VpnConnections"]
    return found


def propagating(cloud: LocalCloud, made: dict[str, str]) -> dict[str, list[str]]:
    tables = cloud.client("ec2").describe_route_tables(RouteTableIds=[made[name] for name in NAMES])["RouteTables"]
    return {one["RouteTableId"]: [each["GatewayId"] for each in one["PropagatingVgws"]] for one in tables}


@pytest.mark.lifecycle(
    "AWS::EC2::CustomerGateway",
    "AWS::EC2::VPNGateway",
    "AWS::EC2::VPNGatewayRoutePropagation",
    "AWS::EC2::VPNConnection",
    "AWS::EC2::VPNConnectionRoute",
)
def test_a_connection_its_ends_and_its_routes(cloud: LocalCloud) -> Any:
    ec2 = cloud.client("ec2")
    made = probes.deploy(cloud, vpn(office="x"))
    (device,) = ec2.describe_customer_gateways(CustomerGatewayIds=[made["Device"]])["CustomerGateways"]
    assert (device["IpAddress"], device["BgpAsn"], own_tags(device)) == ("203.0.113.1", "65000", {"office": "x"})
    (long,) = ec2.describe_customer_gateways(CustomerGatewayIds=[made["Other"]])["CustomerGateways"]
    assert long["BgpAsn"] == "4200000000"
    (gateway,) = ec2.describe_vpn_gateways(VpnGatewayIds=[made["Gateway"]])["VpnGateways"]
    assert gateway["VpcAttachments"] == [{"VpcId": made["Vpc"], "State": "attached"}]
    assert (gateway["AmazonSideAsn"], own_tags(gateway)) == (64512, {"office": "x"})
    assert propagating(cloud, made) == {made["One"]: [made["Gateway"]], made["Two"]: [made["Gateway"]]}
    found = connection(cloud, made["Connection"])
    assert (found["CustomerGatewayId"], found["VpnGatewayId"]) == (made["Device"], made["Gateway"])
    assert found["Routes"] == [{"DestinationCidrBlock": "192.168.0.0/16", "State": "available"}]
    assert found["Options"]["StaticRoutesOnly"] is True
    assert [one["Phase1EncryptionAlgorithms"] for one in found["Options"]["TunnelOptions"]] == [
        [{"Value": "AES256"}]
    ] * 2

    # In place: other tunnels, another end, tags, tables. A route is another one.
    wanted = vpn(tables=("One",), route="172.16.0.0/12", cipher="AES256-GCM-16", device="Other", office="y")
    again = probes.update(cloud, wanted)
    same = ("Connection", "Gateway", "Device", "Propagation")
    assert [again[name] for name in same] == [made[name] for name in same]
    found = connection(cloud, made["Connection"])
    assert (found["CustomerGatewayId"], own_tags(found)) == (made["Other"], {"office": "y"})
    assert [one["DestinationCidrBlock"] for one in found["Routes"]] == ["172.16.0.0/12"]
    for one in found["Options"]["TunnelOptions"]:
        assert one["Phase1EncryptionAlgorithms"] == [{"Value": "AES256-GCM-16"}]
        assert one["Phase1DHGroupNumbers"] == [{"Value": 20}, {"Value": 21}]
    assert propagating(cloud, made) == {made["One"]: [made["Gateway"]], made["Two"]: []}

    probes.destroy(cloud)
    assert ec2.describe_vpn_connections(VpnConnectionIds=[made["Connection"]])["VpnConnections"] == []
    assert ec2.describe_vpn_gateways(VpnGatewayIds=[made["Gateway"]])["VpnGateways"] == []
    assert ec2.describe_customer_gateways(CustomerGatewayIds=[made["Device"]])["CustomerGateways"] == []


def test_a_device_at_another_address_is_another_device(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, vpn())
    moved = vpn()
    moved["Device"]["Properties"]["IpAddress"] = "203.0.113.9"
    again = probes.update(cloud, moved)
    assert (again["Device"] != made["Device"], again["Connection"]) == (True, made["Connection"])
    assert connection(cloud, made["Connection"])["CustomerGatewayId"] == again["Device"]
    probes.destroy(cloud)


def test_routing_that_is_learned_is_another_connection(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, vpn())
    learned = vpn()
    learned["Connection"]["Properties"]["StaticRoutesOnly"] = False
    again = probes.update(cloud, learned)
    assert again["Connection"] != made["Connection"]
    assert connection(cloud, again["Connection"])["Options"]["StaticRoutesOnly"] is False
    probes.destroy(cloud)


def test_what_is_not_there_cannot_be_changed(cloud: LocalCloud) -> None:
    with pytest.raises(ClientError, match=r"InvalidVpnConnectionID\.NotFound"):
        cloud.client("ec2").modify_vpn_connection(VpnConnectionId="vpn-0", CustomerGatewayId="cgw-0")
