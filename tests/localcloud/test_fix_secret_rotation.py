"""localcloud/fixes/secret_rotation.py and resource_types/secretsmanager.py."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import ACCOUNT, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

ROTATES = """
import boto3, os
secrets = boto3.client("secretsmanager")

def handler(event, context):
    secret, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    stages = secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]
    assert "AWSPENDING" in stages[token]
    if step == "createSecret":
        try:
            secrets.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
        except secrets.exceptions.ResourceNotFoundException:
            value = "made by " + step
            secrets.put_secret_value(
                SecretId=secret, ClientRequestToken=token, SecretString=value, VersionStages=["AWSPENDING"]
            )
    if step == os.environ.get("FAILS_AT"):
        raise RuntimeError("as it was told")
    if step == "finishSecret":
        (old,) = [version for version, held in stages.items() if "AWSCURRENT" in held]
        secrets.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=old
        )
"""


def template(*, fails_at: str = "", permitted: bool = True, **schedule: Any) -> dict[str, Any]:
    """A secret with the value "first", its rotation function and its schedule."""
    actions = ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"]
    rights = probes.allow([f"secretsmanager:{action}" for action in actions], {"Ref": "Secret"})
    permission = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": probes.attribute("Rotator"),
        "Principal": "secretsmanager.amazonaws.com" if permitted else "s3.amazonaws.com",
        "SourceAccount": ACCOUNT,
    }
    properties: dict[str, Any] = {"SecretId": {"Ref": "Secret"}, "RotationLambdaARN": probes.attribute("Rotator")}
    properties["RotationRules"] = {"AutomaticallyAfterDays": 30}
    return {
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "first"}},
        "Role": probes.role("lambda.amazonaws.com", rights),
        "Rotator": probes.function(ROTATES, "Role", Environment={"Variables": {"FAILS_AT": fails_at}}, Timeout=30),
        "Permission": {"Type": "AWS::Lambda::Permission", "Properties": permission},
        "Schedule": {
            "Type": "AWS::SecretsManager::RotationSchedule",
            "DependsOn": "Permission",
            "Properties": properties | schedule,
        },
    }


def value(cloud: LocalCloud, secret: str, stage: str = "AWSCURRENT") -> str | None:
    """What a stage of a secret holds; None when nothing does."""
    secrets = cloud.client("secretsmanager")
    try:
        return str(secrets.get_secret_value(SecretId=secret, VersionStage=stage)["SecretString"])
    except secrets.exceptions.ResourceNotFoundException:
        return None


@pytest.mark.lifecycle("AWS::SecretsManager::RotationSchedule")
def test_a_schedule_rotates_at_once_by_its_function(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, template())
    assert made["Schedule"] == made["Secret"]
    assert probes.eventually(lambda: value(cloud, made["Secret"]) == "made by createSecret", seconds=20)
    assert value(cloud, made["Secret"], "AWSPREVIOUS") == "first"
    assert probes.eventually(lambda: "LastRotatedDate" in described(cloud, made["Secret"]))
    told = described(cloud, made["Secret"])
    assert (told["RotationEnabled"], told["RotationRules"]) == (True, {"AutomaticallyAfterDays": 30})
    assert told["NextRotationDate"] > told["LastRotatedDate"]
    changed = template(RotationRules={"AutomaticallyAfterDays": 7}, RotateImmediatelyOnUpdate=False)
    probes.update(cloud, changed)
    assert described(cloud, made["Secret"])["RotationRules"] == {"AutomaticallyAfterDays": 7}
    probes.update(cloud, {name: each for name, each in template().items() if name != "Schedule"})
    assert described(cloud, made["Secret"])["RotationEnabled"] is False
    probes.destroy(cloud)


def test_without_at_once_it_waits_until_it_is_asked(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, template(RotateImmediatelyOnUpdate=False))
    assert len(described(cloud, made["Secret"])["VersionIdsToStages"]) == 1
    cloud.client("secretsmanager").rotate_secret(SecretId=made["Secret"])
    assert probes.eventually(lambda: value(cloud, made["Secret"]) == "made by createSecret", seconds=20)


def test_a_step_that_fails_leaves_the_secret_as_it_was_and_is_tried_again(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, template(fails_at="setSecret", RotateImmediatelyOnUpdate=False))
    secrets = cloud.client("secretsmanager")
    secrets.rotate_secret(SecretId=made["Secret"])
    assert probes.eventually(lambda: value(cloud, made["Secret"], "AWSPENDING") == "made by createSecret", seconds=20)
    assert value(cloud, made["Secret"]) == "first"
    cloud.client("lambda").update_function_configuration(FunctionName=made["Rotator"], Environment={"Variables": {}})
    with pytest.raises(ClientError, match="A previous rotation isn't complete"):
        secrets.rotate_secret(SecretId=made["Secret"])
    assert probes.eventually(lambda: value(cloud, made["Secret"]) == "made by createSecret", seconds=20)


def test_a_function_that_does_not_let_secrets_manager_in_fails_the_stack(cloud: LocalCloud) -> None:
    with pytest.raises(AssertionError, match="Ensure that the function policy grants access"):
        probes.deploy(cloud, template(permitted=False))


def test_a_pending_version_is_put_once(cloud: LocalCloud) -> None:
    secrets = cloud.client("secretsmanager")
    secret = secrets.create_secret(Name="pending", SecretString="a")["ARN"]

    def put(token: str, text: str) -> None:
        pending = {"VersionStages": ["AWSPENDING"], "SecretString": text}
        secrets.put_secret_value(SecretId=secret, ClientRequestToken=token * 32, **pending)

    put("1", "b")
    put("1", "b")
    with pytest.raises(ClientError, match="ResourceExistsException"):
        put("1", "c")
    put("2", "d")
    stages = described(cloud, secret)["VersionIdsToStages"]
    assert stages.get("1" * 32, []) == []
    assert stages["2" * 32] == ["AWSPENDING"]
    assert value(cloud, secret) == "a"


def test_a_generated_secret_has_what_the_template_wants(cloud: LocalCloud) -> None:
    wanted: dict[str, Any] = {"ExcludePunctuation": True, "PasswordLength": 4, "ExcludeCharacters": "abc"}
    generated = {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": wanted}}
    keyed = wanted | {"SecretStringTemplate": '{"username": "u"}', "GenerateStringKey": "pin", "ExcludeUppercase": True}
    templated = {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": keyed}}
    made = probes.deploy(cloud, {"Plain": generated, "Keyed": templated})
    password = value(cloud, made["Plain"])
    assert password
    assert password.isalnum()
    assert {str.isupper, str.islower, str.isdigit} == {
        kind for kind in (str.isupper, str.islower, str.isdigit) if any(kind(each) for each in password)
    }
    found = json.loads(value(cloud, made["Keyed"]) or "")
    assert found["username"] == "u"
    assert found["pin"] == found["pin"].lower()


def test_a_resource_policy_is_set_changed_and_taken_away(cloud: LocalCloud) -> None:
    def resources(effect: str) -> dict[str, Any]:
        statement = {"Effect": effect, "Principal": {"AWS": ACCOUNT}, "Action": "secretsmanager:*", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        properties = {"SecretId": {"Ref": "Secret"}, "ResourcePolicy": policy}
        return {
            "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "x"}},
            "Policy": {"Type": "AWS::SecretsManager::ResourcePolicy", "Properties": properties},
        }

    secrets = cloud.client("secretsmanager")
    made = probes.deploy(cloud, resources("Allow"))
    for effect in ("Allow", "Deny"):
        policy = json.loads(secrets.get_resource_policy(SecretId=made["Secret"])["ResourcePolicy"])
        assert policy["Statement"][0]["Effect"] == effect
        if effect == "Allow":
            probes.update(cloud, resources("Deny"))
    secret_alone = {"Secret": resources("Deny")["Secret"]}
    probes.update(cloud, secret_alone)
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=made["Secret"])


def test_the_emulator_alone_still_calls_nobody(bare: LocalCloud) -> None:
    resources = template(fails_at="createSecret")
    del resources["Schedule"]
    made = probes.deploy(bare, resources, Function=("Rotator", "Arn"), Arn=("Secret", "Id"))
    secrets = bare.client("secretsmanager")
    secrets.rotate_secret(SecretId=made["Arn"], RotationLambdaARN=made["Function"])
    assert value(bare, made["Arn"]) == "first"
    assert value(bare, made["Arn"], "AWSPREVIOUS") == "first"


def described(cloud: LocalCloud, secret: str) -> Any:
    return cloud.client("secretsmanager").describe_secret(SecretId=secret)
