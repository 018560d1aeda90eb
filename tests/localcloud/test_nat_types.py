"""localcloud/resource_types/nat.py: made, read back, changed in place or replaced, and gone."""

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes
from tests.localcloud.networks import Resources, own_tags, ref, resource, tags, vpc

pytestmark = pytest.mark.cloud


def gateway(subnet: str = "One", **tagged: str) -> Resources:
    return {
        **vpc("One", "Two"),
        "Address": resource("EIP", Domain="vpc", Tags=tags(**tagged)),
        "Nat": resource(
            "NatGateway",
            SubnetId=ref(subnet),
            AllocationId=probes.attribute("Address", "AllocationId"),
            Tags=tags(**tagged),
        ),
    }


@pytest.mark.lifecycle("AWS::EC2::EIP", "AWS::EC2::NatGateway")
def test_a_nat_gateway_and_its_address(cloud: LocalCloud) -> None:
    ec2 = cloud.client("ec2")
    made = probes.deploy(
        cloud, gateway(zone="a"), Allocation=("Address", "AllocationId"), Public=("Address", "PublicIp")
    )
    assert made["Address"] == made["Public"], "Ref of an address is the address"
    (address,) = ec2.describe_addresses(AllocationIds=[made["Allocation"]])["Addresses"]
    assert (address["PublicIp"], own_tags(address)) == (made["Address"], {"zone": "a"})
    (nat,) = ec2.describe_nat_gateways(NatGatewayIds=[made["Nat"]])["NatGateways"]
    assert (nat["SubnetId"], nat["VpcId"], nat["State"]) == (made["One"], made["Vpc"], "available")
    assert nat["NatGatewayAddresses"] == [{"PublicIp": made["Address"], "AllocationId": made["Allocation"]}]
    assert own_tags(nat) == {"zone": "a"}

    again = probes.update(cloud, gateway(zone="b"), Allocation=("Address", "AllocationId"))
    assert (again["Nat"], again["Allocation"]) == (made["Nat"], made["Allocation"])
    (nat,) = ec2.describe_nat_gateways(NatGatewayIds=[made["Nat"]])["NatGateways"]
    assert own_tags(nat) == {"zone": "b"}

    moved = probes.update(cloud, gateway("Two"), Allocation=("Address", "AllocationId"))
    assert (moved["Nat"] != made["Nat"], moved["Allocation"]) == (True, made["Allocation"])
    states = {
        one["NatGatewayId"]: one["State"]
        for one in ec2.describe_nat_gateways(NatGatewayIds=[made["Nat"], moved["Nat"]])["NatGateways"]
    }
    assert states == {made["Nat"]: "deleted", moved["Nat"]: "available"}

    probes.destroy(cloud)
    assert ec2.describe_addresses(AllocationIds=[made["Allocation"]])["Addresses"] == []
    (nat,) = ec2.describe_nat_gateways(NatGatewayIds=[moved["Nat"]])["NatGateways"]
    assert nat["State"] == "deleted"


def server(name: str, tied: str = "Server") -> Resources:
    return {
        **vpc("One"),
        "Server": resource("Instance", ImageId="ami-1", SubnetId=ref("One")),
        "Spare": resource("Instance", ImageId="ami-1", SubnetId=ref("One")),
        "Address": resource("EIP", Domain="vpc", Tags=tags(name=name)),
        "Tie": resource(
            "EIPAssociation", AllocationId=probes.attribute("Address", "AllocationId"), InstanceId=ref(tied)
        ),
    }


def test_an_address_is_tied_to_an_instance(cloud: LocalCloud) -> None:
    ec2 = cloud.client("ec2")
    made = probes.deploy(cloud, server("x"), Allocation=("Address", "AllocationId"))

    def holder() -> str:
        (address,) = ec2.describe_addresses(AllocationIds=[made["Allocation"]])["Addresses"]
        return str(address.get("InstanceId"))

    assert holder() == made["Server"]
    moved = probes.update(cloud, server("x", "Spare"))
    assert (holder(), moved["Address"]) == (made["Spare"], made["Address"])
    probes.update(cloud, {name: one for name, one in server("x").items() if name != "Tie"})
    assert holder() == "None"
    probes.destroy(cloud)


def test_an_address_may_name_its_instance_itself(cloud: LocalCloud) -> None:
    resources = {
        **vpc("One"),
        "Server": resource("Instance", ImageId="ami-1", SubnetId=ref("One")),
        "Address": resource("EIP", Domain="vpc", InstanceId=ref("Server")),
    }
    made = probes.deploy(cloud, resources, Allocation=("Address", "AllocationId"))
    (address,) = cloud.client("ec2").describe_addresses(AllocationIds=[made["Allocation"]])["Addresses"]
    assert address["InstanceId"] == made["Server"]
    probes.destroy(cloud)
