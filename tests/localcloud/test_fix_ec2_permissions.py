"""localcloud/fixes/ec2_permissions.py."""

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import ACCOUNT, REGION, LocalCloud
from tests.localcloud import probes
from tests.localcloud.networks import scratch_vpc

pytestmark = pytest.mark.cloud

ACTION = "ec2:CreateNetworkAclEntry"


def lists(cloud: LocalCloud) -> tuple[str, str]:
    ec2, (vpc, _subnet) = cloud.client("ec2"), scratch_vpc(cloud)
    first, second = (ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"] for _ in range(2))
    return str(first), str(second)


def operator(cloud: LocalCloud, acl: str) -> str:
    """A role that may add entries to one list."""
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-acl/{acl}"
    role = probes.role("ec2.amazonaws.com", probes.allow(ACTION, arn))
    trust = role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    trust["Principal"] = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    return probes.deploy(cloud, {"Operator": role})["Operator"]


def add(cloud: LocalCloud, role: str, acl: str) -> None:
    rule = {"RuleNumber": 50, "Protocol": "-1", "RuleAction": "deny", "Egress": True, "CidrBlock": "0.0.0.0/0"}
    probes.as_role(cloud, role, "ec2").create_network_acl_entry(NetworkAclId=acl, **rule)


def test_a_call_is_authorized_on_the_list_that_it_changes(cloud: LocalCloud, bare: LocalCloud) -> None:
    mine, other = lists(cloud)
    role = operator(cloud, mine)
    add(cloud, role, mine)
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        add(cloud, role, other)
    probes.destroy(cloud)

    mine, _other = lists(bare)
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        add(bare, operator(bare, mine), mine)
    probes.destroy(bare)
