"""localcloud/fixes/subscription_dead_letters.py."""

import json
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def dead_letters(cloud: LocalCloud) -> list[str]:
    """Publish to a queue whose policy does not admit the topic; what its dead-letter queue got."""
    may_send = probes.allow("sqs:SendMessage") | {"Principal": {"Service": "sns.amazonaws.com"}}
    made = probes.deploy(
        cloud,
        {
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Dead": {"Type": "AWS::SQS::Queue"},
            "Policy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"Queues": [{"Ref": "Dead"}], "PolicyDocument": {"Statement": [may_send]}},
            },
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {
                    "TopicArn": {"Ref": "Topic"},
                    "Protocol": "sqs",
                    "Endpoint": probes.attribute("Queue"),
                    "RedrivePolicy": {"deadLetterTargetArn": probes.attribute("Dead")},
                },
            },
        },
    )
    cloud.client("sns").publish(TopicArn=made["Topic"], Message="lost?")
    assert probes.bodies(cloud, made["Queue"], seconds=0) == [], "the queue's policy admits nobody"
    return [json.loads(body)["Message"] for body in probes.bodies(cloud, made["Dead"], seconds=1)]


def test_what_the_queue_refuses_is_kept(cloud: LocalCloud) -> None:
    assert dead_letters(cloud) == ["lost?"]


def test_the_emulator_alone_still_drops_it(bare: LocalCloud) -> None:
    result: Any = dead_letters(bare)
    assert result == []
