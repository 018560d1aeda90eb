"""A queue that loses nothing, and who may read and write it."""

import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs_lib import QueueWithDlq
from tests.repo import guards_operations, guards_security
from tests.repo.policies import identity_statements
from tests.templates import bare_stack, resources, synthesized

QUEUE, ALARM, SOURCE = "AWS::SQS::Queue", "AWS::CloudWatch::Alarm", "AWS::Lambda::EventSourceMapping"
DAY = 24 * 3600


def _queues(stack: cdk.Stack) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the queue, its dead letters)."""
    found = resources(stack, QUEUE)
    (queue,) = [one for name, one in found.items() if "DeadLetters" not in name]
    (dead,) = [one for name, one in found.items() if "DeadLetters" in name]
    return queue, dead


def test_defaults() -> None:
    stack = bare_stack()
    QueueWithDlq(stack, "Jobs")
    queue, dead = _queues(stack)
    assert (queue["VisibilityTimeout"], queue["MessageRetentionPeriod"]) == (180, 4 * DAY)
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 3
    assert dead["MessageRetentionPeriod"] == 14 * DAY
    for one in (queue, dead):
        assert one["SqsManagedSseEnabled"] is True
        assert one.keys().isdisjoint({"QueueName", "FifoQueue", "KmsMasterKeyId"})
    assert resources(stack, "AWS::KMS::Key") == {}


def test_poison_goes_to_the_dead_letters() -> None:
    stack = bare_stack()
    QueueWithDlq(stack, "Jobs")
    template = synthesized(stack)
    (dead,) = [name for name in resources(template, QUEUE) if "DeadLetters" in name]
    (redrive,) = [one["RedrivePolicy"] for one in resources(template, QUEUE).values() if "RedrivePolicy" in one]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": [dead, "Arn"]}


@pytest.mark.parametrize(
    ("props", "wanted"),
    [
        ({"visibility_timeout": Duration.hours(12)}, {"VisibilityTimeout": 43_200}),
        ({"visibility_timeout": Duration.seconds(0)}, {"VisibilityTimeout": 0}),
        ({"retention": Duration.minutes(1)}, {"MessageRetentionPeriod": 60}),
        ({"retention": Duration.days(14)}, {"MessageRetentionPeriod": 14 * DAY}),
        ({"fifo": True}, {"FifoQueue": True, "ContentBasedDeduplication": True}),
    ],
)
def test_overrides(props: dict[str, Any], wanted: dict[str, Any]) -> None:
    stack = bare_stack()
    QueueWithDlq(stack, "Jobs", **props)
    queue, _ = _queues(stack)
    assert {prop: queue[prop] for prop in wanted} == wanted


@pytest.mark.parametrize("count", [1, 1000])
def test_deliveries_before_a_message_is_dead(count: int) -> None:
    stack = bare_stack()
    QueueWithDlq(stack, "Jobs", max_receive_count=count)
    assert _queues(stack)[0]["RedrivePolicy"]["maxReceiveCount"] == count


def test_a_fifo_queue_has_fifo_dead_letters() -> None:
    stack = bare_stack()
    QueueWithDlq(stack, "Jobs", fifo=True)
    assert [one["FifoQueue"] for one in _queues(stack)] == [True, True]


def test_a_key_of_ones_own_encrypts_both() -> None:
    stack = bare_stack()
    QueueWithDlq(stack, "Jobs", encryption_key=kms.Key(stack, "Key"))
    (key,) = resources(stack, "AWS::KMS::Key")
    assert [one["KmsMasterKeyId"] for one in _queues(stack)] == [{"Fn::GetAtt": [key, "Arn"]}] * 2


@pytest.mark.parametrize(
    ("props", "message"),
    [
        (
            {"visibility_timeout": Duration.seconds(43_201)},
            "visibility_timeout: must be whole seconds between 0 and 43200, got 43201 seconds",
        ),
        (
            {"retention": Duration.seconds(59)},
            "retention: must be whole seconds between 60 and 1209600, got 59 seconds",
        ),
        (
            {"retention": Duration.days(15)},
            "retention: must be whole seconds between 60 and 1209600, got 1296000 seconds",
        ),
        (
            {"oldest_message_alarm": Duration.seconds(59)},
            "oldest_message_alarm: must be whole seconds between 60 and 1209600, got 59 seconds",
        ),
        ({"max_receive_count": 0}, "max_receive_count: must be between 1 and 1000, got 0"),
        ({"max_receive_count": 1001}, "max_receive_count: must be between 1 and 1000, got 1001"),
    ],
)
def test_refusals(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        QueueWithDlq(bare_stack(), "Jobs", **props)


def test_alarms_on_dead_letters_and_age() -> None:
    stack = bare_stack()
    jobs = QueueWithDlq(stack, "Jobs", oldest_message_alarm=Duration.minutes(5))
    alarms = {one["MetricName"]: one for one in resources(stack, ALARM).values()}
    assert len(jobs.alarms) == 2
    dead, age = alarms["ApproximateNumberOfMessagesVisible"], alarms["ApproximateAgeOfOldestMessage"]
    assert (dead["Threshold"], age["Threshold"]) == (0, 300)
    assert "DeadLetters" in str(dead["Dimensions"])
    assert "DeadLetters" not in str(age["Dimensions"])


def test_age_is_watched_by_default() -> None:
    stack = bare_stack()
    QueueWithDlq(stack, "Jobs")
    thresholds = {one["MetricName"]: one["Threshold"] for one in resources(stack, ALARM).values()}
    assert thresholds["ApproximateAgeOfOldestMessage"] == 900


def test_grants_to_producers() -> None:
    stack = bare_stack()
    producer = iam.Role(stack, "Producer", assumed_by=iam.AccountRootPrincipal())
    QueueWithDlq(stack, "Jobs").queue.grant_send_messages(producer)
    actions = {action for _, one in identity_statements(synthesized(stack)) for action in one["Action"]}
    assert actions == {"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"}


def _drop(prop: str) -> Callable[[QueueWithDlq], None]:
    def change(jobs: QueueWithDlq) -> None:
        resource = jobs.dead_letter_queue.node.default_child
        assert isinstance(resource, cdk.CfnResource)
        resource.add_property_deletion_override(prop)

    return change


@pytest.mark.parametrize(
    ("change", "offence"),
    [
        (lambda jobs: None, ""),
        (_drop("SqsManagedSseEnabled"), "must be encrypted"),
        (lambda jobs: jobs.queue.node.try_remove_child("Policy"), r"its policy must deny sqs:* without TLS"),
        (
            lambda jobs: jobs.queue.add_to_resource_policy(
                iam.PolicyStatement(actions=["sqs:SendMessage"], principals=[iam.AnyPrincipal()], resources=["*"])
            ),
            "must not let everybody in",
        ),
    ],
    ids=["as it is", "not encrypted", "plain HTTP", "open to all"],
)
def test_what_must_never_drift(change: Callable[[QueueWithDlq], Any], offence: str) -> None:
    stack = bare_stack()
    change(QueueWithDlq(stack, "Jobs"))
    template = synthesized(stack)
    guards = (*guards_security.GUARDS, guards_operations.dead_letters, guards_operations.no_physical_names)
    found = [one for guard in guards for one in guard(template)]
    assert [offence in one for one in found] == ([True] if offence else [])
