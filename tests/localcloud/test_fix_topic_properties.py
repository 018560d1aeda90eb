"""localcloud/fixes/topic_properties.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def resources() -> dict[str, Any]:
    """A FIFO topic without a name, with a FIFO queue behind it."""
    may_send = probes.allow("sqs:SendMessage") | {
        "Principal": {"Service": "sns.amazonaws.com"},
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Ref": "Topic"}}},
    }
    return {
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"FifoTopic": True, "ContentBasedDeduplication": True, "KmsMasterKeyId": "alias/aws/sns"},
        },
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}},
        "Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Statement": [may_send]}},
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "sqs",
                "Endpoint": probes.attribute("Queue"),
                "RawMessageDelivery": True,
            },
        },
    }


def topic_attributes(cloud: LocalCloud, arn: str) -> dict[str, str]:
    """GetTopicAttributes."""
    found: dict[str, str] = cloud.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    return found


def test_a_fifo_topic_is_one(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources())
    assert made["Topic"].endswith(".fifo")
    attributes = topic_attributes(cloud, made["Topic"])
    assert attributes["FifoTopic"] == attributes["ContentBasedDeduplication"] == "true"
    assert attributes["KmsMasterKeyId"] == "alias/aws/sns"

    sns = cloud.client("sns")
    with pytest.raises(ClientError, match="MessageGroupId"):
        sns.publish(TopicArn=made["Topic"], Message="one")
    for text in ("one", "two", "two", "three"):  # the second "two" is a duplicate
        sns.publish(TopicArn=made["Topic"], Message=text, MessageGroupId="group")
    # One group's messages come in one batch or not at all.
    assert probes.bodies(cloud, made["Queue"]) == ["one", "two", "three"]


def test_the_emulator_alone_still_makes_a_standard_topic(bare: LocalCloud) -> None:
    made = probes.deploy(bare, resources())
    assert "FifoTopic" not in topic_attributes(bare, made["Topic"])
