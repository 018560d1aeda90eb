"""localcloud/fixes/stream_failures.py."""

import json
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

# Reports records whose key begins with "bad", raises for those with "worse", and writes down what it saw.
SOURCE = """
import boto3
def handler(event, context):
    failed = []
    for record in event["Records"]:
        key = record["dynamodb"]["Keys"]["id"]["S"]
        if key.startswith("worse"):
            raise ValueError(key)
        if key.startswith("bad"):
            failed.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
        else:
            boto3.client("sqs").send_message(QueueUrl=QUEUE, MessageBody=key)
    return {"batchItemFailures": failed}
"""


def table_with_reader(cloud: LocalCloud, *, may_read: bool = True) -> dict[str, str]:
    """A table, its reader, the queue of what was done and that of failures."""
    done = cloud.client("sqs").create_queue(QueueName=f"done-{next(probes._numbers)}")["QueueUrl"]
    stream = {"Fn::GetAtt": ["Table", "StreamArn"]}
    rights = [
        probes.allow("sqs:SendMessage", [probes.queue_arn(done), probes.attribute("Failures")]),
        *(
            [probes.allow(["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"], stream)]
            * may_read
        ),
    ]
    table = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
    }
    made = probes.deploy(
        cloud,
        {
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": table},
            "Failures": {"Type": "AWS::SQS::Queue"},
            "Role": probes.role("lambda.amazonaws.com", *rights),
            "Reader": probes.function(SOURCE.replace("QUEUE", repr(done)), "Role"),
            "Mapping": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "FunctionName": {"Ref": "Reader"},
                    "EventSourceArn": stream,
                    "StartingPosition": "TRIM_HORIZON",
                    "BatchSize": 10,
                    "MaximumRetryAttempts": 2,
                    "BisectBatchOnFunctionError": True,
                    "FunctionResponseTypes": ["ReportBatchItemFailures"],
                    "DestinationConfig": {"OnFailure": {"Destination": probes.attribute("Failures")}},
                },
            },
        },
    )
    return {**made, "Done": done}


def received(cloud: LocalCloud, url: str, number: int) -> set[str]:
    """So many different messages; a record that is tried again may be done twice."""
    found: set[str] = set()

    def enough() -> bool:
        found.update(probes.bodies(cloud, url))
        return len(found) >= number

    assert probes.eventually(enough, seconds=20), found
    return found


def put(cloud: LocalCloud, table: str, *keys: str) -> None:
    writes: list[Any] = [{"PutRequest": {"Item": {"id": {"S": key}}}} for key in keys]
    cloud.client("dynamodb").batch_write_item(RequestItems={table: writes})


def test_what_fails_is_told_and_the_others_are_done(cloud: LocalCloud) -> None:
    made = table_with_reader(cloud)
    put(cloud, made["Table"], "good1", "bad", "good2", "worse", "good3")
    done = received(cloud, made["Done"], 3)
    assert done == {"good1", "good2", "good3"}
    told = received(cloud, made["Failures"], 2)
    for one in map(json.loads, told):
        assert one["requestContext"]["condition"] == "RetryAttemptsExhausted"
        assert one["DDBStreamBatchInfo"]["batchSize"] == 1


def test_who_may_not_read_a_stream_is_given_nothing(cloud: LocalCloud) -> None:
    made = table_with_reader(cloud, may_read=False)
    put(cloud, made["Table"], "good")
    assert probes.bodies(cloud, made["Done"], seconds=2) == []


def test_the_emulator_alone_still_forgets_failures_and_asks_for_no_right(bare: LocalCloud) -> None:
    made = table_with_reader(bare, may_read=False)
    put(bare, made["Table"], "bad", "good")
    assert probes.bodies(bare, made["Done"], seconds=5) == ["good"]
    assert probes.bodies(bare, made["Failures"], seconds=2) == []
