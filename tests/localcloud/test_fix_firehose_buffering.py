"""localcloud/fixes/firehose_buffering.py."""

import base64
import json
from typing import Any

import pytest

from localcloud.cloud import ACCOUNT, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

# Answers by what a record says: "bad" has failed, "drop" is dropped, "crash" fails the batch; the rest is told who sent
# it.
SOURCE = """
import base64
def handler(event, context):
    answers = []
    for record in event["records"]:
        text = base64.b64decode(record["data"]).decode()
        if text == "crash":
            raise RuntimeError("cannot")
        result = {"bad": "ProcessingFailed", "drop": "Dropped"}.get(text, "Ok")
        sender = record.get("kinesisRecordMetadata", {}).get("partitionKey", "unknown")
        data = base64.b64encode(f"{sender}:{text};".encode()).decode()
        keys = {"sender": sender}
        answer = {"recordId": record["recordId"], "result": result, "data": data, "metadata": {"partitionKeys": keys}}
        answers.append(answer)
    return {"records": answers}
"""
RIGHTS = ("kinesis:GetRecords", "s3:PutObject", "lambda:InvokeFunction")


def resources(*rights: str) -> dict[str, Any]:
    """Kinesis -> Data Firehose with a transform -> S3, under a role with these rights."""
    parameter = {"ParameterName": "LambdaArn", "ParameterValue": probes.attribute("Function")}
    processing = {"Enabled": True, "Processors": [{"Type": "Lambda", "Parameters": [parameter]}]}
    destination = {
        "BucketARN": probes.attribute("Bucket"),
        "RoleARN": probes.attribute("Role"),
        "Prefix": "got/!{partitionKeyFromLambda:sender}/!{timestamp:yyyy}/",
        "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/!{timestamp:yyyy}/",
        "DynamicPartitioningConfiguration": {"Enabled": True},
        "ProcessingConfiguration": processing,
    }
    source = {"KinesisStreamARN": probes.attribute("Stream"), "RoleARN": probes.attribute("Role")}
    return {
        "Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Role": probes.role("firehose.amazonaws.com", probes.allow(list(rights))),
        "FunctionRole": probes.role("lambda.amazonaws.com"),
        "Function": probes.function(SOURCE, "FunctionRole"),
        "Delivery": {
            "Type": "AWS::KinesisFirehose::DeliveryStream",
            "Properties": {
                "DeliveryStreamType": "KinesisStreamAsSource",
                "KinesisStreamSourceConfiguration": source,
                "ExtendedS3DestinationConfiguration": destination,
            },
        },
    }


def put(cloud: LocalCloud, made: dict[str, str], *records: tuple[str, str]) -> None:
    """Put (sender, text)."""
    entries = [{"PartitionKey": sender, "Data": text.encode()} for sender, text in records]
    cloud.client("kinesis").put_records(StreamName=made["Stream"], Records=entries)


def objects(cloud: LocalCloud, made: dict[str, str]) -> dict[str, str]:
    """First three parts of the key -> content."""
    s3, bucket = cloud.client("s3"), made["Bucket"]
    return {
        each["Key"].rpartition("/")[0]: s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode()
        for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    }


def test_records_are_delivered_together_by_partition_and_the_failed_among_the_errors(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources(*RIGHTS))
    put(cloud, made, ("a", "1"), ("b", "2"), ("a", "3"), ("a", "bad"), ("a", "drop"))
    assert probes.eventually(lambda: len(objects(cloud, made)) == 3)
    found = {key.rpartition("/")[0]: text for key, text in objects(cloud, made).items()}
    error = json.loads(found.pop("errors/processing-failed"))
    assert found == {"got/a": "a:1;a:3;", "got/b": "b:2;"}
    assert error["errorCode"] == "Lambda.ProcessingFailedStatus"
    assert base64.b64decode(error["rawData"]) == b"bad"


def test_what_a_transform_crashes_at_goes_to_the_errors(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources(*RIGHTS))
    put(cloud, made, ("a", "1"), ("a", "crash"))
    assert probes.eventually(lambda: objects(cloud, made), seconds=20)
    ((key, text),) = objects(cloud, made).items()
    assert key.startswith("errors/processing-failed/")
    assert [base64.b64decode(json.loads(line)["rawData"]) for line in text.splitlines()] == [b"1", b"crash"]


@pytest.mark.parametrize("missing", RIGHTS)
def test_a_role_that_lacks_a_right_delivers_nothing_yet(cloud: LocalCloud, missing: str) -> None:
    made = probes.deploy(cloud, resources(*(right for right in RIGHTS if right != missing), "sqs:ListQueues"))
    put(cloud, made, ("a", "1"))
    assert not probes.eventually(lambda: objects(cloud, made), seconds=4)
    document = json.dumps({"Version": "2012-10-17", "Statement": [probes.allow(missing)]})
    cloud.client("iam").put_role_policy(RoleName=made["Role"], PolicyName="more", PolicyDocument=document)
    assert probes.eventually(lambda: objects(cloud, made))


def converting() -> dict[str, Any]:
    """Kinesis -> Data Firehose -> Parquet, by the columns of a table."""
    made = resources(*RIGHTS, "glue:GetTableVersions")
    columns = [{"Name": "name", "Type": "string"}, {"Name": "size", "Type": "double"}]
    schema = {"DatabaseName": {"Ref": "Database"}, "TableName": "sizes", "RoleARN": probes.attribute("Role")}
    destination = made["Delivery"]["Properties"]["ExtendedS3DestinationConfiguration"]
    del destination["ProcessingConfiguration"]
    destination |= {
        "Prefix": "got/!{timestamp:yyyy}/",
        "DataFormatConversionConfiguration": {
            "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
            "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
            "SchemaConfiguration": schema,
        },
    }
    table = {"Name": "sizes", "StorageDescriptor": {"Columns": columns, "Location": "s3://unused/"}}
    table_of = {"CatalogId": ACCOUNT, "DatabaseName": {"Ref": "Database"}, "TableInput": table}
    database = {"CatalogId": ACCOUNT, "DatabaseInput": {"Description": "probe"}}
    return made | {
        "Database": {"Type": "AWS::Glue::Database", "Properties": database},
        "Table": {"Type": "AWS::Glue::Table", "Properties": table_of},
    }


def test_rows_become_parquet_and_what_does_not_fit_goes_to_the_errors(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, converting())
    s3 = cloud.client("s3")

    def keys(prefix: str) -> list[str]:
        return [each["Key"] for each in s3.list_objects_v2(Bucket=made["Bucket"], Prefix=prefix).get("Contents", [])]

    put(cloud, made, ("a", '{"name": "x", "size": 1.5}'), ("a", '{"name": "y", "size": null}'))
    assert probes.eventually(lambda: keys("got/"))
    (key,) = keys("got/")
    assert key.endswith(".parquet")
    assert s3.get_object(Bucket=made["Bucket"], Key=key)["Body"].read()[:4] == b"PAR1"
    put(cloud, made, ("a", "no json"))
    assert probes.eventually(lambda: keys("errors/format-conversion-failed/"))


def test_the_emulator_alone_still_delivers_each_by_itself_and_lets_pass_what_crashed(bare: LocalCloud) -> None:
    made = probes.deploy(bare, resources("sqs:ListQueues"))
    put(bare, made, ("a", "1"), ("a", "3"), ("a", "crash"))
    s3 = bare.client("s3")
    assert probes.eventually(lambda: s3.list_objects_v2(Bucket=made["Bucket"]).get("KeyCount", 0) >= 3)
    assert any("unknown" in key for key in objects(bare, made)), "the transform is told who sent a record"
