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


def secret(cloud: LocalCloud, *statements: dict[str, Any]) -> tuple[Any, str]:
    """An encrypted secret: Secrets Manager under a role with these rights, and the secret."""
    person = probes.role("lambda.amazonaws.com", *statements)
    person["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    properties = {"SecretString": "kept", "KmsKeyId": probes.attribute("Key")}
    kept = {"Type": "AWS::SecretsManager::Secret", "Properties": properties}
    made = probes.deploy(cloud, {"Key": probes.key(None), "Person": person, "Secret": kept})
    return probes.as_role(cloud, made["Person"], "secretsmanager"), made["Secret"]


READ_AND_WRITE = probes.allow(["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"])


def through(service: str, *actions: str) -> dict[str, Any]:
    """The key's rights, for what a service does with it."""
    condition = {"StringEquals": {"kms:ViaService": f"{service}.us-east-1.amazonaws.com"}}
    return probes.allow(list(actions)) | {"Condition": condition}


def test_a_reader_needs_the_secrets_key_through_secrets_manager(cloud: LocalCloud) -> None:
    secrets, name = secret(cloud, READ_AND_WRITE, through("secretsmanager", "kms:Decrypt"))
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "kept"
    with pytest.raises(ClientError, match="AccessDenied"):
        secrets.put_secret_value(SecretId=name, SecretString="another")
    secrets, name = secret(cloud, READ_AND_WRITE, through("secretsmanager", *KEY_RIGHTS))
    assert secrets.put_secret_value(SecretId=name, SecretString="another")["VersionId"]


@pytest.mark.parametrize("rights", [[], [through("sqs", "kms:Decrypt")]], ids=["no key", "through another service"])
def test_a_reader_without_the_key_is_refused(cloud: LocalCloud, rights: list[dict[str, Any]]) -> None:
    secrets, name = secret(cloud, READ_AND_WRITE, *rights)
    with pytest.raises(ClientError, match="AccessDenied"):
        secrets.get_secret_value(SecretId=name)


def test_the_emulator_alone_still_reads_secrets_without_their_key(bare: LocalCloud) -> None:
    secrets, name = secret(bare, READ_AND_WRITE)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "kept"


def test_the_emulator_alone_still_asks_no_key(bare: LocalCloud) -> None:
    made = stack(bare, "sns:Publish")
    assert probes.as_role(bare, made["Person"], "sns").publish(TopicArn=made["Topic"], Message="x")["MessageId"]
    bare.client("sns").publish(TopicArn=made["Plain"], Message="x")
    assert probes.bodies(bare, made["Queue"], seconds=1) == ["x"]
