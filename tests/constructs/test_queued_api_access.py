"""Who may do what around a queued API, what is watched, and that neither can drift unseen."""

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Environment
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs_lib import QueuedApi
from tests.constructs.test_queued_api import make
from tests.repo import guards_operations, guards_security
from tests.repo.policies import identity_statements, many
from tests.repo.rules import Review, review
from tests.templates import NO_BUNDLING, Template, bare_stack, flags, resources, scratch, synthesized

ALARM, QUEUE = "AWS::CloudWatch::Alarm", "AWS::SQS::Queue"


def _rights(template: Template, role: str) -> dict[str, Any]:
    """Action -> resource of what a role may do."""
    return {
        action: one["Resource"]
        for name, one in identity_statements(template)
        if name.startswith(role)
        for action in many(one["Action"])
    }


def test_api_gateway_may_send_to_this_queue_and_nothing_else() -> None:
    stack = bare_stack()
    make(stack)
    template = synthesized(stack)
    (queue,) = [name for name in resources(template, QUEUE) if "DeadLetters" not in name]
    assert _rights(template, "IntakeSendRole") == {"sqs:SendMessage": {"Fn::GetAtt": [queue, "Arn"]}}


def test_api_gateway_may_use_the_queues_key() -> None:
    """Without it every request would be answered 503."""
    stack = bare_stack()
    make(stack, encryption_key=kms.Key(stack, "Key"))
    template = synthesized(stack)
    (key,) = resources(template, "AWS::KMS::Key")
    rights = _rights(template, "IntakeSendRole")
    assert rights.keys() == {"sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"}
    assert rights["kms:GenerateDataKey"] == {"Fn::GetAtt": [key, "Arn"]}


def test_grant_invoke_is_for_this_method_alone() -> None:
    stack = bare_stack()
    shop = iam.Role(stack, "Shop", assumed_by=iam.AccountRootPrincipal())
    grant = make(stack).grant_invoke(shop)
    assert grant.success
    rights = _rights(synthesized(stack), "Shop")
    assert rights.keys() == {"execute-api:Invoke"}
    assert rights["execute-api:Invoke"]["Fn::Join"][1][-1] == "/POST/orders"


def test_nobody_is_let_in_without_a_grant() -> None:
    stack = bare_stack()
    iam.Role(stack, "Shop", assumed_by=iam.AccountRootPrincipal())
    make(stack)
    assert _rights(synthesized(stack), "Shop") == {}


def test_alarms_on_answers_dead_letters_and_age() -> None:
    stack = bare_stack()
    assert len(make(stack).alarms) == 3
    watched = {one["MetricName"] for one in resources(stack, ALARM).values()} - {"Errors", "Throttles"}
    assert watched == {"5XXError", "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}


def _names_of_apis(template: Template) -> list[str]:
    alarms = [one for one in resources(template, ALARM).values() if one["MetricName"] == "5XXError"]
    names = sorted(one["Dimensions"][0]["Value"] for one in alarms)
    assert names == sorted(one["Name"] for one in resources(template, "AWS::ApiGateway::RestApi").values())
    return names


def test_two_apis_are_two_metrics() -> None:
    """Metrics know an API by its name alone, in the whole account."""
    stack = bare_stack()
    make(stack, "Orders")
    make(stack, "Returns")
    assert _names_of_apis(synthesized(stack)) == ["Test-Orders", "Test-Returns"]


def test_the_same_stack_twice_in_an_account_is_two_metrics() -> None:
    stack = cdk.Stack(cdk.App(context=NO_BUNDLING, outdir=str(scratch())), "Shop", stack_name="staging-Shop")
    make(stack)
    assert _names_of_apis(synthesized(stack)) == ["staging-Shop-Intake"]


def test_it_adds_no_output_of_its_own() -> None:
    stack = bare_stack()
    url = make(stack).url
    assert "Outputs" not in synthesized(stack)
    cdk.CfnOutput(stack, "Url", value=url)
    assert str(synthesized(stack)["Outputs"]["Url"]).endswith("'/orders']]}}")


def _reviewed(**props: Any) -> Review:
    def app() -> cdk.App:
        made = cdk.App(context={**flags(), **NO_BUNDLING}, outdir=str(scratch()))
        env = Environment(account="111122223333", region="eu-central-1") if props.pop("pinned", False) else None
        make(cdk.Stack(made, "S", env=env), **props)
        return made

    return review(app)


@pytest.mark.parametrize("pinned", [False, True], ids=["any account", "an account and region"])
def test_an_importer_with_cdk_nag_has_nothing_to_do(pinned: bool) -> None:
    assert _reviewed(pinned=pinned).problems() == []


def test_an_open_api_is_not_acknowledged_for_its_owner() -> None:
    """What is accepted for signed callers is said again of an API that anybody may call."""
    found = {finding.rule for finding in _reviewed(authorization=apigateway.AuthorizationType.NONE).unacknowledged}
    assert found == {"AwsSolutions-APIG3", "AwsSolutions-APIG4", "AwsSolutions-COG4"}


def _override(path: str, value: object) -> Callable[[QueuedApi], None]:
    def change(intake: QueuedApi) -> None:
        resource = intake.queue.node.default_child
        assert isinstance(resource, cdk.CfnResource)
        resource.add_property_override(path, value)

    return change


@pytest.mark.parametrize(
    ("change", "offence"),
    [
        (lambda intake: None, ""),
        (_override("SqsManagedSseEnabled", value=False), "must be encrypted"),
        (_override("RedrivePolicy", value=None), "must read from a queue that redrives"),
        (_override("QueueName", value="orders"), "must leave QueueName to CloudFormation"),
        (lambda intake: intake.queue.node.try_remove_child("Policy"), "its policy must deny sqs:* without TLS"),
        (lambda intake: cdk.CfnOutput(intake, "Url", value="u"), "must be an output of the stack itself"),
    ],
    ids=["as it is", "not encrypted", "no dead letters", "named", "plain HTTP", "output"],
)
def test_what_must_never_drift(change: Callable[[QueuedApi], Any], offence: str) -> None:
    stack = bare_stack()
    change(make(stack))
    template = synthesized(stack)
    guards = {*guards_security.GUARDS, *guards_operations.GUARDS} - {guards_operations.alarms_are_heard}
    found = [one for guard in guards for one in guard(template)]
    assert [offence in one for one in found] == ([True] if offence else [])
