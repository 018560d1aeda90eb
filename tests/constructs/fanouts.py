"""Small fan-outs to look at, and what must never drift in one."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_sns as sns

from constructs_lib import SnsFanoutToSqs, Subscriber
from tests.repo.policies import refers_to
from tests.templates import Template, bare_stack, only, resources

IS = sns.SubscriptionFilter
TOPIC, QUEUE, KEY = "AWS::SNS::Topic", "AWS::SQS::Queue", "AWS::KMS::Key"
STANDARD_ARN = "arn:aws:sns:eu-west-1:123456789012:theirs"
FIFO_ARN = f"{STANDARD_ARN}.fifo"
SUBSCRIPTION, POLICY = "AWS::SNS::Subscription", "AWS::SQS::QueuePolicy"
TWO = (Subscriber("billing"), Subscriber("order-audit"))
DEAR = {"total": sns.FilterOrPolicy.filter(IS.numeric_filter(greater_than=1000))}


def one_of(values: int) -> sns.SubscriptionFilter:
    return IS.string_filter(allowlist=[f"v{number}" for number in range(values)])


def body_of(values: int, depth: int = 1) -> dict[str, sns.FilterOrPolicy]:
    if depth == 1:
        return {"key": sns.FilterOrPolicy.filter(one_of(values))}
    return {"level": sns.FilterOrPolicy.policy(body_of(values, depth - 1))}


def fanout(stack: cdk.Stack | None = None, **props: Any) -> SnsFanoutToSqs:
    return SnsFanoutToSqs(stack or bare_stack(), "Orders", **{"subscribers": TWO, **props})


def stack_of(made: SnsFanoutToSqs) -> cdk.Stack:
    return cdk.Stack.of(made)


def queues_admit_only_the_topic(template: Template) -> None:
    (topic,) = resources(template, TOPIC)
    admitting = 0
    for policy in resources(template, POLICY).values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] != "Allow":
                continue
            admitting += 1
            assert statement["Principal"] == {"Service": "sns.amazonaws.com"}, "another principal is let in"
            assert statement["Action"] == "sqs:SendMessage", "more than sending is allowed"
            source = statement.get("Condition", {}).get("ArnEquals", {}).get("aws:SourceArn")
            assert refers_to(source, topic), "another topic is let in"
            assert any(refers_to(queue, statement["Resource"]["Fn::GetAtt"][0]) for queue in policy["Queues"])
    assert admitting == 2 * len(resources(template, SUBSCRIPTION)), "a queue or its delivery dead letters admit nobody"


def plain_http_is_refused(template: Template) -> None:
    (topic,) = resources(template, TOPIC)
    refusals = [
        statement
        for policy in resources(template, "AWS::SNS::TopicPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Principal"] == "*" and refers_to(statement["Resource"], topic)
    ]
    assert [(one["Action"], one["Condition"]) for one in refusals] == [
        ("sns:Publish", {"Bool": {"aws:SecureTransport": "false"}})
    ], "plain HTTP is let in"


def all_is_under_the_key(template: Template) -> None:
    (key,) = resources(template, KEY)
    assert only(template, KEY)["EnableKeyRotation"] is True, "the key does not rotate"
    encrypted = {**resources(template, TOPIC), **resources(template, QUEUE)}
    assert all(refers_to(one.get("KmsMasterKeyId"), key) for one in encrypted.values()), "something is under no key"


def sns_uses_the_key_for_this_account(template: Template) -> None:
    (statement,) = [
        statement
        for statement in only(template, KEY)["KeyPolicy"]["Statement"]
        if statement["Principal"] == {"Service": "sns.amazonaws.com"}
    ]
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"], "SNS may do more or less with the key"
    arn = statement.get("Condition", {}).get("ArnLike", {}).get("aws:SourceArn", {}).get("Fn::Join", ["", []])[1]
    assert arn == [
        "arn:",
        {"Ref": "AWS::Partition"},
        ":sns:",
        {"Ref": "AWS::Region"},
        ":",
        {"Ref": "AWS::AccountId"},
        ":*",
    ], "another account's topics may use the key"


def nothing_undeliverable_is_lost(template: Template) -> None:
    queues = resources(template, QUEUE)
    for subscription in resources(template, SUBSCRIPTION).values():
        target = subscription.get("RedrivePolicy", {}).get("deadLetterTargetArn")
        assert any(refers_to(target, queue) for queue in queues), "what cannot be delivered is lost"
        assert subscription["RawMessageDelivery"] is True, "the body comes in an envelope"
    redriven = [queue["RedrivePolicy"]["maxReceiveCount"] for queue in queues.values() if "RedrivePolicy" in queue]
    assert redriven == [3] * len(resources(template, SUBSCRIPTION)), "poison is delivered for ever"
