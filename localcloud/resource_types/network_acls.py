"""Network ACLs, their entries, and the subnets they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.calls import call
from localcloud.resource_types._ec2 import parameters, retag, tag

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from localcloud.registry import Props, Registry


def register(registry: Registry) -> None:
    """Add the types."""
    registry.adapter(
        "AWS::EC2::NetworkAcl",
        service="ec2",
        create=lambda _name, props: ("CreateNetworkAcl", {"VpcId": props["VpcId"]}),
        then=tag,
        delete=lambda identity, _props: ("DeleteNetworkAcl", {"NetworkAclId": identity}),
        physical_id=lambda answer: answer.findtext(".//networkAclId", ""),
        describe=lambda identity, _props: ("DescribeNetworkAcls", {"NetworkAclId.1": identity}),
        attributes={"Id": "networkAclId"},
        update=retag,
        create_only=("VpcId",),
    )
    registry.relation(
        "AWS::EC2::NetworkAclEntry",
        service="ec2",
        do=lambda props: [("CreateNetworkAclEntry", _entry(props))],
        undo=lambda props: [("DeleteNetworkAclEntry", _entry(props))],
        update=lambda _old, new: [("ReplaceNetworkAclEntry", _entry(new))],
        create_only=("Egress", "RuleNumber", "NetworkAclId"),
    )
    registry._add(
        "AWS::EC2::SubnetNetworkAclAssociation", "adapter", Association.create, Association.update, Association.delete
    )


def _entry(props: Props) -> dict[str, str]:
    """Egress is false when it is left out, and the protocol a number that may come as text."""
    names = ("NetworkAclId", "RuleNumber", "Protocol", "RuleAction", "CidrBlock", "Ipv6CidrBlock", "PortRange", "Icmp")
    return parameters({"Egress": False} | props, (*names, "Egress"))


class Association:
    """AWS::EC2::SubnetNetworkAclAssociation. A subnet always has a list: tying it to another one replaces a tie."""

    @staticmethod
    def create(_logical_id: str, props: Props, _stack_name: str) -> tuple[str, dict[str, str]]:
        """ReplaceNetworkAclAssociation; Ref is the id of the new tie."""
        (found,) = (tie.findtext("networkAclAssociationId", "") for tie in _ties(props["SubnetId"]))
        answer = call("ec2", "ReplaceNetworkAclAssociation", _to(found, props["NetworkAclId"]))
        identity = answer.findtext("newAssociationId", "")
        return identity, {"AssociationId": identity}

    @staticmethod
    def update(_identity: str, _old: Props, new: Props, stack_name: str, logical_id: str) -> tuple[str, dict[str, str]]:
        """Another tie; it has taken the place of the old one, of which nothing is left to delete."""
        return Association.create(logical_id, new, stack_name)

    @staticmethod
    def delete(identity: str, props: Props) -> None:
        """The subnet goes back to the VPC's default list, unless another tie has taken this one's place."""
        for tie in _ties(props["SubnetId"]):
            if tie.findtext("networkAclAssociationId") == identity:
                call("ec2", "ReplaceNetworkAclAssociation", _to(identity, _default_acl(props["SubnetId"])))


def _to(association: str, acl: str) -> dict[str, str]:
    return {"AssociationId": association, "NetworkAclId": acl}


def _ties(subnet: str) -> list[ET.Element]:
    every = call("ec2", "DescribeNetworkAcls", {}).iterfind(".//associationSet/item")
    return [tie for tie in every if tie.findtext("subnetId") == subnet]


def _default_acl(subnet: str) -> str:
    answer = call("ec2", "DescribeSubnets", {"SubnetId.1": subnet})
    wanted = {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": answer.findtext(".//vpcId", "")}
    wanted |= {"Filter.2.Name": "default", "Filter.2.Value.1": "true"}
    return call("ec2", "DescribeNetworkAcls", wanted).findtext(".//networkAclId", "")
