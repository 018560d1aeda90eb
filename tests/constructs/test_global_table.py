"""A table with replicas."""

from typing import Any

import aws_cdk as cdk
import pytest

from constructs_lib import GlobalTable
from tests.templates import bare_stack, only, resources, scratch

TABLE = "AWS::DynamoDB::GlobalTable"


def test_defaults() -> None:
    stack = bare_stack()
    GlobalTable(stack, "Posts", partition_key="id")
    table = only(stack, TABLE)
    (own,) = table["Replicas"]
    assert own["Region"] == {"Ref": "AWS::Region"}
    assert own["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert own["DeletionProtectionEnabled"] is True
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert "StreamSpecification" not in table
    assert "TableName" not in table


def test_replicas_are_as_safe_as_the_table() -> None:
    stack = bare_stack()
    GlobalTable(stack, "Posts", partition_key="blog", sort_key="id", replica_regions=["eu-central-1", "ap-south-1"])
    table = only(stack, TABLE)
    assert [one["Region"] for one in table["Replicas"]] == [{"Ref": "AWS::Region"}, "eu-central-1", "ap-south-1"]
    for one in table["Replicas"]:
        assert one["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert one["DeletionProtectionEnabled"] is True
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}, "DynamoDB copies by it"
    assert [key["KeyType"] for key in table["KeySchema"]] == ["HASH", "RANGE"]


def test_one_to_be_destroyed_is_not_protected() -> None:
    stack = bare_stack()
    destroy = cdk.RemovalPolicy.DESTROY
    GlobalTable(stack, "Posts", partition_key="id", replica_regions=["eu-west-1"], removal_policy=destroy)
    assert [one["DeletionProtectionEnabled"] for one in only(stack, TABLE)["Replicas"]] == [False, False]


def test_a_stream_is_there_when_asked_for() -> None:
    stack = bare_stack()
    made = GlobalTable(stack, "Posts", partition_key="id", stream=True)
    assert only(stack, TABLE)["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert made.table.table_stream_arn


def test_two_in_one_stack() -> None:
    stack = bare_stack()
    for name in ("One", "Two"):
        GlobalTable(stack, name, partition_key="id", replica_regions=["eu-west-1"])
    assert len(resources(stack, TABLE)) == 2


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"replica_regions": ["Frankfurt"]}, "replica_regions: must be regions like 'eu-central-1', got 'Frankfurt'"),
        ({"replica_regions": ["eu-west-1", "eu-west-1"]}, "replica_regions: must be unique, got 'eu-west-1' twice"),
        ({"partition_key": ""}, "partition_key: must be 1 to 255 letters"),
        ({"sort_key": "a b"}, "sort_key: must be 1 to 255 letters, .* got 'a b'"),
    ],
)
def test_refusals(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GlobalTable(bare_stack(), "Posts", **{"partition_key": "id", **props})


def test_its_own_region_is_no_replica() -> None:
    app = cdk.App(outdir=str(scratch()))
    stack = cdk.Stack(app, "Here", env=cdk.Environment(region="eu-west-1"))
    with pytest.raises(ValueError, match="must be other regions than the stack's own, got 'eu-west-1'"):
        GlobalTable(stack, "Posts", partition_key="id", replica_regions=["eu-west-1"])
