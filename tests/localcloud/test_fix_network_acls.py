"""localcloud/fixes/network_acls.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from tests.localcloud.networks import scratch_vpc

pytestmark = pytest.mark.cloud

RULE: dict[str, Any] = {
    "RuleNumber": 100,
    "Protocol": "6",
    "RuleAction": "allow",
    "Egress": False,
    "CidrBlock": "0.0.0.0/0",
    "PortRange": {"From": 443, "To": 443},
}


def acl_with_a_rule(cloud: LocalCloud, vpc: str) -> str:
    ec2 = cloud.client("ec2")
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(NetworkAclId=acl, **RULE)
    return str(acl)


def described(cloud: LocalCloud, acl: str) -> Any:
    (found,) = cloud.client("ec2").describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    return found


def own(cloud: LocalCloud, vpc: str) -> dict[str, Any]:
    found = cloud.client("ec2").describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]
    return next(one for one in found if one["IsDefault"])


def test_a_rule_keeps_its_ports_and_icmp(cloud: LocalCloud, bare: LocalCloud) -> None:
    ec2, (vpc, _subnet) = cloud.client("ec2"), scratch_vpc(cloud)
    acl = acl_with_a_rule(cloud, vpc)
    assert RULE in described(cloud, acl)["Entries"]
    icmp = RULE | {"Protocol": "1", "IcmpTypeCode": {"Type": 3, "Code": 4}}
    del icmp["PortRange"]
    ec2.replace_network_acl_entry(NetworkAclId=acl, **icmp)
    assert icmp in described(cloud, acl)["Entries"]

    ports = [one.get("PortRange") for one in described(bare, acl_with_a_rule(bare, scratch_vpc(bare)[0]))["Entries"]]
    assert ports == [None], "the emulator keeps ports now: the fix can go"


def test_a_list_ends_with_a_refusal_and_has_each_number_once(cloud: LocalCloud, bare: LocalCloud) -> None:
    acl = acl_with_a_rule(cloud, scratch_vpc(cloud)[0])
    last = [one for one in described(cloud, acl)["Entries"] if one["RuleNumber"] == 32767]
    assert [(one["Egress"], one["RuleAction"]) for one in last] == [(False, "deny"), (True, "deny")]
    with pytest.raises(ClientError, match="NetworkAclEntryAlreadyExists"):
        cloud.client("ec2").create_network_acl_entry(NetworkAclId=acl, **RULE)
    cloud.client("ec2").create_network_acl_entry(NetworkAclId=acl, **RULE | {"Egress": True})

    theirs = acl_with_a_rule(bare, scratch_vpc(bare)[0])
    bare.client("ec2").create_network_acl_entry(NetworkAclId=theirs, **RULE)
    assert [one["RuleNumber"] for one in described(bare, theirs)["Entries"]] == [100, 100], "the fix can go"


def test_each_subnet_has_one_list(cloud: LocalCloud, bare: LocalCloud) -> None:
    ec2, (vpc, subnet) = cloud.client("ec2"), scratch_vpc(cloud)
    (tie,) = own(cloud, vpc)["Associations"]
    assert tie["SubnetId"] == subnet
    acl = acl_with_a_rule(cloud, vpc)
    to_it = {"AssociationId": tie["NetworkAclAssociationId"], "NetworkAclId": acl}
    new = ec2.replace_network_acl_association(**to_it)["NewAssociationId"]
    (tie,) = described(cloud, acl)["Associations"]
    assert (tie["SubnetId"], tie["NetworkAclAssociationId"]) == (subnet, new)
    assert own(cloud, vpc)["Associations"] == []
    with pytest.raises(ClientError, match=r"InvalidAssociationID\.NotFound"):
        ec2.replace_network_acl_association(**to_it)
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_network_acl(NetworkAclId=acl)
    ec2.delete_subnet(SubnetId=subnet)
    assert described(cloud, acl)["Associations"] == []
    ec2.delete_network_acl(NetworkAclId=acl)

    assert own(bare, scratch_vpc(bare)[0])["Associations"] == [], "the emulator ties subnets now: the fix can go"
