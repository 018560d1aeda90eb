"""localcloud/fixes/security_group_rules.py."""

from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud.networks import scratch_vpc

pytestmark = pytest.mark.cloud


def admitted(cloud: LocalCloud) -> list[Any]:
    ec2, (vpc, _subnet) = cloud.client("ec2"), scratch_vpc(cloud)
    group = ec2.create_security_group(GroupName=f"edge-{vpc}", Description="edge", VpcId=vpc)["GroupId"]
    lists = [{"PrefixListId": "pl-1", "Description": "edge"}, {"PrefixListId": "pl-2"}]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": lists}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    return [one["PrefixListIds"] for one in found["IpPermissions"]]


def test_a_rule_keeps_the_lists_that_it_admits(cloud: LocalCloud, bare: LocalCloud) -> None:
    assert admitted(cloud) == [[{"PrefixListId": "pl-1", "Description": "edge"}, {"PrefixListId": "pl-2"}]]
    assert admitted(bare) == [[]], "the emulator keeps them now: the fix can go"
