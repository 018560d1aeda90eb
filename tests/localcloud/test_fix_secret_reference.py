"""localcloud/fixes/secret_reference.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import ACCOUNT, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def stack(cloud: LocalCloud) -> dict[str, str]:
    """A secret, and a role that may read it as the CDK writes it: by its Ref."""
    reader = probes.role("lambda.amazonaws.com", probes.allow("secretsmanager:GetSecretValue", {"Ref": "Secret"}))
    reader["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    secret: dict[str, Any] = {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "quiet"}}
    return probes.deploy(cloud, {"Secret": secret, "Reader": reader}, Arn=("Secret", "Id"))


def test_a_secrets_ref_is_its_arn(cloud: LocalCloud) -> None:
    made = stack(cloud)
    assert made["Secret"] == made["Arn"]
    assert made["Secret"].startswith("arn:aws:secretsmanager:")
    secrets = probes.as_role(cloud, made["Reader"], "secretsmanager")
    assert secrets.get_secret_value(SecretId=made["Secret"])["SecretString"] == "quiet"

    probes.destroy(cloud)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        cloud.client("secretsmanager").get_secret_value(SecretId=made["Secret"])


def test_the_emulator_alone_still_answers_the_name(bare: LocalCloud) -> None:
    made = stack(bare)
    assert made["Secret"] != made["Arn"]
    secrets = probes.as_role(bare, made["Reader"], "secretsmanager")
    with pytest.raises(ClientError, match="AccessDenied"):
        secrets.get_secret_value(SecretId=made["Arn"])
