"""localcloud/fixes/nat_addresses.py."""

from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud.networks import scratch_vpc

pytestmark = pytest.mark.cloud


def gateways(cloud: LocalCloud) -> list[Any]:
    """The addresses that two NAT gateways tell, and those that they were given."""
    ec2, (_vpc, subnet) = cloud.client("ec2"), scratch_vpc(cloud)
    given = [ec2.allocate_address(Domain="vpc") for _ in range(2)]
    made = [
        ec2.create_nat_gateway(SubnetId=subnet, AllocationId=one["AllocationId"])["NatGateway"]["NatGatewayId"]
        for one in given
    ]
    found = {one["NatGatewayId"]: one for one in ec2.describe_nat_gateways(NatGatewayIds=made)["NatGateways"]}
    told = [[each.get("PublicIp") for each in found[identity]["NatGatewayAddresses"]] for identity in made]
    return [told, [[one["PublicIp"]] for one in given]]


def test_a_nat_gateway_tells_its_address(cloud: LocalCloud, bare: LocalCloud) -> None:
    told, given = gateways(cloud)
    assert told == given
    told, given = gateways(bare)
    assert told == [[], []], "the emulator tells them now: the fix can go"
