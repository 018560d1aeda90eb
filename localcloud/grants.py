"""The drill: take away each grant of a scenario's functions and servers in turn: its journey must then fail.

A journey that still passes shows a grant that nobody needs, or one that nothing proves.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from journeys._runner import Journey, run_journey
from journeys._waiting import Waiting
from journeys._world import World
from localcloud.cloud import LocalCloud
from stacks.scenario import stack_id

# Rights that Lambda itself uses for the function (the emulator's Lambda writes logs and traces without asking IAM), and
# those of services that are recorded only; a file system is a folder here, which asks nobody.
_NOT_ASKED_FOR_HERE = {"dax", "elasticfilesystem", "logs", "xray"}
# What containers and instances use to become servers, or to be looked after: here they are processes.
_OF_BOOTING = {"cloudformation", "cloudwatch", "ec2messages", "ecr", "elasticfilesystem", "s3", "ssm", "ssmmessages"}
# A journey waits up to a minute for what comes within a second; a grant that is gone is gone for good.
_HURRY = 4


@dataclass(frozen=True)
class Grant:
    """One statement of the inline policy of the role of a function, a task or an instance."""

    owner: str
    role: str
    policy: str
    index: int
    actions: tuple[str, ...]
    of_server: bool = False

    @property
    def is_asked_for(self) -> bool:
        """Whether the emulator asks IAM about these actions at all."""
        unasked = _NOT_ASKED_FOR_HERE | (_OF_BOOTING if self.of_server else set())
        return not {action.split(":")[0] for action in self.actions} <= unasked


@dataclass(frozen=True)
class Finding:
    """What happened without a grant."""

    grant: Grant
    result: str
    at: str


def grants(cloud: LocalCloud, key: str) -> list[Grant]:
    """Every grant of the scenario's own functions and servers; helpers of CDK (custom resources) are none of them."""
    found = []
    stack = cloud.stacks[stack_id(key)].name
    for logical_id, role, of_server in [*_functions(cloud, stack), *_servers(cloud, stack)]:
        for policy in cloud.client("iam").list_role_policies(RoleName=role)["PolicyNames"]:
            for index, statement in enumerate(_statements(cloud, role, policy)):
                actions = statement["Action"]
                listed = (actions,) if isinstance(actions, str) else tuple(actions)
                found.append(Grant(logical_id, role, policy, index, listed, of_server))
    return found


def drill(cloud: LocalCloud, key: str, journey: Journey, console: Console) -> list[Finding]:
    """Run the journey once without each grant; the grants are as before afterwards."""
    findings = []
    for grant in grants(cloud, key):
        if grant.is_asked_for:
            with (
                console.status(f"{key}: without {', '.join(grant.actions)} of {grant.owner} ..."),
                _without(cloud, grant),
            ):
                result = run_journey(key, _world(cloud, key), journey=journey)
            cloud.check_alive()
            failed = next((step.name for step in result.steps if step.result == "failed"), "")
            if result.result == "passed" and grant.owner in called_by_deployment(cloud, key):
                findings.append(Finding(grant, "not-run", "its function is called while the stack is deployed"))
            else:
                findings.append(Finding(grant, result.result, failed))
        else:
            findings.append(Finding(grant, "not-run", "the local cloud does not ask IAM for these"))
    return findings


def called_by_deployment(cloud: LocalCloud, key: str) -> set[str]:
    """The functions behind custom resources: what a journey does not show of them, the deployment did."""
    template = cloud.client("cloudformation").get_template(StackName=cloud.stacks[stack_id(key)].name)["TemplateBody"]
    made = json.loads(template) if isinstance(template, str) else template
    tokens = [one.get("Properties", {}).get("ServiceToken", {}) for one in made["Resources"].values()]
    return {str(token["Fn::GetAtt"][0]) for token in tokens if "Fn::GetAtt" in token}


def render(key: str, findings: list[Finding], console: Console) -> None:
    """One row per grant."""
    table = Table(title=f"{key}: the journey without one grant", title_justify="left")
    for column in ("function or server", "grant taken away", "journey", "at"):
        table.add_column(column)
    for finding in findings:
        grant = finding.grant
        good = {"failed": "[green]fails[/]", "not-run": "[yellow]not-run[/]"}
        mark = good.get(finding.result, "[red]still passes[/]")
        table.add_row(grant.owner, "\n".join(grant.actions), mark, finding.at)
    console.print(table)


def _world(cloud: LocalCloud, key: str) -> World:
    hurried = Waiting(clock=lambda: time.monotonic() * _HURRY)
    return cloud.world(key, console=Console(quiet=True), waiting=hurried)


def _functions(cloud: LocalCloud, stack: str) -> Iterator[tuple[str, str, bool]]:
    """(logical id, role, whether it is a server) of each."""
    for logical_id, name in _resources(cloud, stack, "AWS::Lambda::Function"):
        configuration = cloud.client("lambda").get_function_configuration(FunctionName=name)
        if "POWERTOOLS_SERVICE_NAME" in configuration.get("Environment", {}).get("Variables", {}):
            yield logical_id, configuration["Role"].rsplit("/", 1)[-1], False


def _servers(cloud: LocalCloud, stack: str) -> Iterator[tuple[str, str, bool]]:
    """The same of tasks and instances."""
    for logical_id, arn in _resources(cloud, stack, "AWS::ECS::TaskDefinition"):
        task = cloud.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
        for name in ("taskRoleArn", "executionRoleArn"):
            if role := task.get(name):
                yield logical_id, role.rsplit("/", 1)[-1], True
    for logical_id, named in _resources(cloud, stack, "AWS::IAM::InstanceProfile"):
        name = named.rsplit("/", 1)[-1]  # the emulator's Ref is the ARN
        profile = cloud.client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        for role in profile["Roles"]:
            yield logical_id, role["RoleName"], True


def _resources(cloud: LocalCloud, stack: str, kind: str) -> Iterator[tuple[str, str]]:
    """(logical id, physical id) of each resource of a type."""
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    for page in pages:
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] == kind:
                yield resource["LogicalResourceId"], resource["PhysicalResourceId"]


def _statements(cloud: LocalCloud, role: str, policy: str) -> list[dict[str, Any]]:
    document = cloud.client("iam").get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    statements: list[dict[str, Any]] = document["Statement"]
    return statements


@contextmanager
def _without(cloud: LocalCloud, grant: Grant) -> Iterator[None]:
    iam = cloud.client("iam")
    whole = _statements(cloud, grant.role, grant.policy)

    def put(statements: list[dict[str, Any]]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=grant.role, PolicyName=grant.policy, PolicyDocument=document)

    put(whole[: grant.index] + whole[grant.index + 1 :])
    try:
        yield
    finally:
        put(whole)
