"""localcloud/fixes/encryption_rights.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import ACCOUNT, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

KEY_RIGHTS = ["kms:GenerateDataKey", "kms:Decrypt"]


def stack(cloud: LocalCloud, *rights: str, key_admits: str | None = None) -> dict[str, str]:
    """An encrypted topic, an encrypted queue that it feeds, and a role with these rights."""
    person = probes.role("lambda.amazonaws.com", probes.allow(list(rights)))
    person["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    may_send = probes.allow("sqs:SendMessage") | {"Principal": {"Service": "sns.amazonaws.com"}}
    encrypted: dict[str, Any] = {"KmsMasterKeyId": probes.attribute("Key")}
    return probes.deploy(
        cloud,
        {
            "Key": probes.key(key_admits),
            "Person": person,
            "Plain": {"Type": "AWS::SNS::Topic"},
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": encrypted},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": encrypted},
            "Policy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Statement": [may_send]}},
            },
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {
                    "TopicArn": {"Ref": "Plain"},
                    "Protocol": "sqs",
                    "Endpoint": probes.attribute("Queue"),
                    "RawMessageDelivery": True,
                },
            },
        },
    )


def test_a_publisher_needs_the_topics_key(cloud: LocalCloud) -> None:
    made = stack(cloud, "sns:Publish", *KEY_RIGHTS)
    assert probes.as_role(cloud, made["Person"], "sns").publish(TopicArn=made["Topic"], Message="x")["MessageId"]
    made = stack(cloud, "sns:Publish", "kms:Decrypt")
    with pytest.raises(ClientError, match=r"AuthorizationError|AccessDenied"):
        probes.as_role(cloud, made["Person"], "sns").publish(TopicArn=made["Topic"], Message="x")
    assert '"kms:GenerateDataKey"' in cloud.iam_log.read_text() or probes.eventually(
        lambda: '"kms:GenerateDataKey"' in cloud.iam_log.read_text()
    )


@pytest.mark.parametrize(("admits", "got"), [("sns.amazonaws.com", ["x"]), (None, [])])
def test_the_queues_key_must_admit_the_service(cloud: LocalCloud, admits: str | None, got: list[str]) -> None:
    made = stack(cloud, key_admits=admits)
    cloud.client("sns").publish(TopicArn=made["Plain"], Message="x")
    assert probes.bodies(cloud, made["Queue"], seconds=1) == got


def test_the_emulator_alone_still_asks_no_key(bare: LocalCloud) -> None:
    made = stack(bare, "sns:Publish")
    assert probes.as_role(bare, made["Person"], "sns").publish(TopicArn=made["Topic"], Message="x")["MessageId"]
    bare.client("sns").publish(TopicArn=made["Plain"], Message="x")
    assert probes.bodies(bare, made["Queue"], seconds=1) == ["x"]
