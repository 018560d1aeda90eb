"""localcloud/fixes/kinesis_properties.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import ACCOUNT, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def resources(*rights: str) -> dict[str, Any]:
    """A stream with a key that takes records of up to 2 MiB, and a producer with these rights."""
    producer = probes.role("lambda.amazonaws.com", probes.allow(list(rights)))
    producer["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    encryption = {"EncryptionType": "KMS", "KeyId": probes.attribute("Key")}
    return {
        "Key": probes.key(),
        "Stream": {
            "Type": "AWS::Kinesis::Stream",
            "Properties": {"ShardCount": 1, "StreamEncryption": encryption, "MaxRecordSizeInKiB": 2048},
        },
        "Producer": producer,
    }


def put(client: Any, stream: str, size: int) -> str:
    """Put one record; how it was encrypted."""
    answer = client.put_record(StreamName=stream, PartitionKey="p", Data=b"x" * size)
    return str(answer["EncryptionType"])


def test_a_stream_keeps_its_key_and_takes_what_it_says(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources("kinesis:PutRecord", "kms:GenerateDataKey"))
    producer = probes.as_role(cloud, made["Producer"], "kinesis")
    assert put(producer, made["Stream"], 2 * 1024 * 1024) == "KMS"
    with pytest.raises(ClientError, match="less than or equal to 2097152"):
        put(producer, made["Stream"], 2 * 1024 * 1024 + 1)


def test_a_stream_that_says_nothing_takes_1_mib(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, {"Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}}})
    kinesis = cloud.client("kinesis")
    assert put(kinesis, made["Stream"], 1024 * 1024) == "NONE"
    with pytest.raises(ClientError, match="less than or equal to 1048576"):
        put(kinesis, made["Stream"], 1024 * 1024 + 1)


def test_a_producer_needs_the_stream_s_key(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources("kinesis:PutRecord"))
    with pytest.raises(ClientError, match="AccessDenied"):
        put(probes.as_role(cloud, made["Producer"], "kinesis"), made["Stream"], 1)


def test_the_emulator_alone_still_drops_both(bare: LocalCloud) -> None:
    made = probes.deploy(bare, resources("kinesis:PutRecord"))
    assert put(probes.as_role(bare, made["Producer"], "kinesis"), made["Stream"], 1) == "NONE"
    with pytest.raises(ClientError, match="1048576"):
        put(bare.client("kinesis"), made["Stream"], 1024 * 1024 + 1)
