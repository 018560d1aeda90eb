"""What a fan-out refuses, each with one sentence; and that what is just allowed is allowed."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns

from constructs_lib import PythonFunction, Subscriber
from tests.constructs.fanouts import DEAR, FIFO_ARN, STANDARD_ARN, body_of, fanout, one_of, stack_of
from tests.templates import bare_stack, synthesized


@pytest.mark.parametrize(
    ("props", "says"),
    [
        ({"name": ""}, "name: must be 1 to 64 characters: words of letters and digits .* got ''"),
        ({"name": "1st"}, "name: must be .* beginning with a letter, got '1st'"),
        ({"name": "a b"}, "name: must be .* got 'a b'"),
        ({"name": "a--b"}, "name: must be .* got 'a--b'"),
        ({"name": "a-"}, "name: must be .* got 'a-'"),
        ({"name": "a/b"}, "name: must be .* got 'a/b'"),
        ({"name": "x" * 65}, "name: must be .* got 'x{65}'"),
        ({"max_receive_count": 0}, "max_receive_count of 'a': must be between 1 and 1000, got 0"),
        ({"max_receive_count": 1001}, "max_receive_count of 'a': must be between 1 and 1000, got 1001"),
        (
            {"visibility_timeout": cdk.Duration.hours(13)},
            "visibility_timeout of 'a': must be whole seconds between 0 and 43200, got 46800 seconds",
        ),
        (
            {"filter_attributes": {"event": one_of(1)}, "filter_body": DEAR},
            "filter_body of 'a': must be left out beside filter_attributes, got both",
        ),
        ({"filter_attributes": {}}, "filter_attributes of 'a': must have at least one item, got none"),
        ({"filter_body": {}}, "filter_body of 'a': must have at least one item, got none"),
        ({"filter_body": {"x": sns.FilterOrPolicy.policy({})}}, "filter_body of 'a': must have at least one item"),
        (
            {"filter_attributes": {f"a{number}": one_of(1) for number in range(6)}},
            r"filter_attributes \(keys\) of 'a': must be between 1 and 5, got 6",
        ),
        (
            {"filter_attributes": {"a": one_of(10), "b": one_of(16)}},
            r"filter_attributes \(combinations of values\) of 'a': must be between 1 and 150, got 160",
        ),
        (
            {
                "filter_body": {
                    "deep": sns.FilterOrPolicy.policy(
                        {f"k{number}": sns.FilterOrPolicy.filter(one_of(1)) for number in range(6)}
                    )
                }
            },
            r"filter_body \(keys\) of 'a': must be between 1 and 5, got 6",
        ),
        (
            {"filter_body": body_of(51, depth=3)},
            r"filter_body \(combinations of values\) of 'a': must be between 1 and 150, got 153",
        ),
    ],
)
def test_a_subscriber_that_cannot_be_is_refused(props: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=f"^{says}"):
        Subscriber(**{"name": "a", **props})


@pytest.mark.parametrize(
    "props",
    [
        {"name": "x" * 64},
        {"name": "Order-Audit-2"},
        {"max_receive_count": 1},
        {"max_receive_count": 1000},
        {"visibility_timeout": cdk.Duration.hours(12)},
        {"filter_attributes": {f"a{number}": one_of(1) for number in range(5)}},
        {"filter_attributes": {"a": one_of(10), "b": one_of(15)}},
        {"filter_body": body_of(50, depth=3)},
    ],
)
def test_a_subscriber_at_the_limit_is_taken_by_the_cdk_too(props: dict[str, Any]) -> None:
    synthesized(stack_of(fanout(subscribers=[Subscriber(**{"name": "a", **props})])))


@pytest.mark.parametrize(
    ("props", "says"),
    [
        ({"subscribers": []}, "subscribers: must have at least one item, got none"),
        (
            {"subscribers": [Subscriber("order-audit"), Subscriber("orderAudit"), Subscriber("OrderAudit")]},
            r"subscribers \(names\): must be unique, got 'OrderAudit' twice",
        ),
        ({"subscribers": [Subscriber("a"), Subscriber("a")]}, r"subscribers \(names\): must be unique, got 'A' twice"),
        ({"required_attribute": ""}, "required_attribute: must be a message attribute: .* got ''"),
        ({"required_attribute": "a b"}, "required_attribute: must be a message attribute: .* got 'a b'"),
        ({"required_attribute": "AWS.event"}, "required_attribute: must be a message attribute: .* got 'AWS.event'"),
        ({"required_attribute": ".event"}, "required_attribute: must be a message attribute: .* got '.event'"),
        ({"required_attribute": "a..b"}, "required_attribute: must be a message attribute: .* got 'a..b'"),
        ({"required_attribute": "x" * 257}, "required_attribute: must be a message attribute: .* got 'x{257}'"),
        (
            {
                "required_attribute": "event",
                "subscribers": [Subscriber("a", {f"a{number}": one_of(1) for number in range(5)})],
            },
            r"filter_attributes \(keys\) of 'a' with required_attribute 'event': must be between 1 and 5, got 6",
        ),
        (
            {"content_based_deduplication": True},
            "content_based_deduplication: must be False unless fifo is True and topic left out",
        ),
    ],
)
def test_a_fanout_that_cannot_be_is_refused(props: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=f"^{says}"):
        fanout(**props)


@pytest.mark.parametrize(("arn", "fifo"), [(STANDARD_ARN, True), (FIFO_ARN, False)])
def test_a_topic_that_is_not_as_fifo_says_is_refused(arn: str, fifo: bool) -> None:
    stack = bare_stack()
    topic = sns.Topic.from_topic_arn(stack, "Theirs", arn)
    with pytest.raises(ValueError, match=f"^fifo: must be {not fifo} as of the topic Test/Theirs, got {fifo}"):
        fanout(stack, topic=topic, fifo=fifo)


def test_a_topic_of_the_stack_that_is_not_as_fifo_says_is_refused() -> None:
    stack = bare_stack()
    with pytest.raises(ValueError, match=r"^fifo: must be False as of the topic Test/Theirs, got True"):
        fanout(stack, topic=sns.Topic(stack, "Theirs"), fifo=True)


def test_content_based_deduplication_of_a_brought_topic_is_its_owners() -> None:
    stack = bare_stack()
    topic = sns.Topic(stack, "Theirs", fifo=True)
    with pytest.raises(ValueError, match=r"^content_based_deduplication: must be False unless"):
        fanout(stack, topic=topic, fifo=True, content_based_deduplication=True)


@pytest.mark.parametrize("service", ["s3", "s3.example.com", "*", "amazonaws.com"])
def test_what_is_no_service_cannot_be_let_in(service: str) -> None:
    with pytest.raises(ValueError, match=r"^service: must be a service principal like 's3\.amazonaws\.com', got "):
        fanout().grant_publish_to_service(service, "arn:aws:s3:::photos")


@pytest.mark.parametrize(
    ("name", "props", "says"),
    [
        ("nobody", {}, "name: must be one of billing, order-audit, got 'nobody'"),
        ("billing", {"batch_size": 0}, "batch_size: must be between 1 and 10, got 0"),
        ("billing", {"batch_size": 11}, "batch_size: must be between 1 and 10, got 11"),
        ("billing", {"max_concurrency": 1}, "max_concurrency: must be between 2 and 1000, got 1"),
    ],
)
def test_a_consumer_that_cannot_be_is_refused(name: str, props: dict[str, Any], says: str) -> None:
    stack = bare_stack()
    worker = PythonFunction(stack, "Worker", package="order_worker")
    with pytest.raises(ValueError, match=f"^{says}"):
        fanout(stack).add_consumer(name, worker.function, **props)


def test_a_consumer_slower_than_its_queue_allows_is_refused() -> None:
    stack = bare_stack()
    worker = PythonFunction(stack, "Worker", package="order_worker", timeout=cdk.Duration.seconds(31))
    says = "^visibility_timeout of 'billing': must be at least 186 seconds, .* Test/Worker/Function, got 180 seconds"
    with pytest.raises(ValueError, match=says):
        fanout(stack).add_consumer("billing", worker.function)
