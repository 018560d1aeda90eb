"""What the servers do and what their stacks wait for fit together: neither side knows the other's numbers."""

import json
import re
from typing import Any

import pytest

from service_kit import clients
from service_kit.serving import KEEP_ALIVE_SECONDS
from service_kit.settings import ServerSettings
from tests.templates import Template, resources, template

WITH_SERVERS = ["microservices", "resilient-web-app", "software-updates"]
BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
# Source: Elastic Load Balancing, "Application Load Balancers", idle_timeout.timeout_seconds, default.
IDLE_SECONDS = 60
# For what a server does when its requests are done: it closes its connections.
_TO_CLOSE = 5


def patience(made: Template) -> list[int]:
    """Seconds from TERM to KILL, of every container and every instance."""
    containers: list[dict[str, Any]] = [
        one for task in resources(made, "AWS::ECS::TaskDefinition").values() for one in task["ContainerDefinitions"]
    ]
    units = re.findall(r"TimeoutStopSec=(\d+)", json.dumps(resources(made, "AWS::EC2::LaunchTemplate")))
    return [int(seconds) for seconds in [*(one["StopTimeout"] for one in containers), *units]]


def idle(made: Template) -> list[int]:
    """Seconds that every load balancer keeps a connection that nobody uses."""
    attributes = [
        {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"]}
        for balancer in resources(made, BALANCER).values()
    ]
    return [int(one.get("idle_timeout.timeout_seconds", IDLE_SECONDS)) for one in attributes]


def kept_environments(made: Template) -> str:
    """What servers are told, as text."""
    return json.dumps([resources(made, kind) for kind in ("AWS::ECS::TaskDefinition", "AWS::EC2::LaunchTemplate")])


@pytest.mark.parametrize("key", WITH_SERVERS)
def test_a_server_has_the_time_to_end_in_order(key: str) -> None:
    made = template(key)
    assert patience(made)
    assert min(patience(made)) >= ServerSettings().shutdown_seconds + _TO_CLOSE
    # The default holds: nothing tells them another time.
    assert "SHUTDOWN_SECONDS" not in kept_environments(made)


@pytest.mark.parametrize("key", WITH_SERVERS)
def test_a_connection_is_ended_by_the_load_balancer_and_not_by_what_is_behind_it(key: str) -> None:
    found = idle(template(key))
    assert found
    # The other way round a request would be sent on a connection that is just being closed: 502.
    assert max(found) < KEEP_ALIVE_SECONDS
    # A request is answered before the load balancer gives it up, and before it is cut at the end of its server.
    assert ServerSettings().request_seconds < min(*found, ServerSettings().shutdown_seconds)


def test_a_service_that_asks_another_by_a_load_balancer_ends_the_connection_itself() -> None:
    assert min(idle(template("microservices"))) > clients.KEPT_SECONDS


def test_less_patience_is_noticed() -> None:
    made = template("microservices")
    (task,) = resources(made, "AWS::ECS::TaskDefinition").values()
    task["ContainerDefinitions"][0]["StopTimeout"] = 2
    assert min(patience(made)) == 2
    next(iter(resources(made, BALANCER).values()))["LoadBalancerAttributes"].append(
        {"Key": "idle_timeout.timeout_seconds", "Value": "600"}
    )
    assert max(idle(made)) == 600
