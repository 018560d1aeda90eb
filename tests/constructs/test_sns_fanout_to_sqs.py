"""The fan-out: what it makes by default and by each prop."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns

from constructs_lib import SnsFanoutToSqs, Subscriber
from tests.constructs.fanouts import (
    DEAR,
    IS,
    KEY,
    POLICY,
    QUEUE,
    SUBSCRIPTION,
    TOPIC,
    TWO,
    fanout,
    one_of,
    stack_of,
)
from tests.repo.policies import refers_to
from tests.templates import Template, bare_stack, only, resources, synthesized


def named(source: cdk.Stack | Template, kind: str, part: str) -> dict[str, Any]:
    (found,) = [properties for name, properties in resources(source, kind).items() if part in name]
    return found


def test_each_subscriber_has_a_queue_and_both_kinds_of_dead_letters() -> None:
    made = fanout()
    assert list(made.queues) == list(made.dead_letter_queues) == list(made.delivery_dead_letter_queues)
    assert list(made.queues) == ["billing", "order-audit"]
    assert made.queues["order-audit"].node.path == "Test/Orders/Subscribers/OrderAudit/Messages/Queue"
    assert made.unrouted_queue is None
    template = synthesized(stack_of(made))
    assert len(resources(template, QUEUE)) == 6
    assert len(resources(template, SUBSCRIPTION)) == 2
    assert all("FilterPolicy" not in one for one in resources(template, SUBSCRIPTION).values())
    retained = [queue["MessageRetentionPeriod"] for queue in resources(template, QUEUE).values()]
    assert sorted(retained) == [4 * 86400] * 2 + [14 * 86400] * 4


def test_a_subscription_waits_for_its_queues_policy() -> None:
    template = synthesized(stack_of(fanout()))
    for resource in template["Resources"].values():
        if resource["Type"] == SUBSCRIPTION:
            (queue,) = resource["Properties"]["Endpoint"]["Fn::GetAtt"][:1]
            (policy,) = resource["DependsOn"]
            assert any(refers_to(one, queue) for one in template["Resources"][policy]["Properties"]["Queues"])


def test_alarms_are_on_all_dead_letters_on_age_on_loss_and_on_what_is_unrouted() -> None:
    made = fanout(required_attribute="event")
    alarms = resources(stack_of(made), "AWS::CloudWatch::Alarm")
    assert len(made.alarms) == len(alarms) == 3 * 3 + 3
    said = sorted(alarm["AlarmDescription"].split(" ", 1)[1] for alarm in alarms.values())
    assert said == [
        "filters out messages that were published without any attribute",
        *["has dead letters"] * 3,
        *["has messages that SNS could not deliver"] * 3,
        "holds messages that were published without the attribute 'event'",
        *["is not drained"] * 3,
        "loses messages: neither a queue nor its delivery dead letters took them",
    ]
    assert all(
        alarm["TreatMissingData"] == "notBreaching" and alarm["Threshold"] in {0, 900} for alarm in alarms.values()
    )


def test_subscribers_say_what_they_want_and_how_long_they_take() -> None:
    shipping = Subscriber(
        "shipping",
        filter_attributes={"event": one_of(2), "zone": IS.string_filter(match_prefixes=["EU-"])},
        visibility_timeout=cdk.Duration.minutes(30),
        max_receive_count=5,
    )
    audit = Subscriber("audit", filter_body={"customer": sns.FilterOrPolicy.policy(DEAR)})
    template = synthesized(stack_of(fanout(subscribers=[shipping, audit])))
    by_attribute, by_body = named(template, SUBSCRIPTION, "Shipping"), named(template, SUBSCRIPTION, "Audit")
    assert by_attribute["FilterPolicy"] == {"event": ["v0", "v1"], "zone": [{"prefix": "EU-"}]}
    assert "FilterPolicyScope" not in by_attribute
    assert by_body["FilterPolicy"] == {"customer": {"total": [{"numeric": [">", 1000]}]}}
    assert by_body["FilterPolicyScope"] == "MessageBody"
    queue = named(template, QUEUE, "ShippingMessagesQueue")
    assert (queue["VisibilityTimeout"], queue["RedrivePolicy"]["maxReceiveCount"]) == (1800, 5)
    assert named(template, QUEUE, "AuditMessagesQueue")["VisibilityTimeout"] == 180


def test_what_lacks_the_required_attribute_goes_to_the_unrouted_queue_alone() -> None:
    subscribers = [
        Subscriber("everything"),
        Subscriber("placed", filter_attributes={"event": one_of(1)}),
        Subscriber("europe", filter_attributes={"zone": one_of(1)}),
        Subscriber("dear", filter_body=DEAR),
    ]
    made = fanout(subscribers=subscribers, required_attribute="event")
    found = {
        name.removeprefix("Orders").removeprefix("Subscribers").split("Subscription")[0]: one["FilterPolicy"]
        for name, one in resources(stack_of(made), SUBSCRIPTION).items()
    }
    assert found == {
        "Everything": {"event": [{"exists": True}]},
        "Placed": {"event": ["v0"]},
        "Europe": {"zone": ["v0"], "event": [{"exists": True}]},
        # SNS looks at the body or at the attributes.
        "Dear": {"total": [{"numeric": [">", 1000]}]},
        "Unrouted": {"event": [{"exists": False}]},
    }
    assert made.unrouted_queue is not None
    assert made.unrouted_queue.node.path == "Test/Orders/Unrouted/Messages/Queue"
    assert set(made.queues) == {"everything", "placed", "europe", "dear"}


def test_in_order_topic_queues_and_all_dead_letters_are_fifo() -> None:
    template = synthesized(stack_of(fanout(fifo=True, required_attribute="event")))
    topic = only(template, TOPIC)
    assert topic["FifoTopic"] is True
    assert topic["TopicName"].endswith(".fifo")
    assert "ContentBasedDeduplication" not in topic
    assert [queue["FifoQueue"] for queue in resources(template, QUEUE).values()] == [True] * 9


def test_equal_bodies_can_be_one_message() -> None:
    template = stack_of(fanout(fifo=True, content_based_deduplication=True))
    assert only(template, TOPIC)["ContentBasedDeduplication"] is True


def test_a_standard_topic_says_nothing_of_fifo() -> None:
    template = synthesized(stack_of(fanout()))
    assert only(template, TOPIC).keys() == {"KmsMasterKeyId"}
    assert all("FifoQueue" not in queue for queue in resources(template, QUEUE).values())


@pytest.mark.parametrize(
    ("policy", "kept"), [({}, "Retain"), ({"removal_policy": cdk.RemovalPolicy.DESTROY}, "Delete")]
)
def test_the_key_is_kept_unless_said_otherwise(policy: dict[str, Any], kept: str) -> None:
    found = synthesized(stack_of(fanout(**policy)))["Resources"].values()
    assert [one["DeletionPolicy"] for one in found if one["Type"] == KEY] == [kept]


def test_two_in_one_stack_share_nothing() -> None:
    stack = bare_stack()
    first = SnsFanoutToSqs(stack, "First", subscribers=TWO, required_attribute="event")
    second = SnsFanoutToSqs(stack, "Second", subscribers=TWO, fifo=True)
    template = synthesized(stack)
    assert (len(resources(template, KEY)), len(resources(template, TOPIC))) == (2, 2)
    assert first.topic.node.path != second.topic.node.path
    for policy in resources(template, POLICY).values():
        (queue,) = policy["Queues"]
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                assert statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Ref"][:5] == queue["Ref"][:5]
