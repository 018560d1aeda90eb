"""localcloud/resource_types/containers.py and application_scaling.py."""

import json
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def cluster(base: int, capacity: int = 80) -> dict[str, Any]:
    """A cluster on Fargate and on an Auto Scaling group of its own."""
    arn = "arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:1:autoScalingGroupName/own"
    scaling = {"Status": "ENABLED", "TargetCapacity": capacity}
    strategy = [{"CapacityProvider": "FARGATE", "Base": base, "Weight": 1}, {"CapacityProvider": {"Ref": "Own"}}]
    return {
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "Own": {
            "Type": "AWS::ECS::CapacityProvider",
            "Properties": {"AutoScalingGroupProvider": {"AutoScalingGroupArn": arn, "ManagedScaling": scaling}},
        },
        "Providers": {
            "Type": "AWS::ECS::ClusterCapacityProviderAssociations",
            "Properties": {
                "Cluster": {"Ref": "Cluster"},
                "CapacityProviders": ["FARGATE", "FARGATE_SPOT", {"Ref": "Own"}],
                "DefaultCapacityProviderStrategy": strategy,
            },
        },
    }


def test_capacity_providers(cloud: LocalCloud) -> None:
    ecs = cloud.client("ecs")

    def read(made: dict[str, str]) -> tuple[Any, Any]:
        (found,) = ecs.describe_clusters(clusters=[made["Cluster"]])["clusters"]
        (own,) = ecs.describe_capacity_providers(capacityProviders=[made["Own"]])["capacityProviders"]
        return found, own

    made = probes.deploy(cloud, cluster(1))
    found, own = read(made)
    assert (made["Providers"], found["capacityProviders"]) == (
        made["Cluster"],
        ["FARGATE", "FARGATE_SPOT", made["Own"]],
    )
    assert found["defaultCapacityProviderStrategy"][0] == {"capacityProvider": "FARGATE", "base": 1, "weight": 1}
    assert own["autoScalingGroupProvider"]["managedScaling"]["targetCapacity"] == 80
    changed = probes.update(cloud, cluster(2, 90))
    found, own = read(changed)
    assert changed == made
    assert found["defaultCapacityProviderStrategy"][0]["base"] == 2
    assert own["autoScalingGroupProvider"]["managedScaling"]["targetCapacity"] == 90
    probes.destroy(cloud)
    assert ecs.describe_capacity_providers(capacityProviders=[made["Own"]])["capacityProviders"] == []


def test_a_provider_that_is_not_there_is_refused(cloud: LocalCloud) -> None:
    template = cluster(1)
    template["Providers"]["Properties"]["CapacityProviders"] = ["nobody"]
    with pytest.raises(AssertionError, match="The specified capacity provider nobody was not found"):
        probes.deploy(cloud, template)


def scaled(least: int, percent: int = 50) -> dict[str, Any]:
    """A service that scaling keeps at `least` tasks at least, and at `percent` of its processors."""
    task = {"ContainerDefinitions": [{"Name": "a", "Image": "a"}]}
    target = {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceId": {"Fn::Sub": "service/${Cluster}/${Service.Name}"},
        "MinCapacity": least,
        "MaxCapacity": 6,
        "RoleARN": "arn:aws:iam::000000000000:role/scaling",
    }
    tracking = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        "TargetValue": percent,
    }
    policy = {
        "PolicyName": "cpu",
        "PolicyType": "TargetTrackingScaling",
        "ScalingTargetId": {"Ref": "Target"},
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }
    return {
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": task},
        "Service": {
            "Type": "AWS::ECS::Service",
            "Properties": {"Cluster": {"Ref": "Cluster"}, "TaskDefinition": {"Ref": "Task"}},
        },
        "Target": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": target},
        "Policy": {"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": policy},
    }


@pytest.mark.lifecycle("AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy")
def test_a_scalable_service_has_its_least_tasks(cloud: LocalCloud) -> None:
    assert cloud.ready.added["AWS::ApplicationAutoScaling::ScalableTarget"] == "recorded"
    ecs, control = cloud.client("ecs"), cloud.client("cloudcontrol")

    def desired(made: dict[str, str]) -> int:
        (found,) = ecs.describe_services(cluster=made["Cluster"], services=[made["Service"]])["services"]
        return int(found["desiredCount"])

    def recorded(kind: str) -> dict[str, Any]:
        found = control.list_resources(TypeName=f"AWS::ApplicationAutoScaling::{kind}")["ResourceDescriptions"]
        return {one["Identifier"]: json.loads(one["Properties"]) for one in found}

    made = probes.deploy(cloud, scaled(2), Arn=("Policy", "Arn"))
    assert desired(made) == 2
    assert made["Target"].startswith("service/")
    assert made["Target"].endswith("|ecs:service:DesiredCount|ecs")
    assert recorded("ScalableTarget")[made["Target"]]["MinCapacity"] == 2
    assert made["Policy"] in recorded("ScalingPolicy")
    assert made["Arn"].startswith("arn:aws:autoscaling:")
    assert desired(probes.update(cloud, scaled(3))) == 3
    assert desired(probes.update(cloud, scaled(1, percent=70))) == 3, "scaling in is not ours to do"
    assert recorded("ScalableTarget")[made["Target"]]["MinCapacity"] == 1
    tracked = recorded("ScalingPolicy")[made["Policy"]]["TargetTrackingScalingPolicyConfiguration"]
    assert tracked["TargetValue"] == 70
    probes.destroy(cloud)
    assert made["Target"] not in recorded("ScalableTarget")
    assert made["Policy"] not in recorded("ScalingPolicy")
