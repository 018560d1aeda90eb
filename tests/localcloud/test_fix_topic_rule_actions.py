"""localcloud/fixes/topic_rule_actions.py."""

import base64
import json
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def resources(prefix: str, *rights: str) -> dict[str, Any]:
    """A rule into a stream, with an error action into a bucket, under a role with these rights."""
    role = probes.attribute("Role")
    stream = {"RoleArn": role, "StreamName": {"Ref": "Stream"}, "PartitionKey": "${topic(2)}"}
    bucket = {"RoleArn": role, "BucketName": {"Ref": "Bucket"}, "Key": "errors/${topic(2)}/${newuuid()}.json"}
    rule = {
        "Sql": f"SELECT * FROM '{prefix}/+/telemetry'",  # noqa: S608 - AWS IoT's SQL, of our own
        "Actions": [{"Kinesis": stream}],
        "ErrorAction": {"S3": bucket},
    }
    return {
        "Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Role": probes.role("iot.amazonaws.com", probes.allow(list(rights))),
        "Rule": {"Type": "AWS::IoT::TopicRule", "Properties": {"TopicRulePayload": rule}},
    }


def records(cloud: LocalCloud, stream: str) -> list[tuple[str, bytes]]:
    """(partition key, data) of all records."""
    kinesis = cloud.client("kinesis")
    start = kinesis.get_shard_iterator(
        StreamName=stream, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )
    found = kinesis.get_records(ShardIterator=start["ShardIterator"])["Records"]
    return [(each["PartitionKey"], each["Data"]) for each in found]


def errors(cloud: LocalCloud, bucket: str) -> list[dict[str, Any]]:
    """What the error action wrote."""
    s3 = cloud.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    assert all(key.startswith("errors/d1/") for key in keys)
    return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]


@pytest.mark.parametrize(("prefix", "payload"), [("r1", b'{"a": 1}'), ("r2", b"no json"), ("r3", b"\xff\x00")])
def test_a_message_goes_into_the_stream_as_it_is(cloud: LocalCloud, prefix: str, payload: bytes) -> None:
    made = probes.deploy(cloud, resources(prefix, "kinesis:PutRecord", "s3:PutObject"))
    cloud.client("iot-data").publish(topic=f"{prefix}/d1/telemetry", payload=payload)
    assert probes.eventually(lambda: records(cloud, made["Stream"]))
    assert records(cloud, made["Stream"]) == [("d1", payload)]
    assert errors(cloud, made["Bucket"]) == []


def test_what_the_role_may_not_put_goes_to_the_error_action(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources("r4", "s3:PutObject"))
    cloud.client("iot-data").publish(topic="r4/d1/telemetry", payload=b'{"a": 1}')
    assert probes.eventually(lambda: errors(cloud, made["Bucket"]))
    (error,) = errors(cloud, made["Bucket"])
    assert base64.b64decode(error["base64OriginalPayload"]) == b'{"a": 1}'
    (failure,) = error["failures"]
    assert (failure["failedAction"], failure["failedResource"]) == ("KinesisAction", made["Stream"])
    assert "not authorized to perform: kinesis:PutRecord" in failure["errorMessage"]
    assert records(cloud, made["Stream"]) == []


def test_the_emulator_alone_still_loses_the_message(bare: LocalCloud) -> None:
    made = probes.deploy(bare, resources("r5", "s3:PutObject"))
    bare.client("iot-data").publish(topic="r5/d1/telemetry", payload=b'{"a": 1}')
    assert not probes.eventually(lambda: records(bare, made["Stream"]) or errors(bare, made["Bucket"]), seconds=1.5)
