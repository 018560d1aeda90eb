"""Reads the plan of a container service from its deployed task definition."""

import json
from typing import Any

from localcloud.environment import REGION
from localcloud.errors import LocalCloudError
from localcloud.servers.plan import Plan
from localcloud.servers.roles import Cloud, under


def plan_of_service(cloud: Cloud, cluster: str, service: str) -> Plan:
    """The plan; its secrets are read as the task's execution role.

    Raises:
        LocalCloudError: there is no such service.
    """
    ecs = cloud.client("ecs")
    found = ecs.describe_services(cluster=cluster, services=[service])["services"]
    if not found or found[0]["status"] != "ACTIVE":
        raise LocalCloudError(f"there is no ECS service {service} in the cluster {cluster}")
    deployed = found[0]
    task = ecs.describe_task_definition(taskDefinition=deployed["taskDefinition"])["taskDefinition"]
    balanced = deployed.get("loadBalancers", [])
    container = _container(task, balanced[0]["containerName"] if balanced else None)
    logs = (container.get("logConfiguration") or {}).get("options", {})
    prefix = "/".join(part for part in (logs.get("awslogs-stream-prefix"), container["name"]) if part)
    placed = deployed.get("networkConfiguration", {}).get("awsvpcConfiguration", {}).get("subnets", [])
    return Plan(
        name=deployed["serviceName"],
        package=container["name"],
        count=deployed["desiredCount"],
        environment=_environment(cloud, task, container),
        role=task.get("taskRoleArn"),
        groups=tuple(each["targetGroupArn"] for each in balanced),
        zones=zones_of(cloud, placed),
        log_group=logs.get("awslogs-group"),
        log_prefix=f"{prefix}/",
        log_role=task.get("executionRoleArn"),
        stop_seconds=float(container.get("stopTimeout") or 30),
    )


def zones_of(cloud: Cloud, subnets: list[str]) -> tuple[str, ...]:
    """The availability zones of subnets, each once."""
    if not subnets:
        return (f"{REGION}a",)
    found = cloud.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    return tuple(sorted({str(subnet["AvailabilityZone"]) for subnet in found}))


def _container(task: Any, name: str | None) -> Any:
    containers = task["containerDefinitions"]
    return next((one for one in containers if one["name"] == name), containers[0])


def _environment(cloud: Cloud, task: Any, container: Any) -> dict[str, str]:
    plain = {each["name"]: each["value"] for each in container.get("environment", [])}
    secrets = container.get("secrets", [])
    if not secrets:
        return plain
    role = under(cloud, task["executionRoleArn"], "ecs-tasks")
    return plain | {each["name"]: _secret(role, each["valueFrom"]) for each in secrets}


def _secret(role: Any, source: str) -> str:
    """The value of a parameter or secret; a secret's ARN may name a JSON key, a stage and a version after it."""
    if ":ssm:" in source or not source.startswith("arn:"):
        name = source.partition(":parameter")[2] or source
        return str(role.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
    parts = source.split(":")
    arn, more = ":".join(parts[:7]), [*parts[7:], "", "", ""]
    chosen = {"VersionStage": more[1]} if more[1] else {}
    value = role.client("secretsmanager").get_secret_value(SecretId=arn, **chosen)["SecretString"]
    if not more[0]:
        return str(value)

    return str(json.loads(value)[more[0]])
