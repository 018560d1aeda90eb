"""localcloud/resource_types/instances.py: made, read back, changed in place or replaced, and gone."""

from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes
from tests.localcloud.networks import Resources, own_tags, ref, resource, tags, vpc

pytestmark = pytest.mark.cloud


def server(*, image: str = "ami-1", size: int = 10, **tagged: str) -> Resources:
    return {
        **vpc("Subnet"),
        "Group": resource("SecurityGroup", GroupDescription="servers", VpcId=ref("Vpc")),
        "Server": resource(
            "Instance",
            ImageId=image,
            InstanceType="t3.micro",
            SubnetId=ref("Subnet"),
            SecurityGroupIds=[probes.attribute("Group", "GroupId")],
            Tags=tags(**tagged),
        ),
        "Disk": resource("Volume", AvailabilityZone="us-east-1a", Size=size, VolumeType="gp3", Tags=tags(**tagged)),
        "Attached": resource("VolumeAttachment", InstanceId=ref("Server"), VolumeId=ref("Disk"), Device="/dev/sdf"),
    }


def instance(cloud: LocalCloud, identity: str) -> Any:
    (found,) = cloud.client("ec2").describe_instances(InstanceIds=[identity])["Reservations"][0]["Instances"]
    return found


def volume(cloud: LocalCloud, identity: str) -> Any:
    (found,) = cloud.client("ec2").describe_volumes(VolumeIds=[identity])["Volumes"]
    return found


def test_an_instance_and_its_disk(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, server(name="a"), Private=("Server", "PrivateIp"), GroupId=("Group", "GroupId"))
    found, disk = instance(cloud, made["Server"]), volume(cloud, made["Disk"])
    assert (found["ImageId"], found["SubnetId"], found["PrivateIpAddress"]) == (
        "ami-1",
        made["Subnet"],
        made["Private"],
    )
    assert [one["GroupId"] for one in found["SecurityGroups"]] == [made["GroupId"]]
    assert (own_tags(found), own_tags(disk)) == ({"name": "a"}, {"name": "a"})
    assert (disk["Size"], disk["VolumeType"]) == (10, "gp3")
    assert [(one["InstanceId"], one["Device"]) for one in disk["Attachments"]] == [(made["Server"], "/dev/sdf")]

    again = probes.update(cloud, server(size=20, name="b"))
    assert (again["Server"], again["Disk"]) == (made["Server"], made["Disk"])
    assert (volume(cloud, made["Disk"])["Size"], own_tags(instance(cloud, made["Server"]))) == (20, {"name": "b"})

    other = probes.update(cloud, server(image="ami-2", size=20, name="b"))
    assert other["Server"] != made["Server"]
    assert instance(cloud, made["Server"])["State"]["Name"] == "terminated"
    assert [one["InstanceId"] for one in volume(cloud, made["Disk"])["Attachments"]] == [other["Server"]]

    probes.destroy(cloud)
    assert instance(cloud, other["Server"])["State"]["Name"] == "terminated"
    with pytest.raises(cloud.client("ec2").exceptions.ClientError, match=r"InvalidVolume\.NotFound"):
        volume(cloud, made["Disk"])


def test_a_placement_group(cloud: LocalCloud) -> None:
    ec2 = cloud.client("ec2")
    made = probes.deploy(cloud, {"Near": resource("PlacementGroup", Strategy="cluster", Tags=tags(for_="x"))})
    (group,) = ec2.describe_placement_groups(GroupNames=[made["Near"]])["PlacementGroups"]
    assert (group["Strategy"], own_tags(group)) == ("cluster", {"for_": "x"})
    far = probes.update(cloud, {"Near": resource("PlacementGroup", Strategy="spread")})
    assert far["Near"] != made["Near"]
    names = [one["GroupName"] for one in ec2.describe_placement_groups()["PlacementGroups"]]
    assert (far["Near"] in names, made["Near"] in names) == (True, False)
    probes.destroy(cloud)
    assert far["Near"] not in [one["GroupName"] for one in ec2.describe_placement_groups()["PlacementGroups"]]


def test_a_list_of_addresses(cloud: LocalCloud) -> None:
    ec2 = cloud.client("ec2")

    def offices(*cidrs: str) -> Resources:
        entries = [{"Cidr": one, "Description": "office"} for one in cidrs]
        named = {"PrefixListName": "offices", "AddressFamily": "IPv4", "MaxEntries": 5}
        return {"Offices": resource("PrefixList", **named, Entries=entries)}

    def cidrs(identity: str) -> set[str]:
        return {one["Cidr"] for one in ec2.get_managed_prefix_list_entries(PrefixListId=identity)["Entries"]}

    made = probes.deploy(cloud, offices("192.0.2.0/24", "198.51.100.0/24"), Arn=("Offices", "Arn"))
    assert made["Arn"].endswith(f":prefix-list/{made['Offices']}")
    assert cidrs(made["Offices"]) == {"192.0.2.0/24", "198.51.100.0/24"}
    again = probes.update(cloud, offices("192.0.2.0/24", "203.0.113.0/24"), Version=("Offices", "Version"))
    assert (again["Offices"], again["Version"]) == (made["Offices"], "2")
    assert cidrs(made["Offices"]) == {"192.0.2.0/24", "203.0.113.0/24"}
    probes.destroy(cloud)
    with pytest.raises(ec2.exceptions.ClientError, match=r"InvalidPrefixListID\.NotFound"):
        cidrs(made["Offices"])
