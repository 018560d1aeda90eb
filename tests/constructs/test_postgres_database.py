"""The database is encrypted, kept, and closed to all but those who were let in; its password is rotated by us."""

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Environment

from constructs_lib import _postgres_instance
from database_rotation import rules
from tests.constructs.databases import (
    EGRESS,
    FUNCTION,
    GROUP,
    INGRESS,
    INSTANCE,
    PERMISSION,
    POLICY,
    SCHEDULE,
    SECRET,
    database,
    make,
)
from tests.repo import guards_operations, guards_security
from tests.repo.policies import identity_statements, many
from tests.repo.rules import Review, review
from tests.templates import NO_BUNDLING, Template, bare_stack, flags, mutated, only, resources, scratch


@pytest.fixture(scope="module")
def default() -> Template:
    return database()


def key_of(template: Template, description: str) -> dict[str, Any]:
    """How a property names a key."""
    keys = resources(template, "AWS::KMS::Key")
    (found,) = [name for name, one in keys.items() if one["Description"] == description]
    assert keys[found]["EnableKeyRotation"] is True
    return {"Fn::GetAtt": [found, "Arn"]}


def encrypted_under_a_key_of_its_own(template: Template) -> None:
    instance, key = only(template, INSTANCE), key_of(template, "A PostgreSQL database")
    assert (instance["StorageEncrypted"], instance["KmsKeyId"]) == (True, key), "storage is not encrypted by its key"
    assert instance["PerformanceInsightsKMSKeyId"] == key, "what statements were seen is not encrypted by its key"
    assert only(template, SECRET)["KmsKeyId"] == key, "the secret is not encrypted by its key"


def tls_is_forced(template: Template) -> None:
    (name,) = resources(template, "AWS::RDS::DBParameterGroup")
    group = only(template, "AWS::RDS::DBParameterGroup")
    assert group["Family"] == "postgres17"
    assert group["Parameters"]["rds.force_ssl"] == "1", "a client may speak in the clear"
    assert only(template, INSTANCE)["DBParameterGroupName"] == {"Ref": name}, "the parameters are not the instance's"


def slow_statements_are_logged(template: Template) -> None:
    parameters = only(template, "AWS::RDS::DBParameterGroup")["Parameters"]
    assert parameters["log_min_duration_statement"] == "1000", "a slow statement leaves no trace"
    assert parameters["rds.log_retention_period"] == str(7 * 24 * 60), "logs end too early or never"


def a_standby_takes_over(template: Template) -> None:
    assert only(template, INSTANCE)["MultiAZ"] is True, "there is no standby"


def kept_against_mistakes(template: Template) -> None:
    (instance,) = [one for one in template["Resources"].values() if one["Type"] == INSTANCE]
    properties = instance["Properties"]
    assert properties["BackupRetentionPeriod"] == 35, "backups are not kept as long as they can be"
    assert properties["DeletionProtection"] is True, "it can be deleted by mistake"
    assert properties["DeleteAutomatedBackups"] is False, "its backups leave with it"
    assert instance["DeletionPolicy"] == instance["UpdateReplacePolicy"] == "Snapshot", "it leaves no snapshot"


def isolated_and_not_public(template: Template) -> None:
    subnets = only(template, "AWS::RDS::DBSubnetGroup")["SubnetIds"]
    assert len(subnets) == 2, "not in two zones"
    assert all("Isolated" in one["Ref"] for one in subnets), "in a tier that has a way out"
    assert only(template, INSTANCE)["PubliclyAccessible"] is False, "it has a public address"


def only_those_let_in_get_in(template: Template) -> None:
    (name,) = [name for name in resources(template, GROUP) if name.startswith("DataGroup")]
    group = resources(template, GROUP)[name]
    assert only(template, INSTANCE)["VPCSecurityGroups"] == [{"Fn::GetAtt": [name, "GroupId"]}]
    assert "SecurityGroupIngress" not in group, "others get in"
    assert group["SecurityGroupEgress"][0]["CidrIp"] == "255.255.255.255/32", "it gets out"
    here = {"Fn::GetAtt": [name, "GroupId"]}
    rules_in = [one for one in resources(template, INGRESS).values() if one["GroupId"] == here]
    clients = {one for one in resources(template, GROUP) if one.startswith(("DataRotationGroup", "DataServers"))}
    assert {one["SourceSecurityGroupId"]["Fn::GetAtt"][0] for one in rules_in} == clients, "others get in"
    assert {(one["FromPort"], one["ToPort"], one["IpProtocol"]) for one in rules_in} == {(5432, 5432, "tcp")}, "ports"


