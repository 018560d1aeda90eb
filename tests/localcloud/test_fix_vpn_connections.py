"""localcloud/fixes/vpn_connections.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud

pytestmark = pytest.mark.cloud


def connected(cloud: LocalCloud) -> Any:
    ec2 = cloud.client("ec2")
    device = ec2.create_customer_gateway(Type="ipsec.1", IpAddress="203.0.113.1", BgpAsn=65000)["CustomerGateway"]
    gateway = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]
    tunnel: dict[str, Any] = {"IKEVersions": [{"Value": "ikev2"}], "DPDTimeoutAction": "restart"}
    made = ec2.create_vpn_connection(
        Type="ipsec.1",
        CustomerGatewayId=device["CustomerGatewayId"],
        VpnGatewayId=gateway["VpnGatewayId"],
        Options={"StaticRoutesOnly": True, "TunnelOptions": [tunnel, tunnel]},
    )["VpnConnection"]
    (found,) = ec2.describe_vpn_connections(VpnConnectionIds=[made["VpnConnectionId"]])["VpnConnections"]
    return found


def test_tunnels_keep_what_was_asked_and_are_down(cloud: LocalCloud, bare: LocalCloud) -> None:
    found = connected(cloud)
    tunnels = found["Options"]["TunnelOptions"]
    assert [(one["IkeVersions"], one["DpdTimeoutAction"]) for one in tunnels] == [([{"Value": "ikev2"}], "restart")] * 2
    assert len({one["OutsideIpAddress"] for one in tunnels}) == 2
    assert [one["Status"] for one in found["VgwTelemetry"]] == ["DOWN", "DOWN"]
    assert "TunnelOptions" not in connected(bare)["Options"], "the emulator keeps them now: the fix can go"


def test_a_tunnel_is_changed_and_the_other_is_not(cloud: LocalCloud, bare: LocalCloud) -> None:
    ec2, found = cloud.client("ec2"), connected(cloud)
    first, second = found["Options"]["TunnelOptions"]
    ec2.modify_vpn_tunnel_options(
        VpnConnectionId=found["VpnConnectionId"],
        VpnTunnelOutsideIpAddress=first["OutsideIpAddress"],
        TunnelOptions={"IKEVersions": [{"Value": "ikev1"}, {"Value": "ikev2"}]},
    )
    (again,) = ec2.describe_vpn_connections(VpnConnectionIds=[found["VpnConnectionId"]])["VpnConnections"]
    changed, same = again["Options"]["TunnelOptions"]
    assert changed == first | {"IkeVersions": [{"Value": "ikev1"}, {"Value": "ikev2"}]}
    assert same == second

    theirs = connected(bare)["VpnConnectionId"]
    with pytest.raises(ClientError, match="InvalidAction"):
        bare.client("ec2").modify_vpn_connection(VpnConnectionId=theirs, CustomerGatewayId="cgw-0")
