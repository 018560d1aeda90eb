"""Instances, their disks, how they are placed, and lists of addresses. No instance boots here: it is only known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.calls import call
from localcloud.resource_types._ec2 import parameters, retag, tag

if TYPE_CHECKING:
    from localcloud.registry import Call, Props, Registry

_INSTANCE = ("ImageId", "InstanceType", "KeyName", "SubnetId", "UserData", "PrivateIpAddress")
_PLACED = ("AvailabilityZone", "PlacementGroupName", "NetworkInterfaces", "LaunchTemplate", "SecurityGroupIds")
_VOLUME = ("AvailabilityZone", "Encrypted", "Iops", "Size", "SnapshotId", "VolumeType", "Throughput")
_GROWS = ("Size", "VolumeType", "Iops", "Throughput")
_ATTACHED = ("Device", "InstanceId", "VolumeId")
_GROUP = ("Strategy", "SpreadLevel", "PartitionCount", "Tags")


def register(registry: Registry) -> None:
    """Add the types."""
    registry.adapter(
        "AWS::EC2::Instance",
        service="ec2",
        create=lambda _name, props: ("RunInstances", _run(props)),
        then=tag,
        delete=lambda identity, _props: ("TerminateInstances", {"InstanceId.1": identity}),
        physical_id=lambda answer: answer.findtext(".//instanceId", ""),
        describe=lambda identity, _props: ("DescribeInstances", {"InstanceId.1": identity}),
        attributes={
            "InstanceId": "instanceId",
            "PrivateIp": "privateIpAddress",
            "PrivateDnsName": "privateDnsName",
            "PublicIp": "ipAddress",
            "PublicDnsName": "dnsName",
            "AvailabilityZone": "availabilityZone",
            "VpcId": "vpcId",
        },
        update=retag,
        create_only=(*_INSTANCE, *_PLACED, "IamInstanceProfile"),
    )
    registry.adapter(
        "AWS::EC2::Volume",
        service="ec2",
        create=lambda _name, props: ("CreateVolume", parameters(props, _VOLUME)),
        then=tag,
        delete=lambda identity, _props: ("DeleteVolume", {"VolumeId": identity}),
        physical_id=lambda answer: answer.findtext(".//volumeId", ""),
        describe=lambda identity, _props: ("DescribeVolumes", {"VolumeId.1": identity}),
        attributes={"VolumeId": "volumeId"},
        update=lambda identity, old, new: [*_grow(identity, old, new), *retag(identity, old, new)],
        create_only=("AvailabilityZone", "Encrypted", "SnapshotId"),
    )
    registry.relation(
        "AWS::EC2::VolumeAttachment",
        service="ec2",
        do=lambda props: [("AttachVolume", parameters(props, _ATTACHED))],
        undo=lambda props: [("DetachVolume", parameters(props, _ATTACHED))],
    )
    registry.adapter(
        "AWS::EC2::PlacementGroup",
        service="ec2",
        create=lambda name, props: ("CreatePlacementGroup", {"GroupName": name, **parameters(props, _GROUP)}),
        then=lambda name, props: tag(_group_id(name), props),
        delete=lambda name, _props: ("DeletePlacementGroup", {"GroupName": name}),
        physical_id=lambda answer: answer.findtext(".//groupName", ""),
        describe=lambda name, _props: ("DescribePlacementGroups", {"GroupName.1": name}),
        attributes={"GroupName": "groupName", "GroupId": "groupId"},
        update=lambda *_what: [],
        create_only=_GROUP,
    )
    registry.adapter(
        "AWS::EC2::PrefixList",
        service="ec2",
        create=lambda _name, props: ("CreateManagedPrefixList", _list(props)),
        then=tag,
        delete=lambda identity, _props: ("DeleteManagedPrefixList", {"PrefixListId": identity}),
        physical_id=lambda answer: answer.findtext(".//prefixListId", ""),
        describe=lambda identity, _props: ("DescribeManagedPrefixLists", {"PrefixListId.1": identity}),
        attributes={
            "PrefixListId": "prefixListId",
            "Arn": "prefixListArn",
            "OwnerId": "ownerId",
            "Version": "version",
        },
        update=lambda identity, old, new: [*_relist(identity, old, new), *retag(identity, old, new)],
    )


def _run(props: Props) -> dict[str, str]:
    asked = parameters(props, _INSTANCE) | {"MinCount": "1", "MaxCount": "1"}
    asked |= {f"SecurityGroupId.{number}": one for number, one in enumerate(props.get("SecurityGroupIds", []), 1)}
    if "IamInstanceProfile" in props:
        asked["IamInstanceProfile.Name"] = props["IamInstanceProfile"]
    return asked


def _grow(identity: str, old: Props, new: Props) -> list[Call]:
    if all(old.get(name) == new.get(name) for name in _GROWS):
        return []
    return [("ModifyVolume", {"VolumeId": identity, **parameters(new, _GROWS)})]


def _group_id(name: str) -> str:
    return call("ec2", "DescribePlacementGroups", {"GroupName.1": name}).findtext(".//groupId", "")


def _list(props: Props) -> dict[str, str]:
    entries = parameters({"Entry": props.get("Entries", [])}, ["Entry"])
    return parameters(props, ("PrefixListName", "AddressFamily", "MaxEntries")) | entries


def _relist(identity: str, old: Props, new: Props) -> list[Call]:
    """Other entries, another name or room; what an entry is called stays."""
    before, after = ({one["Cidr"]: one for one in props.get("Entries", [])} for props in (old, new))
    changes = {
        "RemoveEntry": [{"Cidr": cidr} for cidr in before if cidr not in after],
        "AddEntry": [one for cidr, one in after.items() if cidr not in before],
    }
    named = parameters(new, ("PrefixListName", "MaxEntries"))
    return [("ModifyManagedPrefixList", {"PrefixListId": identity, **named, **parameters(changes, changes)})]
