"""What must never drift in a fan-out: who may send, under which key, and that nothing gets lost."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.constructs.fanouts import (
    KEY,
    POLICY,
    QUEUE,
    SUBSCRIPTION,
    TOPIC,
    all_is_under_the_key,
    fanout,
    nothing_undeliverable_is_lost,
    plain_http_is_refused,
    queues_admit_only_the_topic,
    sns_uses_the_key_for_this_account,
    stack_of,
)
from tests.templates import Template, bare_stack, flags, resources, synthesized

HOLDS = (
    queues_admit_only_the_topic,
    plain_http_is_refused,
    all_is_under_the_key,
    sns_uses_the_key_for_this_account,
    nothing_undeliverable_is_lost,
)
SENDING: list[str | int] = ["PolicyDocument", "Statement", 1]
SNS_ON_KEY: list[str | int] = ["KeyPolicy", "Statement", 1]
MUTATIONS: list[tuple[Callable[[Template], None], str, list[str | int], Any, str]] = [
    (queues_admit_only_the_topic, POLICY, [*SENDING, "Principal"], {"Service": "events.amazonaws.com"}, "principal"),
    (queues_admit_only_the_topic, POLICY, [*SENDING, "Principal"], "*", "another principal"),
    (queues_admit_only_the_topic, POLICY, [*SENDING, "Action"], "sqs:*", "more than sending"),
    (queues_admit_only_the_topic, POLICY, [*SENDING, "Condition"], {}, "another topic"),
    (
        queues_admit_only_the_topic,
        POLICY,
        [*SENDING, "Condition"],
        {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}},
        "another topic",
    ),
    (queues_admit_only_the_topic, POLICY, [*SENDING, "Effect"], "Deny", "admit nobody"),
    (plain_http_is_refused, "AWS::SNS::TopicPolicy", ["PolicyDocument", "Statement", 0, "Effect"], "Allow", "plain"),
    (plain_http_is_refused, "AWS::SNS::TopicPolicy", ["PolicyDocument", "Statement", 0, "Condition"], {}, "plain"),
    (all_is_under_the_key, KEY, ["EnableKeyRotation"], False, "does not rotate"),
    (all_is_under_the_key, TOPIC, ["KmsMasterKeyId"], "alias/aws/sns", "under no key"),
    (all_is_under_the_key, QUEUE, ["KmsMasterKeyId"], None, "under no key"),
    (sns_uses_the_key_for_this_account, KEY, [*SNS_ON_KEY, "Condition"], {}, "another account"),
    (sns_uses_the_key_for_this_account, KEY, [*SNS_ON_KEY, "Action"], "kms:*", "more or less"),
    (nothing_undeliverable_is_lost, SUBSCRIPTION, ["RedrivePolicy"], {}, "is lost"),
    (nothing_undeliverable_is_lost, SUBSCRIPTION, ["RawMessageDelivery"], False, "envelope"),
    (nothing_undeliverable_is_lost, QUEUE, ["RedrivePolicy"], {"maxReceiveCount": 1000}, "for ever"),
]


@pytest.fixture(params=[{}, flags()], ids=["no flags", "all flags"], scope="module")
def template(request: pytest.FixtureRequest) -> Template:
    return synthesized(stack_of(fanout(bare_stack(**request.param), required_attribute="event")))


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds_with_and_without_feature_flags(template: Template, holds: Callable[[Template], None]) -> None:
    holds(template)


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds_in_order_too(holds: Callable[[Template], None]) -> None:
    holds(synthesized(stack_of(fanout(fifo=True))))


@pytest.mark.parametrize(("holds", "kind", "path", "value", "says"), MUTATIONS)
def test_and_would_be_missed(
    template: Template, holds: Callable[[Template], None], kind: str, path: list[str | int], value: Any, says: str
) -> None:
    mutant = copy.deepcopy(template)
    for resource in resources(mutant, kind).values():
        spot: Any = resource
        for step in path[:-1]:
            spot = spot[step] if isinstance(step, str) or len(spot) > step else {}
        spot[path[-1]] = value
    with pytest.raises(AssertionError, match=says):
        holds(mutant)
