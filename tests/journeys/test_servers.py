"""The servers of a stack on AWS, with an AWS that starts what is missing whenever it is asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from journeys._servers import AwsServers, Server, Servers
from journeys._target import Target
from journeys._waiting import Waiting
from journeys._world import World


class FakeAws:
    """Two members of one service and of one group; what is ended is replaced, and healthy when asked a second time."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.running = {"m1": "eu-west-1a", "m2": "eu-west-1b"}
        self.fresh: set[str] = set()
        self.draining: set[str] = set()
        self.count = 2

    def client(self, service: str) -> "FakeAws":
        return self

    def eventually(self, probe: Callable[[], Any], *, within: float, what: str) -> Any:
        clock = iter(range(10_000))
        return Waiting(lambda: next(clock), lambda _seconds: None).eventually(probe, within=within, what=what)

    def end(self, target: str) -> None:
        self.running.pop(target, None)
        while len(self.running) < 2:
            self.count += 1
            self.running[f"m{self.count}"] = "eu-west-1a"
            self.fresh.add(f"m{self.count}")

    # ECS
    def describe_services(self, *, cluster: str, services: list[str]) -> Any:
        group = {"targetGroupArn": "tg", "containerName": "orders", "containerPort": 8080}
        return {"services": [{"desiredCount": 2, "loadBalancers": [group]}]}

    def list_tasks(self, *, cluster: str, serviceName: str, desiredStatus: str) -> Any:  # noqa: N803
        return {"taskArns": [f"arn:aws:ecs:eu-west-1:1:task/{cluster}/{one}" for one in self.running]}

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> Any:
        return {"tasks": [self._task(arn.rsplit("/", 1)[-1]) for arn in tasks]}

    def _task(self, name: str) -> Any:
        details = [{"name": "subnetId", "value": "s"}, {"name": "privateIPv4Address", "value": f"ip-of-{name}"}]
        zone = self.running.get(name, "")
        arn = f"arn:aws:ecs:eu-west-1:1:task/c/{name}"
        attachments = [{"details": details}]
        return {"taskArn": arn, "availabilityZone": zone, "lastStatus": "RUNNING", "attachments": attachments}

    def stop_task(self, *, cluster: str, task: str, reason: str) -> None:
        self.calls.append(f"StopTask {task}")
        self.end(task)

    def update_service(self, *, cluster: str, service: str, forceNewDeployment: bool) -> None:  # noqa: N803
        self.calls.append("UpdateService")
        assert forceNewDeployment
        for target in list(self.running):
            self.end(target)

    # Elastic Load Balancing
    def describe_target_health(self, *, TargetGroupArn: str, Targets: list[Any]) -> Any:  # noqa: N803
        name = Targets[0]["Id"].removeprefix("ip-of-")
        state = "draining" if name in self.draining else "initial" if name in self.fresh else "healthy"
        self.fresh.discard(name)
        self.draining.discard(name)
        return {"TargetHealthDescriptions": [{"TargetHealth": {"State": state}}]}

    def deregister_targets(self, *, TargetGroupArn: str, Targets: list[Any]) -> None:  # noqa: N803
        self.calls.append(f"DeregisterTargets {Targets[0]['Id']}:{Targets[0]['Port']}")
        self.draining.add(Targets[0]["Id"].removeprefix("ip-of-"))

    # Auto Scaling and EC2
    def describe_auto_scaling_groups(self, *, AutoScalingGroupNames: list[str]) -> Any:  # noqa: N803
        instances = [
            {"InstanceId": name, "AvailabilityZone": zone, "LifecycleState": "InService"}
            for name, zone in self.running.items()
        ]
        return {"AutoScalingGroups": [{"DesiredCapacity": 2, "TargetGroupARNs": ["tg"], "Instances": instances}]}

    def terminate_instance_in_auto_scaling_group(self, *, InstanceId: str, **more: bool) -> None:  # noqa: N803
        self.calls.append(f"TerminateInstanceInAutoScalingGroup {InstanceId}")
        assert more == {"ShouldDecrementDesiredCapacity": False}
        self.end(InstanceId)

    def terminate_instances(self, *, InstanceIds: list[str]) -> None:  # noqa: N803
        self.calls.append(f"TerminateInstances {InstanceIds[0]}")
        self.end(InstanceIds[0])

    def start_instance_refresh(self, *, AutoScalingGroupName: str, Preferences: Any) -> None:  # noqa: N803
        self.calls.append("StartInstanceRefresh")
        assert Preferences["MinHealthyPercentage"] == 100
        for target in list(self.running):
            self.end(target)


