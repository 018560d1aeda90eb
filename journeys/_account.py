"""What the runner asks of a real account before a journey: who calls, and what is deployed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from journeys._results import Resources

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

# Everything else is on its way, or left behind by a deployment that failed.
_USABLE = {
    "CREATE_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
}


class AccountError(Exception):
    """The account cannot be used: no credentials, no region, no right. The text says what to do."""


class NotDeployedError(Exception):
    """A scenario's stack is not there to be used. The text says how to deploy it."""


@dataclass(frozen=True)
class Deployed:
    """A deployed stack.

    Attributes:
        outputs: Its outputs by name.
        resources: How many resources it has.
    """

    outputs: Mapping[str, str]
    resources: Resources


def caller(region: str | None) -> tuple[boto3.Session, str, str]:
    """The caller's session, account and region, once the credentials are known to work.

    Args:
        region: The region; left out: the caller's own.

    Raises:
        AccountError: No usable credentials, or no region.
    """
    try:
        session = boto3.Session(region_name=region)
        chosen = session.region_name
        if not chosen:
            message = "no region: pass --region, or set AWS_REGION or a region in your profile"
            raise AccountError(message)
        return session, session.client("sts").get_caller_identity()["Account"], chosen
    except (BotoCoreError, ClientError) as error:
        message = f"no usable AWS credentials: {error} (aws configure or aws sso login gives some)"
        raise AccountError(message) from error


def deployed(cloudformation: "CloudFormationClient", name: str, region: str, *, deploy: str) -> Deployed:
    """What a stack gives.

    Args:
        cloudformation: The client.
        name: The stack's name.
        region: The client's region, for the messages.
        deploy: The command that deploys it, for the messages.

    Raises:
        NotDeployedError: There is no such stack, or it is not complete.
        AccountError: CloudFormation cannot be asked.
    """
    try:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack["StackId"])
        count = sum(
            resource["ResourceStatus"] != "DELETE_COMPLETE"
            for page in pages
            for resource in page["StackResourceSummaries"]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            message = f"{name} is not deployed in {region}: {deploy}"
            raise NotDeployedError(message) from error
        message = f"the stack {name} in {region} cannot be read: {error}"
        raise AccountError(message) from error
    except BotoCoreError as error:
        message = f"CloudFormation in {region} cannot be asked: {error}"
        raise AccountError(message) from error
    if stack["StackStatus"] not in _USABLE:
        message = f"{name} in {region} is {stack['StackStatus']}, which no journey can use: {deploy}"
        raise NotDeployedError(message)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return Deployed(outputs, Resources(native=count))
