"""localcloud/fixes/table_replicas.py."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import REGION, LocalCloud
from localcloud.environment import ACCESS_KEY, SECRET_KEY
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

ELSEWHERE = "eu-west-1"


def table(cloud: LocalCloud) -> str:
    """A global table in two regions."""
    properties = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
        "Replicas": [{"Region": REGION}, {"Region": ELSEWHERE}],
    }
    return probes.deploy(cloud, {"Table": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": properties}})["Table"]


def elsewhere(cloud: LocalCloud) -> Any:
    """DynamoDB of the other region."""
    make: Any = boto3.client
    return make(
        "dynamodb",
        region_name=ELSEWHERE,
        endpoint_url=cloud.endpoint_url,
        verify=str(cloud.ca_bundle),
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


def test_what_is_written_in_either_region_is_read_in_the_other(cloud: LocalCloud) -> None:
    name, here, there = table(cloud), cloud.client("dynamodb"), elsewhere(cloud)
    for writer, reader, number in ((here, there, "1"), (there, here, "2")):
        item = {"id": {"S": number}, "text": {"S": "hello"}}
        writer.put_item(TableName=name, Item=item)
        assert reader.get_item(TableName=name, Key={"id": {"S": number}})["Item"] == item


def test_a_deleted_stack_leaves_no_replica(cloud: LocalCloud) -> None:
    name = table(cloud)
    probes.destroy(cloud)
    with pytest.raises(ClientError, match="not found"):
        elsewhere(cloud).describe_table(TableName=name)


def test_the_emulator_alone_still_has_one_region(bare: LocalCloud) -> None:
    name = table(bare)
    with pytest.raises(ClientError, match="not found"):
        elsewhere(bare).describe_table(TableName=name)
