"""Elastic IP addresses, what they are tied to, and NAT gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.calls import call
from localcloud.resource_types._ec2 import parameters, retag, tag

if TYPE_CHECKING:
    from localcloud.registry import Call, Props, Registry


def register(registry: Registry) -> None:
    """Add the types."""
    registry.adapter(
        "AWS::EC2::EIP",
        service="ec2",
        create=lambda _name, props: ("AllocateAddress", parameters(props, ("Domain",))),
        then=lambda address, props: [*_tie(address, props), *tag(allocation(address), props)],
        delete=lambda address, _props: ("ReleaseAddress", {"AllocationId": allocation(address)}),
        physical_id=lambda answer: answer.findtext("publicIp", ""),
        describe=lambda address, _props: ("DescribeAddresses", {"AllocationId.1": allocation(address)}),
        attributes={"AllocationId": "allocationId", "PublicIp": "publicIp"},
        update=lambda address, old, new: [
            *(_tie(address, new) if old.get("InstanceId") != new.get("InstanceId") else []),
            *retag(allocation(address), old, new),
        ],
        create_only=("NetworkBorderGroup", "TransferAddress", "IpamPoolId", "Address"),
    )
    registry.adapter(
        "AWS::EC2::EIPAssociation",
        service="ec2",
        create=lambda _name, props: ("AssociateAddress", parameters(props, _TIES)),
        delete=lambda identity, _props: ("DisassociateAddress", {"AssociationId": identity}),
        physical_id=lambda answer: answer.findtext("associationId", ""),
        attributes={"Id": "associationId"},
        update=lambda *_what: [],
        create_only=_TIES,
    )
    registry.adapter(
        "AWS::EC2::NatGateway",
        service="ec2",
        create=lambda _name, props: ("CreateNatGateway", parameters(props, _PLACE)),
        then=tag,
        delete=lambda identity, _props: ("DeleteNatGateway", {"NatGatewayId": identity}),
        physical_id=lambda answer: answer.findtext(".//natGatewayId", ""),
        describe=lambda identity, _props: ("DescribeNatGateways", {"NatGatewayId.1": identity}),
        attributes={"NatGatewayId": "natGatewayId"},
        update=retag,
        create_only=_PLACE,
    )


_PLACE = ("SubnetId", "ConnectivityType", "AllocationId", "PrivateIpAddress", "VpcId", "AvailabilityMode")
_TIES = ("AllocationId", "InstanceId", "NetworkInterfaceId", "PrivateIpAddress", "EIP")


def allocation(address: str) -> str:
    """The id of an elastic IP address, whose Ref is the address itself."""
    for item in call("ec2", "DescribeAddresses", {}).iterfind(".//addressesSet/item"):
        if item.findtext("publicIp") == address:
            return item.findtext("allocationId", "")
    message = f"InvalidAddress.NotFound: Address '{address}' not found."
    raise ValueError(message)


def _tie(address: str, props: Props) -> list[Call]:
    if "InstanceId" not in props:
        return []
    return [("AssociateAddress", {"AllocationId": allocation(address), "InstanceId": props["InstanceId"]})]
