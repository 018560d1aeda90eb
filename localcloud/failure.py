"""Why a CDK command failed, in one sentence."""

from typing import Any

from localcloud.cdk import DeployableStack
from localcloud.process import Child

_NOISE = ("Subprocess exited with error", "at ", "Total time")
_FOLLOWS = "cancelled"


def of_command(child: Child) -> str:
    """What it said last, other than that it failed."""
    lines = [line.strip() for line in child.tail().splitlines()]
    telling = [line for line in lines if line and not any(noise in line for noise in _NOISE)]
    return telling[-1] if telling else "it said nothing"


def of_deployment(cloudformation: Any, stacks: list[DeployableStack]) -> str | None:
    """The first resource of the stacks that failed, and why; None when no resource did."""
    for stack in stacks:
        try:
            pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack.name)
            events = [event for page in pages for event in page["StackEvents"]]
        except cloudformation.exceptions.ClientError:  # the stack was never made
            continue
        for event in sorted(events, key=lambda each: each["Timestamp"]):
            reason = event.get("ResourceStatusReason", "")
            is_stack = event["PhysicalResourceId"] == event["StackId"]
            if event["ResourceStatus"].endswith("_FAILED") and _FOLLOWS not in reason.lower() and not is_stack:
                what = f"{event['LogicalResourceId']} ({event['ResourceType']})"
                return f"{stack.id}: {what} {event['ResourceStatus']}: {reason}"
    return None
