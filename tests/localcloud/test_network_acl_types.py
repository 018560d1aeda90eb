"""localcloud/resource_types/network_acls.py: made, read back, changed in place or replaced, and gone."""

from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes
from tests.localcloud.networks import Resources, own_tags, ref, resource, tags, vpc

pytestmark = pytest.mark.cloud


def network(**entry: Any) -> Resources:
    rule = {
        "RuleNumber": 100,
        "Protocol": 6,
        "RuleAction": "allow",
        "CidrBlock": "10.0.0.0/8",
        "NetworkAclId": ref("Acl"),
    }
    rule["PortRange"] = {"From": 443, "To": 443}
    return {
        **vpc("Subnet", "Other"),
        "Acl": resource("NetworkAcl", VpcId=ref("Vpc"), Tags=tags(tier="private")),
        "Entry": resource("NetworkAclEntry", **(rule | entry)),
        "Tie": resource("SubnetNetworkAclAssociation", SubnetId=ref("Subnet"), NetworkAclId=ref("Acl")),
    }


def acl(cloud: LocalCloud, identity: str) -> Any:
    (found,) = cloud.client("ec2").describe_network_acls(NetworkAclIds=[identity])["NetworkAcls"]
    return found


def rules(cloud: LocalCloud, identity: str) -> list[dict[str, Any]]:
    return [one for one in acl(cloud, identity)["Entries"] if one["RuleNumber"] < 32767]


def tied(cloud: LocalCloud, identity: str) -> set[str]:
    return {one["SubnetId"] for one in acl(cloud, identity)["Associations"]}


@pytest.mark.lifecycle("AWS::EC2::NetworkAcl", "AWS::EC2::NetworkAclEntry", "AWS::EC2::SubnetNetworkAclAssociation")
def test_a_list_its_entries_and_its_subnets(cloud: LocalCloud) -> None:
    ec2 = cloud.client("ec2")
    made = probes.deploy(cloud, network(), AclId=("Acl", "Id"))
    assert made["AclId"] == made["Acl"]
    assert own_tags(acl(cloud, made["Acl"])) == {"tier": "private"}
    (rule,) = rules(cloud, made["Acl"])
    assert rule == {
        "RuleNumber": 100,
        "Protocol": "6",
        "RuleAction": "allow",
        "Egress": False,
        "CidrBlock": "10.0.0.0/8",
        "PortRange": {"From": 443, "To": 443},
    }
    assert tied(cloud, made["Acl"]) == {made["Subnet"]}
    (default,) = ec2.describe_network_acls(
        Filters=[{"Name": "vpc-id", "Values": [made["Vpc"]]}, {"Name": "default", "Values": ["true"]}]
    )["NetworkAcls"]
    assert tied(cloud, default["NetworkAclId"]) == {made["Other"]}

    # Another port and action: the same rule, replaced in its place.
    changed = network(RuleAction="deny", PortRange={"From": 22, "To": 25})
    changed["Acl"]["Properties"]["Tags"] = tags(owner="net")
    again = probes.update(cloud, changed)
    assert again == {name: value for name, value in made.items() if name != "AclId"}
    (rule,) = rules(cloud, made["Acl"])
    assert (rule["RuleAction"], rule["PortRange"]) == ("deny", {"From": 22, "To": 25})
    assert own_tags(acl(cloud, made["Acl"])) == {"owner": "net"}

    # Another number: a new rule, and the old one gone. Another subnet: its tie moves, and the first goes back.
    moved = network(RuleNumber=200, Egress=True)
    moved["Tie"]["Properties"]["SubnetId"] = ref("Other")
    probes.update(cloud, moved)
    assert [(one["RuleNumber"], one["Egress"]) for one in rules(cloud, made["Acl"])] == [(200, True)]
    assert tied(cloud, made["Acl"]) == {made["Other"]}
    assert tied(cloud, default["NetworkAclId"]) == {made["Subnet"]}

    probes.update(cloud, vpc("Subnet", "Other"))
    assert tied(cloud, default["NetworkAclId"]) == {made["Subnet"], made["Other"]}
    assert ec2.describe_network_acls(NetworkAclIds=[made["Acl"]])["NetworkAcls"] == []
    probes.destroy(cloud)


def test_rules_of_icmp_and_of_all_protocols(cloud: LocalCloud) -> None:
    icmp = {"Protocol": 1, "Icmp": {"Type": 3, "Code": 4}, "CidrBlock": "0.0.0.0/0"}
    made = probes.deploy(cloud, network() | {"Icmp": network(RuleNumber=110, **icmp)["Entry"]})
    by_number = {one["RuleNumber"]: one for one in rules(cloud, made["Acl"])}
    assert by_number[110]["IcmpTypeCode"] == {"Type": 3, "Code": 4}
    probes.destroy(cloud)


def test_a_number_that_is_taken_fails_the_stack(cloud: LocalCloud) -> None:
    twice = network() | {"Again": network()["Entry"] | {"DependsOn": "Entry"}}
    with pytest.raises(AssertionError, match=r"Again.*NetworkAclEntryAlreadyExists"):
        probes.deploy(cloud, twice)