def of_service(servers: Servers) -> list[Server]:
    return servers.of_service("c", "arn:aws:ecs:eu-west-1:1:service/c/orders")


def of_group(servers: Servers) -> list[Server]:
    return servers.of_group("web")


BOTH = pytest.mark.parametrize("ask", [of_service, of_group])


@BOTH
def test_who_serves(ask: Callable[[Servers], list[Server]]) -> None:
    servers = AwsServers(FakeAws())
    found = ask(servers)
    assert [(one.target, one.zone) for one in found] == [("m1", "eu-west-1a"), ("m2", "eu-west-1b")]
    assert found[0].name in {"orders m1", "web m1"}
    assert ask(servers) == found


@BOTH
def test_who_never_gets_healthy_is_not_waited_for_forever(
    ask: Callable[[Servers], list[Server]], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = FakeAws()
    monkeypatch.setattr(aws, "fresh", type("All", (), {"__contains__": lambda *_: True, "discard": lambda *_: None})())
    with pytest.raises(AssertionError, match=r"(orders|web): as many healthy servers as wanted: not within 900 s"):
        ask(AwsServers(aws))


@pytest.mark.parametrize(
    ("ask", "stopped", "killed"),
    [
        (of_service, ["DeregisterTargets ip-of-m1:8080", "StopTask m1"], ["StopTask m2"]),
        (of_group, ["TerminateInstanceInAutoScalingGroup m1"], ["TerminateInstances m2"]),
    ],
)
def test_stop_is_orderly_and_kill_is_not(
    ask: Callable[[Servers], list[Server]], stopped: list[str], killed: list[str]
) -> None:
    aws = FakeAws()
    first, second = ask(AwsServers(aws))
    first.stop()
    assert aws.calls == stopped
    assert not aws.draining
    second.kill()
    assert aws.calls == stopped + killed


@BOTH
def test_after_a_kill_aws_starts_another(ask: Callable[[Servers], list[Server]]) -> None:
    aws = FakeAws()
    servers = AwsServers(aws)
    first, second = ask(servers)
    first.kill()
    another = servers.start(first)
    assert another.target == "m3"
    assert ask(servers) == [second, another]


@BOTH
def test_replacing_each_is_one_deployment(ask: Callable[[Servers], list[Server]]) -> None:
    aws = FakeAws()
    servers = AwsServers(aws)
    old = ask(servers)
    new = [servers.replace(one) for one in old]
    assert sorted(one.target for one in new) == ["m3", "m4"]
    assert len(aws.calls) == 1
    assert ask(servers) == new
    assert servers.replace(new[0]).target not in {"m1", "m2", "m3", "m4"}
    assert len(aws.calls) == 2


def test_a_server_of_somebody_else_is_refused() -> None:
    class Other:
        name = target = zone = "x"

        def stop(self) -> None: ...
        def kill(self) -> None: ...

    with pytest.raises(TypeError, match="server: must be one of of_service or of_group"):
        AwsServers(FakeAws()).replace(Other())


class Given:
    """Servers from outside."""

    def __init__(self) -> None:
        self.closed = 0

    def of_service(self, cluster: str, service: str) -> list[Server]:
        return []

    def of_group(self, group: str) -> list[Server]:
        return []

    def replace(self, server: Server) -> Server:
        return server

    def start(self, like: Server) -> Server:
        return like

    def close(self) -> None:
        self.closed += 1


def test_a_world_makes_its_servers_when_asked_and_ends_them_last(tmp_path: Path) -> None:
    made: list[Given] = []

    def make() -> Servers:
        made.append(Given())
        return made[-1]

    world = World("order-queue", Target.aws("eu-west-1"), {}, build=tmp_path, servers=make)
    seen: list[int] = []
    world.cleanup(lambda: seen.append(made[0].closed))
    assert not made
    assert world.servers is world.servers is made[0]
    world.clean_up()
    assert (seen, made[0].closed, world.steps.results) == ([0], 1, ())


def test_a_world_whose_servers_nobody_asked_for_makes_none(tmp_path: Path) -> None:
    def make() -> Servers:
        raise AssertionError

    World("order-queue", Target.aws("eu-west-1"), {}, build=tmp_path, servers=make).clean_up()


def test_on_aws_they_are_aws_s(tmp_path: Path) -> None:
    world = World("order-queue", Target.aws("eu-west-1"), {}, build=tmp_path)
    assert isinstance(world.servers, AwsServers)
    world.clean_up()
