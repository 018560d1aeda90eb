"""What the runner asks of a real account."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from journeys._account import AccountError, NotDeployedError, caller, deployed
from journeys._report import Resources

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STACK_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/OrderQueue/1"


@dataclass(frozen=True)
class Stubbed:
    """A client and what it is made to answer."""

    client: "CloudFormationClient"
    answers: Stubber


@pytest.fixture
def cloudformation() -> Iterator[Stubbed]:
    client = boto3.client("cloudformation", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stub:
        yield Stubbed(client, stub)
    client.close()


def stack(status: str = "CREATE_COMPLETE", **outputs: str) -> dict[str, Any]:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    described = {"StackName": "OrderQueue", "StackId": STACK_ID, "CreationTime": NOW, "StackStatus": status}
    return {"Stacks": [described | ({"Outputs": listed} if listed else {})]}


def resources(*statuses: str, following: str | None = None) -> dict[str, Any]:
    listed = [
        {
            "LogicalResourceId": f"R{number}",
            "ResourceType": "AWS::SQS::Queue",
            "LastUpdatedTimestamp": NOW,
            "ResourceStatus": status,
        }
        for number, status in enumerate(statuses)
    ]
    return {"StackResourceSummaries": listed} | ({"NextToken": following} if following else {})


def test_a_stacks_outputs_and_resources(cloudformation: Stubbed) -> None:
    answers = cloudformation.answers
    answers.add_response("describe_stacks", stack(QueueUrl="https://sqs/q"), {"StackName": "OrderQueue"})
    first = resources("CREATE_COMPLETE", "DELETE_COMPLETE", following="more")
    answers.add_response("list_stack_resources", first, {"StackName": STACK_ID})
    answers.add_response(
        "list_stack_resources", resources("CREATE_COMPLETE"), {"StackName": STACK_ID, "NextToken": "more"}
    )
    found = deployed(cloudformation.client, "OrderQueue", "eu-west-1", deploy="cdk deploy OrderQueue")
    assert found.outputs == {"QueueUrl": "https://sqs/q"}
    assert found.resources == Resources(native=2)


def test_a_stack_that_is_not_there(cloudformation: Stubbed) -> None:
    cloudformation.answers.add_client_error(
        "describe_stacks", "ValidationError", "Stack with id OrderQueue does not exist"
    )
    with pytest.raises(NotDeployedError, match=r"^OrderQueue is not deployed in eu-west-1: cdk deploy OrderQueue$"):
        deployed(cloudformation.client, "OrderQueue", "eu-west-1", deploy="cdk deploy OrderQueue")


@pytest.mark.parametrize(
    ("status", "usable"),
    [
        ("CREATE_COMPLETE", True),
        ("UPDATE_COMPLETE", True),
        ("UPDATE_ROLLBACK_COMPLETE", True),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", True),
        ("REVIEW_IN_PROGRESS", False),
        ("CREATE_IN_PROGRESS", False),
        ("ROLLBACK_COMPLETE", False),
        ("UPDATE_ROLLBACK_FAILED", False),
        ("DELETE_IN_PROGRESS", False),
    ],
)
def test_a_stack_that_is_not_ready(cloudformation: Stubbed, status: str, usable: bool) -> None:
    cloudformation.answers.add_response("describe_stacks", stack(status))
    cloudformation.answers.add_response("list_stack_resources", resources())
    if usable:
        assert deployed(cloudformation.client, "OrderQueue", "eu-west-1", deploy="cdk deploy").outputs == {}
        return
    with pytest.raises(NotDeployedError, match=rf"OrderQueue in eu-west-1 is {status}, which no journey can use"):
        deployed(cloudformation.client, "OrderQueue", "eu-west-1", deploy="cdk deploy")


@pytest.mark.parametrize(
    ("code", "message"), [("AccessDenied", "not authorized"), ("ValidationError", "name is too long")]
)
def test_a_stack_that_cannot_be_read_is_no_missing_one(cloudformation: Stubbed, code: str, message: str) -> None:
    cloudformation.answers.add_client_error("describe_stacks", code, message)
    with pytest.raises(AccountError, match=rf"the stack OrderQueue in eu-west-1 cannot be read: .*{message}"):
        deployed(cloudformation.client, "OrderQueue", "eu-west-1", deploy="cdk deploy")


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, no profile, no region, no machine role."""
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ROLE_ARN",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.mark.usefixtures("nobody")
def test_no_credentials() -> None:
    with pytest.raises(AccountError, match=r"^no usable AWS credentials: Unable to locate credentials .*aws configure"):
        caller("eu-west-1")


@pytest.mark.usefixtures("nobody")
def test_no_such_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "prod")
    with pytest.raises(AccountError, match=r"AWS credentials: The config profile \(prod\) could not be found"):
        caller("eu-west-1")


@pytest.mark.usefixtures("nobody")
def test_no_region() -> None:
    with pytest.raises(AccountError, match=r"^no region: pass --region, or set AWS_REGION"):
        caller(None)
