"""localcloud/fixes/missing_objects.py."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import ACCOUNT, REGION, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def told(cloud: LocalCloud, key: str, *actions: str) -> str:
    """What a role with these rights is told of an object: its content, or the error's code."""
    root = f"arn:aws:iam::{ACCOUNT}:root"
    reader = probes.role("lambda.amazonaws.com", probes.allow([*actions]))
    (trust,) = reader["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    trust["Principal"] = {"AWS": root}
    made = probes.deploy(cloud, {"Bucket": {"Type": "AWS::S3::Bucket"}, "Reader": reader}, Arn=("Reader", "Arn"))
    cloud.client("s3").put_object(Bucket=made["Bucket"], Key="a b/ü+.jpg", Body=b"here")
    keys = cloud.client("sts").assume_role(RoleArn=made["Arn"], RoleSessionName="reader")["Credentials"]
    s3: Any = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=cloud.endpoint_url,
        verify=str(cloud.ca_bundle),
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    try:
        return str(s3.get_object(Bucket=made["Bucket"], Key=key)["Body"].read().decode())
    except ClientError as error:
        return error.response["Error"]["Code"]


@pytest.mark.parametrize(
    ("key", "actions", "answer"),
    [
        ("a b/ü+.jpg", ["s3:GetObject"], "here"),
        ("gone", ["s3:GetObject"], "AccessDenied"),
        ("gone", ["s3:GetObject", "s3:ListBucket"], "NoSuchKey"),
        ("gone", ["s3:ListBucket"], "AccessDenied"),
    ],
)
def test_a_missing_object_is_told_to_those_who_may_list(
    cloud: LocalCloud, key: str, actions: list[str], answer: str
) -> None:
    assert told(cloud, key, *actions) == answer


def test_the_emulator_alone_still_tells_everybody(bare: LocalCloud) -> None:
    assert told(bare, "gone", "s3:GetObject") == "NoSuchKey"
