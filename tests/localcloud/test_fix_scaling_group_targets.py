"""localcloud/fixes/scaling_group_targets.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from tests.localcloud import probes
from tests.localcloud.targets import group

pytestmark = pytest.mark.cloud


def resources(*groups: str) -> dict[str, Any]:
    """Two target groups and an Auto Scaling group in some of them."""
    data = {"LaunchTemplateData": {"ImageId": "ami-1", "InstanceType": "t4g.micro"}}
    properties = {
        "MinSize": "2",
        "MaxSize": "3",
        "LaunchTemplate": {"LaunchTemplateId": {"Ref": "Template"}, "Version": "1"},
        "TargetGroupARNs": [{"Ref": one} for one in groups],
    }
    return {
        "First": group(),
        "Second": group(),
        "Template": {"Type": "AWS::EC2::LaunchTemplate", "Properties": data},
        "Web": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": properties},
    }


def kept(cloud: LocalCloud, name: str) -> list[str]:
    found = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    (one,) = found["AutoScalingGroups"]
    return list(one.get("TargetGroupARNs", []))


def test_a_group_says_its_target_groups(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources("First", "Second"))
    assert kept(cloud, made["Web"]) == [made["First"], made["Second"]]
    client = cloud.client("autoscaling")
    client.detach_load_balancer_target_groups(AutoScalingGroupName=made["Web"], TargetGroupARNs=[made["First"]])
    assert kept(cloud, made["Web"]) == [made["Second"]]
    client.attach_load_balancer_target_groups(AutoScalingGroupName=made["Web"], TargetGroupARNs=[made["First"]])
    assert kept(cloud, made["Web"]) == [made["Second"], made["First"]]
    probes.update(cloud, resources("Second"))
    assert kept(cloud, made["Web"]) == [made["Second"]]


def test_a_group_of_the_api_too(cloud: LocalCloud) -> None:
    client = cloud.client("autoscaling")
    template = cloud.client("ec2").create_launch_template(
        LaunchTemplateName="api", LaunchTemplateData={"ImageId": "ami-1"}
    )["LaunchTemplate"]["LaunchTemplateId"]
    client.create_auto_scaling_group(
        AutoScalingGroupName="by-api",
        MinSize=0,
        MaxSize=1,
        LaunchTemplate={"LaunchTemplateId": template},
        TargetGroupARNs=["arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/a/1"],
        AvailabilityZones=["us-east-1a"],
    )
    assert kept(cloud, "by-api") == ["arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/a/1"]


def test_the_emulator_alone_still_drops_them(bare: LocalCloud) -> None:
    made = probes.deploy(bare, resources("First"))
    assert kept(bare, made["Web"]) == []
    with pytest.raises(ClientError, match="InvalidAction"):
        bare.client("autoscaling").attach_load_balancer_target_groups(
            AutoScalingGroupName=made["Web"], TargetGroupARNs=[made["First"]]
        )
