"""What runs servers on AWS: an ECS service, an Auto Scaling group."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

DRAIN_SECONDS = 400
"""Longer than the longest deregistration delay that a stack of ours sets."""


class Cloud(Protocol):
    """What is needed of a journey's world."""

    def client(self, service: str, /) -> Any:
        """A boto3 client."""

    def eventually(self, probe: Callable[[], T], *, within: float, what: str) -> T:
        """Wait until the probe answers something truthy."""


class Fleet(Protocol):
    """Servers of one kind.

    Attributes:
        name: For people.
    """

    name: str

    def wanted(self) -> int:
        """How many there should be."""

    def members(self) -> dict[str, str]:
        """Zone by target, of those that run."""

    def is_healthy(self, target: str) -> bool:
        """Whether every load balancer in front of it sends it requests."""

    def roll(self) -> None:
        """Begin to replace every member by a new one."""

    def stop(self, target: str) -> None:
        """End one in order."""

    def kill(self, target: str) -> None:
        """End one at once."""


class Service:
    """An ECS service; its targets are tasks, which the load balancer knows by their addresses.

    Args:
        cloud: The journey's world.
        cluster: Name or ARN.
        service: Name or ARN.
    """

    def __init__(self, cloud: Cloud, cluster: str, service: str) -> None:
        self.name = service.rsplit("/", 1)[-1]
        self._cloud, self._ecs, self._elb = cloud, cloud.client("ecs"), cloud.client("elbv2")
        self._where = {"cluster": cluster}
        self._service = service

    def wanted(self) -> int:
        """Its desired count."""
        return int(self._described()["desiredCount"])

    def members(self) -> dict[str, str]:
        """Its running tasks."""
        return {task["taskArn"].rsplit("/", 1)[-1]: task["availabilityZone"] for task in self._tasks()}

    def is_healthy(self, target: str) -> bool:
        """Asks every target group of the service."""
        states = [self._state(group, target) for group in self._groups()]
        return all(state == "healthy" for state in states)

    def roll(self) -> None:
        """A new deployment of what is deployed: ECS starts new tasks, and stops the old ones when those are healthy."""
        self._ecs.update_service(**self._where, service=self._service, forceNewDeployment=True)

    def stop(self, target: str) -> None:
        """Take it off the load balancer, wait for the drain, then TERM."""
        for group in self._groups():
            targets = [{"Id": self._address(target), "Port": group["containerPort"]}]
            self._elb.deregister_targets(TargetGroupArn=group["targetGroupArn"], Targets=targets)
        self._cloud.eventually(
            lambda: all(self._state(group, target) != "draining" for group in self._groups()),
            within=DRAIN_SECONDS,
            what=f"{target} has finished what it had",
        )
        self.kill(target)

    def kill(self, target: str) -> None:
        """StopTask: TERM, and KILL after the task's stop timeout. AWS has nothing harder."""
        self._ecs.stop_task(**self._where, task=target, reason="a journey takes it away")

    def _described(self) -> Any:
        return self._ecs.describe_services(**self._where, services=[self._service])["services"][0]

    def _tasks(self) -> list[Any]:
        arns = self._ecs.list_tasks(**self._where, serviceName=self._service, desiredStatus="RUNNING")["taskArns"]
        found = self._ecs.describe_tasks(**self._where, tasks=arns)["tasks"] if arns else []
        return [task for task in found if task["lastStatus"] == "RUNNING"]

    def _groups(self) -> list[Any]:
        return list(self._described().get("loadBalancers", []))

    def _address(self, target: str) -> str:
        (task,) = self._ecs.describe_tasks(**self._where, tasks=[target])["tasks"]
        details = [detail for attachment in task["attachments"] for detail in attachment["details"]]
        return str(next((one["value"] for one in details if one["name"] == "privateIPv4Address"), ""))

    def _state(self, group: Any, target: str) -> str:
        targets = [{"Id": self._address(target), "Port": group["containerPort"]}]
        return _health(self._elb, group["targetGroupArn"], targets)


class ScalingGroup:
    """An Auto Scaling group; its targets are instances.

    Args:
        cloud: The journey's world.
        name: The group's name.
    """

    def __init__(self, cloud: Cloud, name: str) -> None:
        self.name = name
        self._scaling, self._elb, self._ec2 = (cloud.client(one) for one in ("autoscaling", "elbv2", "ec2"))

    def wanted(self) -> int:
        """Its desired capacity."""
        return int(self._described()["DesiredCapacity"])

    def members(self) -> dict[str, str]:
        """Its instances in service."""
        instances = self._described()["Instances"]
        return {one["InstanceId"]: one["AvailabilityZone"] for one in instances if one["LifecycleState"] == "InService"}

    def is_healthy(self, target: str) -> bool:
        """Asks every target group of the group."""
        groups = self._described()["TargetGroupARNs"]
        return all(_health(self._elb, group, [{"Id": target}]) == "healthy" for group in groups)

    def roll(self) -> None:
        """An instance refresh that launches before it terminates."""
        preferences = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200, "SkipMatching": False}
        self._scaling.start_instance_refresh(AutoScalingGroupName=self.name, Preferences=preferences)

    def stop(self, target: str) -> None:
        """Auto Scaling takes it off the load balancers, waits for the drain, and terminates it."""
        self._scaling.terminate_instance_in_auto_scaling_group(InstanceId=target, ShouldDecrementDesiredCapacity=False)

    def kill(self, target: str) -> None:
        """Terminate it behind the back of Auto Scaling."""
        self._ec2.terminate_instances(InstanceIds=[target])

    def _described(self) -> Any:
        found = self._scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        return found["AutoScalingGroups"][0]


def _health(elb: Any, group: str, targets: list[dict[str, Any]]) -> str:
    found = elb.describe_target_health(TargetGroupArn=group, Targets=targets)["TargetHealthDescriptions"]
    return str(found[0]["TargetHealth"]["State"]) if found else "unused"
