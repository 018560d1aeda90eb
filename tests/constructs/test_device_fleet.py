"""The fleet: what it makes by default and by each prop."""

from typing import Any

import pytest
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs_lib import DeviceFleet
from tests.templates import Template, bare_stack, only, resources, synthesized


def fleet(**props: Any) -> Template:
    """The template of a fleet with a stream and a bucket of its own."""
    stack = bare_stack()
    if props.pop("key", False):
        props["stream_key"] = kms.Key(stack, "Key")
    DeviceFleet(stack, "Fleet", stream=kinesis.Stream(stack, "S"), errors_bucket=s3.Bucket(stack, "B"), **props)
    return synthesized(stack)


def actions(made: Template) -> set[str]:
    statements = only(made, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    return {str(each["Action"]) for each in statements}


def test_the_rule_may_write_to_one_stream_and_below_one_prefix() -> None:
    made = fleet()
    assert actions(made) == {"kinesis:PutRecord", "s3:PutObject"}
    assert "/errors/rule/*" in str(only(made, "AWS::IAM::Policy"))
    assert "kms:GenerateDataKey" in actions(fleet(key=True))


def test_another_prefix_is_in_policy_and_rule() -> None:
    made = fleet(topic_prefix="meters_1", errors_prefix="lost/")
    assert "topic/meters_1/${iot:Connection.Thing.ThingName}/telemetry" in str(only(made, "AWS::IoT::Policy"))
    rule = only(made, "AWS::IoT::TopicRule")["TopicRulePayload"]
    assert rule["Sql"] == "SELECT * FROM 'meters_1/+/telemetry'"
    assert rule["ErrorAction"]["S3"]["Key"] == "lost/${topic(2)}/${timestamp()}-${newuuid()}.json"
    assert "/lost/*" in str(only(made, "AWS::IAM::Policy"))


def test_messages_come_when_the_role_may_write() -> None:
    made = fleet()
    (rule,) = [each for each in made["Resources"].values() if each["Type"] == "AWS::IoT::TopicRule"]
    (policy,) = resources(made, "AWS::IAM::Policy")
    assert rule["DependsOn"] == [policy]


def test_failed_actions_raise_an_alarm() -> None:
    alarm = only(fleet(), "AWS::CloudWatch::Alarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/IoT", "Failure")


@pytest.mark.parametrize("prefix", ["", "a/b", "a+", "#", "it's", "x" * 65])
def test_a_prefix_that_is_more_than_one_level_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match=r"topic_prefix: must be 1-64 of A-Z, a-z, 0-9, '_' and '-', got"):
        fleet(topic_prefix=prefix)
