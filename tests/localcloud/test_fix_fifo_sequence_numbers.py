"""localcloud/fixes/fifo_sequence_numbers.py."""

import json
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

# Writes down what it was given where the test can read it.
SOURCE = """
import boto3, json, os
def handler(event, context):
    for record in event["Records"]:
        told = json.dumps({"body": record["body"], "number": record["attributes"].get("SequenceNumber")})
        boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=told)
"""


def seen(cloud: LocalCloud, count: int) -> list[dict[str, Any]]:
    """Publish to a FIFO topic; what the function behind its queue was given."""
    may_send = probes.allow("sqs:SendMessage") | {"Principal": {"Service": "sns.amazonaws.com"}}
    made = probes.deploy(
        cloud,
        {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}},
            "Policy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Statement": [may_send]}},
            },
            "Seen": {"Type": "AWS::SQS::Queue"},
            "Role": probes.role("lambda.amazonaws.com", probes.allow("sqs:*")),
            "Function": probes.function(SOURCE, "Role", Environment={"Variables": {"SEEN": {"Ref": "Seen"}}}),
            "Mapping": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {"EventSourceArn": probes.attribute("Queue"), "FunctionName": {"Ref": "Function"}},
            },
        },
    )
    sns, queue = cloud.client("sns"), probes.queue_arn(made["Queue"])
    settings = {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    topic = sns.create_topic(Name=f"{queue.rsplit(':', 1)[-1]}", Attributes=settings)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    for number in range(count):
        sns.publish(TopicArn=topic, Message=str(number), MessageGroupId=str(number % 3))
    got: list[dict[str, Any]] = []

    def complete() -> bool:
        got.extend(json.loads(body) for body in probes.bodies(cloud, made["Seen"], seconds=1))
        return len(got) == count

    assert probes.eventually(complete, 20), got
    return got


def test_every_message_has_one_and_they_rise(cloud: LocalCloud) -> None:
    got = seen(cloud, 30)
    assert None not in [each["number"] for each in got]
    assert [int(each["body"]) for each in sorted(got, key=lambda each: int(each["number"]))] == list(range(30))


def test_the_emulator_alone_still_gives_none(bare: LocalCloud) -> None:
    assert {each["number"] for each in seen(bare, 3)} == {None}
