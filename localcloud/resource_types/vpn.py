"""VPN connections: the gateways of both sides, what is between them, and where its routes propagate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.calls import call
from localcloud.resource_types._ec2 import parameters, retag, tag

if TYPE_CHECKING:
    from localcloud.registry import Call, Props, Registry

_DEVICE = ("CertificateArn", "BgpAsn", "BgpAsnExtended", "Type", "IpAddress", "DeviceName")
_OURS = ("AmazonSideAsn", "Type")
_ENDS = ("CustomerGatewayId", "VpnGatewayId", "TransitGatewayId")
_TUNNELS = "VpnTunnelOptionsSpecifications"
# The API calls a list by what one of its items is.
_SINGULAR = {"IKEVersions": "IKEVersion", "CloudwatchLogOptions": "CloudWatchLogOptions"} | {
    f"Phase{number}{what}s": f"Phase{number}{what}"
    for number in (1, 2)
    for what in ("EncryptionAlgorithm", "IntegrityAlgorithm", "DHGroupNumber")
}


def register(registry: Registry) -> None:
    """Add the types."""
    registry.adapter(
        "AWS::EC2::CustomerGateway",
        service="ec2",
        create=lambda _name, props: ("CreateCustomerGateway", _device(props)),
        then=tag,
        delete=lambda identity, _props: ("DeleteCustomerGateway", {"CustomerGatewayId": identity}),
        physical_id=lambda answer: answer.findtext(".//customerGatewayId", ""),
        describe=lambda identity, _props: ("DescribeCustomerGateways", {"CustomerGatewayId.1": identity}),
        attributes={"CustomerGatewayId": "customerGatewayId"},
        update=retag,
        create_only=_DEVICE,
    )
    registry.adapter(
        "AWS::EC2::VPNGateway",
        service="ec2",
        create=lambda _name, props: ("CreateVpnGateway", parameters(props, _OURS)),
        then=tag,
        delete=lambda identity, _props: ("DeleteVpnGateway", {"VpnGatewayId": identity}),
        physical_id=lambda answer: answer.findtext(".//vpnGatewayId", ""),
        describe=lambda identity, _props: ("DescribeVpnGateways", {"VpnGatewayId.1": identity}),
        attributes={"VPNGatewayId": "vpnGatewayId"},
        update=retag,
        create_only=_OURS,
    )
    registry.relation(
        "AWS::EC2::VPNGatewayRoutePropagation",
        service="ec2",
        do=lambda props: _propagate("Enable", props, props["RouteTableIds"]),
        undo=lambda props: _propagate("Disable", props, props["RouteTableIds"]),
        update=_propagate_elsewhere,
    )
    registry.adapter(
        "AWS::EC2::VPNConnection",
        service="ec2",
        create=lambda _name, props: ("CreateVpnConnection", _connection(props)),
        then=tag,
        delete=lambda identity, _props: ("DeleteVpnConnection", {"VpnConnectionId": identity}),
        physical_id=lambda answer: answer.findtext(".//vpnConnectionId", ""),
        describe=lambda identity, _props: ("DescribeVpnConnections", {"VpnConnectionId.1": identity}),
        attributes={"VpnConnectionId": "vpnConnectionId"},
        update=_reconnect,
        create_only=("Type", "StaticRoutesOnly", "EnableAcceleration", "LocalIpv4NetworkCidr", "RemoteIpv4NetworkCidr"),
    )
    registry.relation(
        "AWS::EC2::VPNConnectionRoute",
        service="ec2",
        do=lambda props: [("CreateVpnConnectionRoute", parameters(props, props))],
        undo=lambda props: [("DeleteVpnConnectionRoute", parameters(props, props))],
    )


def _device(props: Props) -> dict[str, str]:
    """A number of more than 31 bits has a property of its own, and in the emulator no parameter of its own."""
    asn = props.get("BgpAsnExtended", props.get("BgpAsn", 65000))
    return parameters(props, ("Type", "IpAddress", "CertificateArn", "DeviceName")) | {"BgpAsn": str(asn)}


def _propagate(verb: str, props: Props, tables: list[str]) -> list[Call]:
    gateway = props["VpnGatewayId"]
    return [(f"{verb}VgwRoutePropagation", {"GatewayId": gateway, "RouteTableId": one}) for one in tables]


def _propagate_elsewhere(old: Props, new: Props) -> list[Call]:
    """Tables that stay are left alone, unless the gateway is another."""
    same = old["VpnGatewayId"] == new["VpnGatewayId"]
    before, after = old["RouteTableIds"], new["RouteTableIds"]
    gone = [one for one in before if not (same and one in after)]
    come = [one for one in after if not (same and one in before)]
    return [*_propagate("Disable", old, gone), *_propagate("Enable", new, come)]


def _connection(props: Props) -> dict[str, str]:
    options = {"StaticRoutesOnly": props.get("StaticRoutesOnly", False), "TunnelOptions": _tunnels(props)}
    return parameters({**props, "Options": options}, ("Type", *_ENDS, "Options"))


def _tunnels(props: Props) -> list[Props]:
    return [
        {_SINGULAR.get(name, name): _renamed(value) for name, value in one.items()} for one in props.get(_TUNNELS, [])
    ]


def _renamed(value: object) -> object:
    return {_SINGULAR.get(name, name): one for name, one in value.items()} if isinstance(value, dict) else value


def _reconnect(identity: str, old: Props, new: Props) -> list[Call]:
    """Ends and tunnels are changed in place; a tunnel is named by its address on our side."""
    calls = retag(identity, old, new)
    if any(old.get(end) != new.get(end) for end in _ENDS):
        calls.append(("ModifyVpnConnection", {"VpnConnectionId": identity, **parameters(new, _ENDS)}))
    if old.get(_TUNNELS) != new.get(_TUNNELS):
        answer = call("ec2", "DescribeVpnConnections", {"VpnConnectionId.1": identity})
        addresses = [one.text or "" for one in answer.iterfind(".//tunnelOptionSet/item/outsideIpAddress")]
        for address, tunnel in zip(addresses, _tunnels(new) or [{}, {}], strict=False):
            named = {"VpnConnectionId": identity, "VpnTunnelOutsideIpAddress": address}
            calls.append(("ModifyVpnTunnelOptions", named | parameters({"TunnelOptions": tunnel}, ["TunnelOptions"])))
    return calls
