"""Small networks with which the tests look at the types of EC2."""

from typing import Any

from localcloud.cloud import LocalCloud

Resources = dict[str, Any]


def resource(kind: str, **properties: Any) -> Resources:
    """A resource of EC2."""
    return {"Type": f"AWS::EC2::{kind}", "Properties": properties}


def tags(**named: str) -> list[dict[str, str]]:
    """Tags as a template has them."""
    return [{"Key": key, "Value": value} for key, value in named.items()]


def ref(logical: str) -> dict[str, str]:
    """Ref."""
    return {"Ref": logical}


def vpc(*subnets: str) -> Resources:
    """A VPC with these subnets: their logical ids."""
    made = {"Vpc": resource("VPC", CidrBlock="10.9.0.0/16")}
    for number, name in enumerate(subnets):
        made[name] = resource("Subnet", VpcId=ref("Vpc"), CidrBlock=f"10.9.{number}.0/24")
    return made


def own_tags(answer: dict[str, Any]) -> dict[str, str]:
    """The tags of a described resource, less those that CloudFormation adds."""
    return {one["Key"]: one["Value"] for one in answer.get("Tags", []) if not one["Key"].startswith("aws:")}


def scratch_vpc(cloud: LocalCloud) -> tuple[str, str]:
    """A VPC with one subnet, made by the API; both ids."""
    ec2 = cloud.client("ec2")
    made = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    return made, ec2.create_subnet(VpcId=made, CidrBlock="10.8.0.0/24")["Subnet"]["SubnetId"]
