"""The fan-out with keys and topics that are brought, and its grants: who may publish, who consumes."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match

from constructs_lib import PythonFunction, SnsFanoutToSqs
from tests.constructs.fanouts import (
    FIFO_ARN,
    KEY,
    QUEUE,
    STANDARD_ARN,
    SUBSCRIPTION,
    TOPIC,
    TWO,
    all_is_under_the_key,
    fanout,
    queues_admit_only_the_topic,
    sns_uses_the_key_for_this_account,
    stack_of,
)
from tests.repo.policies import many, refers_to
from tests.templates import Template, bare_stack, only, resources, synthesized


def statements(source: cdk.Stack | Template, role: str) -> dict[str, Any]:
    """Action -> resource of what a role may do."""
    found = [one for one in resources(source, "AWS::IAM::Policy").values() if role in str(one["Roles"])]
    return {
        action: statement["Resource"]
        for policy in found
        for statement in policy["PolicyDocument"]["Statement"]
        for action in many(statement["Action"])
    }


def test_a_brought_key_is_used_for_all_and_lets_sns_in() -> None:
    stack = bare_stack()
    key = kms.Key(stack, "Mine", enable_key_rotation=True)
    made = fanout(stack, encryption_key=key)
    assert made.encryption_key.node.path == "Test/Mine"
    template = synthesized(stack)
    all_is_under_the_key(template)
    sns_uses_the_key_for_this_account(template)


def test_two_under_one_key_say_it_once() -> None:
    stack = bare_stack()
    key = kms.Key(stack, "Mine", enable_key_rotation=True)
    for construct_id in ("First", "Second"):
        SnsFanoutToSqs(stack, construct_id, subscribers=TWO, encryption_key=key)
    sns_uses_the_key_for_this_account(synthesized(stack))


def test_an_imported_key_is_used_and_its_owner_is_told_what_it_must_allow() -> None:
    stack = bare_stack()
    arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    fanout(stack, encryption_key=kms.Key.from_key_arn(stack, "Theirs", arn))
    template = synthesized(stack)
    assert resources(template, KEY) == {}
    assert {queue["KmsMasterKeyId"] for queue in resources(template, QUEUE).values()} == {arn}
    Annotations.from_stack(stack).has_warning("/Test/Orders", Match.string_like_regexp("must allow sns.amazonaws.com"))


def test_a_key_that_is_ours_gives_no_warning() -> None:
    made = fanout()
    assert not Annotations.from_stack(stack_of(made)).find_warning("*", Match.any_value())


def test_a_topic_of_the_stack_can_be_brought() -> None:
    stack = bare_stack()
    key = kms.Key(stack, "Mine")
    topic = sns.Topic(stack, "Theirs", master_key=key)
    made = fanout(stack, topic=topic, encryption_key=key)
    template = synthesized(stack)
    queues_admit_only_the_topic(template)
    assert len(resources(template, "AWS::CloudWatch::Alarm")) == len(made.alarms) == 6
    assert resources(template, "AWS::SNS::TopicPolicy") == {}, "its policy is its owner's"


@pytest.mark.parametrize("region", ["eu-west-1", "us-west-2"])
def test_an_imported_topic_can_be_brought_from_any_region(region: str) -> None:
    app = cdk.App(context={"aws:cdk:bundling-stacks": []})
    stack = cdk.Stack(app, "Test", env=cdk.Environment(account="123456789012", region="eu-west-1"))
    arn = f"arn:aws:sns:{region}:210987654321:theirs"
    fanout(stack, topic=sns.Topic.from_topic_arn(stack, "Theirs", arn))
    template = synthesized(stack)
    assert resources(template, TOPIC) == {}
    for subscription in resources(template, SUBSCRIPTION).values():
        assert subscription["TopicArn"] == arn
        assert subscription.get("Region") == (None if region == "eu-west-1" else region)
    (statement,) = [one for one in only(template, KEY)["KeyPolicy"]["Statement"] if "Condition" in one]
    assert f":sns:{region}:210987654321:*" in str(statement["Condition"])


def test_an_imported_fifo_topic_can_be_brought() -> None:
    stack = bare_stack()
    fanout(stack, topic=sns.Topic.from_topic_arn(stack, "Theirs", FIFO_ARN), fifo=True)
    assert {queue["FifoQueue"] for queue in resources(stack, QUEUE).values()} == {True}


def test_an_imported_topic_whose_arn_is_not_known_yet_is_what_fifo_says() -> None:
    stack = bare_stack()
    arn = cdk.Fn.import_value("TheirTopicArn")
    fanout(stack, topic=sns.Topic.from_topic_arn(stack, "Theirs", arn), fifo=True)
    assert {queue["FifoQueue"] for queue in resources(stack, QUEUE).values()} == {True}


def test_publishers_may_publish_and_use_the_topics_key_and_nothing_else() -> None:
    stack = bare_stack()
    made = fanout(stack)
    role = iam.Role(stack, "Shop", assumed_by=iam.AccountPrincipal("123456789012"))
    made.grant_publish(role).assert_success()
    may = statements(stack, "Shop")
    (topic,), (key,) = resources(stack, TOPIC), resources(stack, KEY)
    assert set(may) == {"sns:Publish", "kms:Decrypt", "kms:GenerateDataKey*"}
    assert refers_to(may["sns:Publish"], topic)
    assert refers_to(may["kms:Decrypt"], key)
    assert refers_to(may["kms:GenerateDataKey*"], key)


def test_a_service_publishes_for_one_resource_and_may_use_the_key() -> None:
    stack = bare_stack()
    made = fanout(stack)
    bucket = s3.Bucket(stack, "Photos", encryption_key=made.encryption_key)
    made.grant_publish_to_service("s3.amazonaws.com", bucket.bucket_arn).assert_success()
    template = synthesized(stack)
    (allowed,) = [
        one
        for one in only(template, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
        if one["Effect"] == "Allow"
    ]
    (bucket_id,) = resources(template, "AWS::S3::Bucket")
    account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert (allowed["Action"], allowed["Principal"]) == ("sns:Publish", {"Service": "s3.amazonaws.com"})
    assert allowed["Condition"] == {
        "ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [bucket_id, "Arn"]}},
        **account,
    }
    (on_key,) = [
        one
        for one in only(template, KEY)["KeyPolicy"]["Statement"]
        if one["Principal"] == {"Service": "s3.amazonaws.com"}
    ]
    assert (on_key["Action"], on_key["Condition"]) == (["kms:Decrypt", "kms:GenerateDataKey*"], account)


def test_a_service_cannot_be_let_in_to_an_imported_topic() -> None:
    stack = bare_stack()
    made = fanout(stack, topic=sns.Topic.from_topic_arn(stack, "Theirs", STANDARD_ARN))
    with pytest.raises(ValueError, match=r"^topic: must be defined in this app .* got the imported Test/Theirs; its"):
        made.grant_publish_to_service("s3.amazonaws.com", "arn:aws:s3:::photos")


def test_a_consumer_drains_its_queue_and_no_other() -> None:
    stack = bare_stack()
    made = fanout(stack)
    worker = PythonFunction(stack, "Worker", package="order_worker")
    made.add_consumer("billing", worker.function, batch_size=5, max_concurrency=20)
    template = synthesized(stack)
    mapping = only(template, "AWS::Lambda::EventSourceMapping")
    (queue,) = [name for name in resources(template, QUEUE) if "BillingMessagesQueue" in name]
    assert refers_to(mapping["EventSourceArn"], queue)
    assert mapping["BatchSize"] == 5
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 20}
    may = statements(template, "Worker")
    assert {action for action in may if action.startswith(("sqs:", "kms:", "sns:"))} == {
        "kms:Decrypt",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
    }
    assert refers_to(may["sqs:ReceiveMessage"], queue)