def rotated_by_our_function(template: Template) -> None:
    schedule = only(template, SCHEDULE)
    (function,) = resources(template, FUNCTION)
    assert only(template, FUNCTION)["Handler"] == "database_rotation.handler.handler"
    assert schedule["RotationLambdaARN"] == {"Fn::GetAtt": [function, "Arn"]}, "somebody else's function rotates"
    assert schedule["RotationRules"] == {"AutomaticallyAfterDays": 30}, "it is not rotated every month"


def secrets_manager_of_this_account_alone_calls_it(template: Template) -> None:
    permission = only(template, PERMISSION)
    (attachment,) = resources(template, "AWS::SecretsManager::SecretTargetAttachment")
    assert permission["Principal"] == "secretsmanager.amazonaws.com"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}, "another account's secrets may call it"
    assert permission["SourceArn"] == {"Ref": attachment}, "another secret may call it"


def rights(template: Template, who: str) -> dict[str, Any]:
    """Action -> resource of what a role may do, but for logs and traces."""
    return {
        action: one["Resource"]
        for name, one in identity_statements(template)
        if name.startswith(who)
        for action in many(one["Action"])
        if not action.startswith(("logs:", "xray:"))
    }


def least_rights(template: Template) -> None:
    (attachment,) = resources(template, "AWS::SecretsManager::SecretTargetAttachment")
    secret, key = {"Ref": attachment}, key_of(template, "A PostgreSQL database")
    may = dict.fromkeys(("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"), secret)
    assert rights(template, "DataRotation") == {
        **{f"secretsmanager:{action}": on for action, on in may.items()},
        "secretsmanager:GetRandomPassword": "*",
        "kms:Decrypt": key,
        "kms:GenerateDataKey": key,
    }, "the function may do something else"
    assert rights(template, "DataServer") == {"secretsmanager:GetSecretValue": secret, "kms:Decrypt": key}, "a server"
    through = [one for _, one in identity_statements(template) if "kms:Decrypt" in many(one["Action"])]
    assert all("kms:ViaService" in str(one.get("Condition")) for one in through), "the key opens more than secrets"


HOLDS = [
    encrypted_under_a_key_of_its_own,
    tls_is_forced,
    slow_statements_are_logged,
    a_standby_takes_over,
    kept_against_mistakes,
    isolated_and_not_public,
    only_those_let_in_get_in,
    rotated_by_our_function,
    secrets_manager_of_this_account_alone_calls_it,
    least_rights,
]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(default: Template, holds: Callable[[Template], None]) -> None:
    holds(default)


_PARAMETERS = "AWS::RDS::DBParameterGroup"


@pytest.mark.parametrize(
    ("holds", "kind", "path", "value", "says"),
    [
        (encrypted_under_a_key_of_its_own, INSTANCE, ["StorageEncrypted"], False, "storage is not"),
        (encrypted_under_a_key_of_its_own, INSTANCE, ["KmsKeyId"], "alias/aws/rds", "storage is not"),
        (encrypted_under_a_key_of_its_own, INSTANCE, ["PerformanceInsightsKMSKeyId"], "", "statements were seen"),
        (encrypted_under_a_key_of_its_own, SECRET, ["KmsKeyId"], None, "the secret is not"),
        (tls_is_forced, _PARAMETERS, ["Parameters", "rds.force_ssl"], "0", "in the clear"),
        (tls_is_forced, INSTANCE, ["DBParameterGroupName"], "default.postgres17", "not the instance's"),
        (
            slow_statements_are_logged,
            _PARAMETERS,
            ["Parameters", "log_min_duration_statement"],
            "-1",
            "slow",
        ),
        (
            slow_statements_are_logged,
            _PARAMETERS,
            ["Parameters", "rds.log_retention_period"],
            "1",
            "logs end",
        ),
        (a_standby_takes_over, INSTANCE, ["MultiAZ"], False, "no standby"),
        (kept_against_mistakes, INSTANCE, ["BackupRetentionPeriod"], 1, "as long as they can be"),
        (kept_against_mistakes, INSTANCE, ["DeletionProtection"], False, "deleted by mistake"),
        (kept_against_mistakes, INSTANCE, ["DeleteAutomatedBackups"], True, "leave with it"),
        (isolated_and_not_public, INSTANCE, ["PubliclyAccessible"], True, "public address"),
        (isolated_and_not_public, "AWS::RDS::DBSubnetGroup", ["SubnetIds", 0, "Ref"], "PublicSubnet", "has a way out"),
        (only_those_let_in_get_in, INGRESS, ["FromPort"], 0, "ports"),
        (only_those_let_in_get_in, INGRESS, ["SourceSecurityGroupId", "Fn::GetAtt", 0], "Other", "others get in"),
        (only_those_let_in_get_in, GROUP, ["SecurityGroupIngress"], [{"CidrIp": "0.0.0.0/0"}], "others get in"),
        (only_those_let_in_get_in, GROUP, ["SecurityGroupEgress"], [{"CidrIp": "0.0.0.0/0"}], "it gets out"),
        (rotated_by_our_function, SCHEDULE, ["RotationLambdaARN"], "arn:other", "somebody else's function"),
        (rotated_by_our_function, SCHEDULE, ["RotationRules"], {"AutomaticallyAfterDays": 900}, "every month"),
        (secrets_manager_of_this_account_alone_calls_it, PERMISSION, ["SourceAccount"], None, "another account's"),
        (secrets_manager_of_this_account_alone_calls_it, PERMISSION, ["SourceArn"], None, "another secret"),
        (least_rights, POLICY, ["PolicyDocument", "Statement", 0, "Action"], "rds:*", "something else"),
    ],
)
def test_and_would_be_missed(
    default: Template,
    holds: Callable[[Template], None],
    kind: str,
    path: list[str | int],
    value: Any,
    says: str,
) -> None:
    with pytest.raises(AssertionError, match=says):
        holds(mutated(default, kind, path, value))


