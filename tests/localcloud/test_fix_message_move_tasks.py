"""localcloud/fixes/message_move_tasks.py."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import ACCOUNT, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def queues(cloud: LocalCloud) -> tuple[str, str]:
    """A queue and its dead-letter queue, to which three messages have gone."""
    redrive = {"deadLetterTargetArn": probes.attribute("Dead"), "maxReceiveCount": 1}
    resources: dict[str, Any] = {
        "Dead": {"Type": "AWS::SQS::Queue"},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": redrive, "VisibilityTimeout": 0}},
    }
    made = probes.deploy(cloud, resources)
    sqs = cloud.client("sqs")
    for number in range(3):
        sqs.send_message(QueueUrl=made["Queue"], MessageBody=str(number))
    sqs.receive_message(QueueUrl=made["Queue"], MaxNumberOfMessages=10)
    sqs.receive_message(QueueUrl=made["Queue"])  # the second receive finds them received too often
    assert waiting(cloud, made["Dead"]) == 3
    return made["Queue"], made["Dead"]


def waiting(cloud: LocalCloud, url: str) -> int:
    """How many messages a queue shows."""
    name = "ApproximateNumberOfMessages"
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
    return int(attributes[name])


def test_dead_letters_go_back_where_they_came_from(cloud: LocalCloud) -> None:
    queue, dead = queues(cloud)
    sqs, source = cloud.client("sqs"), probes.queue_arn(dead)
    assert sqs.start_message_move_task(SourceArn=source)["TaskHandle"]

    def latest() -> Any:
        return sqs.list_message_move_tasks(SourceArn=source)["Results"][0]

    assert probes.eventually(lambda: latest()["Status"] == "COMPLETED")
    assert latest()["ApproximateNumberOfMessagesMoved"] == 3
    assert waiting(cloud, dead) == 0
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"])["Messages"]
    assert sorted(message["Body"] for message in received) == ["0", "1", "2"]
    assert {message["Attributes"]["ApproximateReceiveCount"] for message in received} == {"1"}


def test_one_task_at_a_time_and_it_can_be_cancelled(cloud: LocalCloud) -> None:
    _queue, dead = queues(cloud)
    sqs, source = cloud.client("sqs"), probes.queue_arn(dead)
    handle = sqs.start_message_move_task(SourceArn=source, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    with pytest.raises(ClientError, match="already a task running"):
        sqs.start_message_move_task(SourceArn=source)
    assert sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] < 3
    assert sqs.list_message_move_tasks(SourceArn=source)["Results"][0]["Status"] == "CANCELLED"


def test_only_a_dead_letter_queue_is_a_source(cloud: LocalCloud) -> None:
    queue, _dead = queues(cloud)
    sqs = cloud.client("sqs")
    with pytest.raises(ClientError, match="must be configured as a Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn=probes.queue_arn(queue))
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        sqs.start_message_move_task(SourceArn=probes.queue_arn("https://x/none"))


def test_the_right_is_asked_on_the_source(cloud: LocalCloud) -> None:
    _queue, dead = queues(cloud)
    moves = probes.role("lambda.amazonaws.com", probes.allow("sqs:StartMessageMoveTask", probes.queue_arn(dead)))
    other = probes.role("lambda.amazonaws.com", probes.allow("sqs:StartMessageMoveTask", probes.queue_arn("x/other")))
    for each in (moves, other):
        each["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    made = probes.deploy(cloud, {"Mover": moves, "Other": other})
    with pytest.raises(ClientError, match="AccessDenied"):
        probes.as_role(cloud, made["Other"], "sqs").start_message_move_task(SourceArn=probes.queue_arn(dead))
    assert probes.as_role(cloud, made["Mover"], "sqs").start_message_move_task(SourceArn=probes.queue_arn(dead))


def test_the_emulator_alone_still_knows_no_redrive(bare: LocalCloud) -> None:
    with pytest.raises(ClientError, match="InvalidAction"):
        bare.client("sqs").start_message_move_task(SourceArn=json.dumps("x"))
