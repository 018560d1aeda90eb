"""Rules between security groups, and flow logs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from localcloud.calls import call
from localcloud.resource_types._ec2 import retag, tag

if TYPE_CHECKING:
    from localcloud.registry import Call, Props, Registry

_FLOW_LOG = ("TrafficType", "LogDestinationType", "LogDestination", "LogGroupName", "DeliverLogsPermissionArn")
# Properties that name the other side of a rule -> how a call names it.
_OTHER_SIDES = {
    ("SourceSecurityGroupId", "DestinationSecurityGroupId"): "Groups.1.GroupId",
    ("CidrIp",): "IpRanges.1.CidrIp",
    ("CidrIpv6",): "Ipv6Ranges.1.CidrIpv6",
    ("SourcePrefixListId", "DestinationPrefixListId"): "PrefixListIds.1.PrefixListId",
}


def register(registry: Registry) -> None:
    """Add the types."""
    registry.relation(
        "AWS::EC2::SecurityGroupIngress",
        service="ec2",
        do=partial(_rule, "AuthorizeSecurityGroupIngress"),
        undo=partial(_rule, "RevokeSecurityGroupIngress"),
    )
    registry.relation(
        "AWS::EC2::SecurityGroupEgress",
        service="ec2",
        do=lambda props: [*_without_default(props["GroupId"]), *_rule("AuthorizeSecurityGroupEgress", props)],
        undo=partial(_rule, "RevokeSecurityGroupEgress"),
    )
    registry.adapter(
        "AWS::EC2::FlowLog",
        service="ec2",
        create=lambda _name, props: ("CreateFlowLogs", _flow_log(props)),
        delete=lambda identity, _props: ("DeleteFlowLogs", {"FlowLogId.1": identity}),
        physical_id=lambda answer: answer.findtext(".//flowLogIdSet/item", ""),
        then=tag,
        describe=lambda identity, _props: ("DescribeFlowLogs", {"FlowLogId.1": identity}),
        attributes={"Id": "flowLogId"},
        update=retag,
        create_only=("ResourceId", "ResourceType", *_FLOW_LOG),
    )


def _rule(action: str, props: Props) -> list[Call]:
    parameters = {"GroupId": props["GroupId"], "IpPermissions.1.IpProtocol": str(props["IpProtocol"])}
    for name in ("FromPort", "ToPort"):
        if name in props:
            parameters[f"IpPermissions.1.{name}"] = str(props[name])
    for names, parameter in _OTHER_SIDES.items():
        for name in names:
            if name in props:
                parameters[f"IpPermissions.1.{parameter}"] = props[name]
                if "Description" in props:
                    described = parameter.rpartition(".")[0] + ".Description"
                    parameters[f"IpPermissions.1.{described}"] = props["Description"]
    return [(action, parameters)]


def _without_default(group: str) -> list[Call]:
    """With a rule of its own, a group loses the one that lets everything out (source: aws-cdk, issues 987, 3355)."""
    answer = call("ec2", "DescribeSecurityGroups", {"GroupId.1": group})
    everything = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
    for item in answer.iterfind(".//ipPermissionsEgress/item"):
        ranges = [one.text for one in item.iterfind("ipRanges/item/cidrIp")]
        if item.findtext("ipProtocol") == "-1" and ranges == ["0.0.0.0/0"]:
            return _rule("RevokeSecurityGroupEgress", {"GroupId": group, **everything})
    return []


def _flow_log(props: Props) -> dict[str, str]:
    parameters = {"ResourceId.1": props["ResourceId"], "ResourceType": props["ResourceType"]}
    return parameters | {name: props[name] for name in _FLOW_LOG if name in props}