def test_a_key_that_opens_more_than_secrets_is_seen() -> None:
    template = database()
    for _, statement in identity_statements(template):
        if "kms:Decrypt" in many(statement["Action"]):
            statement.pop("Condition")
    with pytest.raises(AssertionError, match="opens more than secrets"):
        least_rights(template)


@pytest.mark.parametrize("policy", ["DeletionPolicy", "UpdateReplacePolicy"])
def test_a_database_that_would_leave_no_snapshot_is_seen(policy: str) -> None:
    template = database()
    for resource in template["Resources"].values():
        if resource["Type"] == INSTANCE:
            resource[policy] = "Delete"
    with pytest.raises(AssertionError, match="leaves no snapshot"):
        kept_against_mistakes(template)


def test_the_function_stands_where_a_way_leads_out_and_reaches_database_and_aws_alone(default: Template) -> None:
    placed = only(default, FUNCTION)["VpcConfig"]
    assert all("Private" in one["Ref"] for one in placed["SubnetIds"])
    ((group, _),) = [one["Fn::GetAtt"] for one in placed["SecurityGroupIds"]]
    (out,) = resources(default, GROUP)[group]["SecurityGroupEgress"]
    assert (out["FromPort"], out["ToPort"]) == (443, 443)
    (to_database,) = [
        one for one in resources(default, EGRESS).values() if one["GroupId"] == {"Fn::GetAtt": [group, "GroupId"]}
    ]
    assert (to_database["FromPort"], to_database["ToPort"]) == (5432, 5432)


def test_the_first_password_is_made_as_the_function_makes_the_next(default: Template) -> None:
    made = only(default, SECRET)["GenerateSecretString"]
    assert (made["PasswordLength"], made["ExcludeCharacters"]) == (rules.PASSWORD_LENGTH, rules.EXCLUDED)
    assert made["GenerateStringKey"] == "password"
    assert "resolve:secretsmanager" in str(only(default, INSTANCE)["MasterUserPassword"]), "it stands in the template"
    assert _postgres_instance.PORT == 5432


def test_two_in_one_stack() -> None:
    stack = bare_stack()
    make(stack, "One")
    make(stack, "Two")
    assert len(resources(stack, INSTANCE)) == 2


def test_guards_hold(default: Template) -> None:
    guards = {*guards_security.GUARDS, *guards_operations.GUARDS} - {guards_operations.alarms_are_heard}
    assert [one for guard in guards for one in guard(default)] == []


@pytest.mark.parametrize("pinned", [False, True], ids=["any account", "an account and region"])
def test_an_importer_with_cdk_nag_has_nothing_to_do(pinned: bool) -> None:
    def app() -> cdk.App:
        made = cdk.App(context={**flags(), **NO_BUNDLING}, outdir=str(scratch()))
        env = Environment(account="111122223333", region="eu-central-1") if pinned else None
        make(cdk.Stack(made, "S", env=env), replicas=1)
        return made

    found: Review = review(app)
    assert found.problems() == []
