"""Rules between security groups, and flow logs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localcloud.registry import Call, Props, Registry


def register(registry: Registry) -> None:
    """Add the types."""
    for way in ("Ingress", "Egress"):
        registry.relation(
            f"AWS::EC2::SecurityGroup{way}",
            service="ec2",
            do=partial(_rule, f"AuthorizeSecurityGroup{way}"),
            undo=partial(_rule, f"RevokeSecurityGroup{way}"),
        )
    registry.adapter(
        "AWS::EC2::FlowLog",
        service="ec2",
        create=lambda _name, props: ("CreateFlowLogs", _flow_log(props)),
        delete=lambda identity, _props: ("DeleteFlowLogs", {"FlowLogId.1": identity}),
        physical_id=lambda answer: answer.findtext(".//flowLogIdSet/item", ""),
    )


def _rule(action: str, props: Props) -> list[Call]:
    parameters = {"GroupId": props["GroupId"], "IpPermissions.1.IpProtocol": str(props["IpProtocol"])}
    for name in ("FromPort", "ToPort"):
        if name in props:
            parameters[f"IpPermissions.1.{name}"] = str(props[name])
    other = props.get("SourceSecurityGroupId") or props.get("DestinationSecurityGroupId")
    if other:
        parameters["IpPermissions.1.Groups.1.GroupId"] = other
    if "CidrIp" in props:
        parameters["IpPermissions.1.IpRanges.1.CidrIp"] = props["CidrIp"]
    return [(action, parameters)]


def _flow_log(props: Props) -> dict[str, str]:
    parameters = {"ResourceId.1": props["ResourceId"], "ResourceType": props["ResourceType"]}
    kept = ("TrafficType", "LogDestinationType", "LogDestination", "LogGroupName", "DeliverLogsPermissionArn")
    return parameters | {name: props[name] for name in kept if name in props}
