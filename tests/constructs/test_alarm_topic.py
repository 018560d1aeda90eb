"""One place that alarms speak to, and that they are heard there."""

import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam

from constructs_lib import AlarmTopic, QueueWithDlq
from tests.repo import guards_operations, guards_security
from tests.templates import Template, bare_stack, only, resources, synthesized

TOPIC, POLICY, KEY, ALARM = "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::KMS::Key", "AWS::CloudWatch::Alarm"
CLOUDWATCH = {"Service": "cloudwatch.amazonaws.com"}


def _allowed(statements: list[dict[str, Any]], principal: object) -> list[dict[str, Any]]:
    return [one for one in statements if one["Effect"] == "Allow" and one["Principal"] == principal]


def test_the_topic_is_encrypted_with_a_key_that_rotates() -> None:
    stack = bare_stack()
    AlarmTopic(stack, "Alarms")
    (key,) = resources(stack, KEY)
    assert only(stack, TOPIC) == {"KmsMasterKeyId": {"Fn::GetAtt": [key, "Arn"]}}
    assert only(stack, KEY)["EnableKeyRotation"] is True


def test_alarms_may_use_the_key() -> None:
    stack = bare_stack()
    AlarmTopic(stack, "Alarms")
    (statement,) = _allowed(only(stack, KEY)["KeyPolicy"]["Statement"], CLOUDWATCH)
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]


def test_alarms_of_this_account_and_region_may_publish() -> None:
    """A topic policy replaces the default one; without this statement no alarm would ever be heard."""
    stack = bare_stack()
    AlarmTopic(stack, "Alarms")
    template = synthesized(stack)
    (topic,) = resources(template, TOPIC)
    (statement,) = _allowed(only(template, POLICY)["PolicyDocument"]["Statement"], CLOUDWATCH)
    assert (statement["Action"], statement["Resource"]) == ("sns:Publish", {"Ref": topic})
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    parts = statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1]
    arn = "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)
    assert arn == "arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:*"


def test_nobody_is_told_by_default() -> None:
    stack = bare_stack()
    AlarmTopic(stack, "Alarms")
    assert resources(stack, "AWS::SNS::Subscription") == {}


def test_an_address_is_subscribed() -> None:
    stack = bare_stack()
    AlarmTopic(stack, "Alarms", email="oncall@example.com")
    subscription = only(stack, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "oncall@example.com")


@pytest.mark.parametrize("email", ["", "oncall", "oncall@example", "a b@example.com", "a@b@example.com"])
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(ValueError, match=f"^email: must be an e-mail address, got {re.escape(repr(email))}$"):
        AlarmTopic(bare_stack(), "Alarms", email=email)


@pytest.mark.parametrize(
    ("props", "policy"),
    [({}, "Retain"), ({"removal_policy": RemovalPolicy.DESTROY}, "Delete")],
    ids=["default", "destroy"],
)
def test_what_becomes_of_the_key(props: dict[str, Any], policy: str) -> None:
    stack = bare_stack()
    AlarmTopic(stack, "Alarms", **props)
    (key,) = [one for one in synthesized(stack)["Resources"].values() if one["Type"] == KEY]
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == (policy, policy)


def _watched(stack: cdk.Stack) -> Template:
    """Two queues' alarms, watched together."""
    jobs, mails = QueueWithDlq(stack, "Jobs"), QueueWithDlq(stack, "Mails")
    AlarmTopic(stack, "Alarms").watch(jobs.alarms, mails.alarms)
    return synthesized(stack)


def test_watched_alarms_speak_when_raised_and_when_over() -> None:
    template = _watched(bare_stack())
    (topic,) = resources(template, TOPIC)
    alarms = resources(template, ALARM)
    assert len(alarms) == 4
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]


def test_an_alarm_that_nobody_watches_is_noticed() -> None:
    stack = bare_stack()
    QueueWithDlq(stack, "Forgotten")
    assert len(guards_operations.alarms_are_heard(_watched(stack))) == 4
    assert guards_operations.alarms_are_heard(_watched(bare_stack())) == []


def test_watching_nothing_is_no_error() -> None:
    stack = bare_stack()
    AlarmTopic(stack, "Alarms").watch()
    assert resources(stack, ALARM) == {}


def test_any_alarm_can_be_watched() -> None:
    stack = bare_stack()
    metric = cloudwatch.Metric(namespace="Shop", metric_name="Orders")
    alarm = cloudwatch.Alarm(stack, "NoOrders", metric=metric, threshold=1, evaluation_periods=1)
    AlarmTopic(stack, "Alarms").watch([alarm])
    assert guards_operations.alarms_are_heard(synthesized(stack)) == []


def _open_to_all(alarms: AlarmTopic) -> None:
    anybody = iam.PolicyStatement(actions=["sns:Publish"], principals=[iam.AnyPrincipal()], resources=["*"])
    alarms.topic.add_to_resource_policy(anybody)


def _not_encrypted(alarms: AlarmTopic) -> None:
    resource = alarms.topic.node.default_child
    assert isinstance(resource, cdk.CfnResource)
    resource.add_property_deletion_override("KmsMasterKeyId")


@pytest.mark.parametrize(
    ("change", "offence"),
    [
        (lambda alarms: None, ""),
        (_open_to_all, "must not let everybody in"),
        (_not_encrypted, "must be encrypted"),
        (lambda alarms: alarms.topic.node.try_remove_child("Policy"), "its policy must deny sns:Publish without TLS"),
    ],
    ids=["as it is", "open to all", "not encrypted", "plain HTTP"],
)
def test_what_must_never_drift(change: Callable[[AlarmTopic], Any], offence: str) -> None:
    stack = bare_stack()
    change(AlarmTopic(stack, "Alarms"))
    template = synthesized(stack)
    found = [one for guard in (*guards_security.GUARDS, guards_operations.no_physical_names) for one in guard(template)]
    assert [offence in one for one in found] == ([True] if offence else [])
