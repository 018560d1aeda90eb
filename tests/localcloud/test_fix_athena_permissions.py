"""localcloud/fixes/athena_permissions.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import ACCOUNT, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

DATA = ("glue:GetTable", "s3:ListBucket", "s3:GetObject", "s3:GetBucketLocation", "s3:PutObject")


def resources(*data: str) -> dict[str, Any]:
    """A table of CSV, a workgroup, and somebody who may use it, with these rights to the data."""
    workgroup = {"Fn::Sub": "arn:aws:athena:${AWS::Region}:${AWS::AccountId}:workgroup/${Group}"}
    asks = probes.allow(["athena:StartQueryExecution", "athena:GetQueryExecution"], workgroup)
    analyst = probes.role("lambda.amazonaws.com", asks, *([probes.allow(list(data))] if data else []))
    analyst["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    results = {"OutputLocation": {"Fn::Sub": "s3://${Results}/here/"}}
    columns = [{"Name": "name", "Type": "string"}]
    table = {
        "Name": "people",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "csv"},
        "StorageDescriptor": {"Columns": columns, "Location": {"Fn::Sub": "s3://${Data}/people/"}},
    }
    return {
        "Data": {"Type": "AWS::S3::Bucket"},
        "Results": {"Type": "AWS::S3::Bucket"},
        "Database": {
            "Type": "AWS::Glue::Database",
            "Properties": {"CatalogId": ACCOUNT, "DatabaseInput": {"Description": "probe"}},
        },
        "Table": {
            "Type": "AWS::Glue::Table",
            "Properties": {"CatalogId": ACCOUNT, "DatabaseName": {"Ref": "Database"}, "TableInput": table},
        },
        "Group": {
            "Type": "AWS::Athena::WorkGroup",
            "Properties": {
                "Name": {"Fn::Sub": "${AWS::StackName}-group"},
                "WorkGroupConfiguration": {"ResultConfiguration": results},
            },
        },
        "Analyst": analyst,
    }


def asked(cloud: LocalCloud, made: dict[str, str], **how: str) -> dict[str, Any]:
    """The end of a query of the table by the analyst."""
    cloud.client("s3").put_object(Bucket=made["Data"], Key="people/1.csv", Body=b"ann\nbob\n")
    athena = probes.as_role(cloud, made["Analyst"], "athena")
    query = f'SELECT count(*) AS people FROM "{made["Database"]}"."people"'  # noqa: S608 - names of our own
    name = athena.start_query_execution(QueryString=query, **how)["QueryExecutionId"]

    def execution() -> dict[str, Any]:
        found: dict[str, Any] = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]
        return found

    assert probes.eventually(lambda: execution()["Status"]["State"] in {"SUCCEEDED", "FAILED"})
    return execution()


def test_who_may_do_everything_finds_the_result_where_the_query_says(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources(*DATA))
    done = asked(cloud, made, WorkGroup=made["Group"])
    assert done["Status"]["State"] == "SUCCEEDED", done["Status"]
    bucket, _, key = done["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
    assert cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().split() == [b"people", b"2"]


@pytest.mark.parametrize("missing", DATA)
def test_a_query_has_the_rights_of_who_asks(cloud: LocalCloud, missing: str) -> None:
    made = probes.deploy(cloud, resources(*(right for right in DATA if right != missing)))
    status = asked(cloud, made, WorkGroup=made["Group"])["Status"]
    assert status["State"] == "FAILED"
    assert f"is not authorized to perform {missing}" in status["StateChangeReason"]


def test_another_workgroup_is_denied(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources(*DATA))
    output = {"OutputLocation": f"s3://{made['Results']}/"}
    athena = probes.as_role(cloud, made["Analyst"], "athena")
    for how in ({}, {"WorkGroup": "primary"}):
        with pytest.raises(ClientError, match=r"AccessDenied.*athena:StartQueryExecution"):
            athena.start_query_execution(QueryString="SELECT 1", ResultConfiguration=output, **how)


def test_the_emulator_alone_still_denies_the_workgroup_s_own_query(bare: LocalCloud) -> None:
    made = probes.deploy(bare, resources())
    with pytest.raises(ClientError, match="athena:GetQueryExecution"):
        asked(bare, made, WorkGroup=made["Group"])
