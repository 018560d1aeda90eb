"""What must never drift in the resilient application: what stands twice, who gets in, what is kept, what is extra."""

import copy
import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from stacks._database_copies import copies_vault
from stacks.settings import Settings
from tests.repo import guards_operations, guards_security
from tests.repo.lint import lints
from tests.repo.policies import identity_statements, many
from tests.repo.rules import review
from tests.templates import Template, mutated, only, resources, scenario_app, scratch, template

KEY = "resilient-web-app"
INSTANCE, GROUP, INGRESS = (
    "AWS::RDS::DBInstance",
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::EC2::SecurityGroupIngress",
)
RECORD, PLAN, SECRET = "AWS::Route53::RecordSet", "AWS::Backup::BackupPlan", "AWS::SecretsManager::Secret"
LAUNCH = "AWS::EC2::LaunchTemplate"


@pytest.fixture
def resilient_web_app() -> Template:
    return template(KEY)


def attachment(made: Template) -> dict[str, str]:
    (name,) = resources(made, "AWS::SecretsManager::SecretTargetAttachment")
    return {"Ref": name}


def all_of_it_stands_in_two_zones(made: Template) -> None:
    assert only(made, INSTANCE)["MultiAZ"] is True, "the database has no standby"
    group = only(made, GROUP)
    assert int(group["MinSize"]) >= 2, "one server alone"
    assert len(group["VPCZoneIdentifier"]) == 2, "servers are in one zone"
    assert len(resources(made, "AWS::EC2::NatGateway")) == 2, "a zone's way out fails with the other zone"


def the_name_leads_to_the_load_balancer(made: Template) -> None:
    names = {one["Name"] for one in resources(made, RECORD).values()}
    assert names == {"resilient-web-app.example.com."}, "another name"
    (load_balancer,) = resources(made, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    target = only(made, RECORD)["AliasTarget"]
    assert load_balancer in json.dumps(target), "it leads elsewhere"


def servers_know_where_the_secret_is_and_no_secret(made: Template) -> None:
    data = json.dumps(only(made, LAUNCH)["LaunchTemplateData"]["UserData"])
    assert "DATABASE_SECRET_ARN=" in data, "they do not know where the secret is"
    assert json.dumps(attachment(made)) in data, "they are told of another secret"
    assert "resolve:" not in data, "a secret is written down in what every instance shows"
    assert "/opt/rds/global-bundle.pem" in data, "they do not know the authority of RDS"


def servers_may_read_the_secret_and_nothing_else_of_it(made: Template) -> None:
    rights = {
        action: statement["Resource"]
        for name, statement in identity_statements(made)
        if name.startswith("ServersRole")
        for action in many(statement["Action"])
        if action.startswith(("secretsmanager:", "kms:", "rds:"))
    }
    assert rights.keys() == {"secretsmanager:GetSecretValue", "kms:Decrypt"}, "servers may do something else"
    assert rights["secretsmanager:GetSecretValue"] == attachment(made), "servers read other secrets"


def each_tier_lets_in_the_one_before(made: Template) -> None:
    doors = {
        (one["GroupId"]["Fn::GetAtt"][0][:12], one["SourceSecurityGroupId"]["Fn::GetAtt"][0][:12], one["FromPort"])
        for one in resources(made, INGRESS).values()
        if "SourceSecurityGroupId" in one and one["GroupId"]["Fn::GetAtt"][0].startswith(("Servers", "Database"))
    }
    assert {(source[:7], port) for to, source, port in doors if to.startswith("Servers")} == {("Servers", 8080)}, (
        "doors"
    )
    into = {source for to, source, port in doors if to.startswith("Database") and port == 5432}
    assert len(doors) == 3, "a door came or went"
    assert len(into) == 2, "others get into the database"
    open_ = [one for one in resources(made, INGRESS).values() if "CidrIp" in one]
    assert all("LoadBalancer" in one["GroupId"]["Fn::GetAtt"][0] for one in open_), "the internet gets in behind it"
    assert {one["FromPort"] for one in open_} == {80, 443}, "the internet gets in elsewhere"


def people_are_told(made: Template) -> None:
    (topic,) = resources(made, "AWS::SNS::Topic")
    events = only(made, "AWS::RDS::EventSubscription")
    assert events["SnsTopicArn"] == {"Ref": topic}, "nobody is told of a failover"
    assert {"failover", "failure"} <= set(events["EventCategories"]), "nobody is told of a failover"
    metrics = {one["MetricName"] for one in resources(made, "AWS::CloudWatch::Alarm").values()}
    wanted = {"CPUUtilization", "FreeableMemory", "FreeStorageSpace", "UnHealthyHostCount", "HTTPCode_Target_5XX_Count"}
    assert wanted <= metrics, f"no alarm on {wanted - metrics}"


def what_people_keep_outlives_the_stack(made: Template) -> None:
    for name, one in made["Resources"].items():
        wanted = {INSTANCE: "Snapshot", SECRET: "Retain", "AWS::Backup::BackupVault": "Retain"}.get(one["Type"])
        if wanted:
            assert one["DeletionPolicy"] == one["UpdateReplacePolicy"] == wanted, f"{name} leaves with the stack"
    instance = only(made, INSTANCE)
    assert (instance["DeletionProtection"], instance["BackupRetentionPeriod"]) == (True, 35), "lost by mistake"


def nothing_costs_that_was_not_asked_for(made: Template) -> None:
    assert len(resources(made, INSTANCE)) == 1, "a replica that nobody asked for"
    rules = only(made, PLAN)["BackupPlan"]["BackupPlanRule"]
    assert not any("CopyActions" in rule for rule in rules), "copies that nobody asked for"


HOLDS = [
    all_of_it_stands_in_two_zones,
    the_name_leads_to_the_load_balancer,
    servers_know_where_the_secret_is_and_no_secret,
    servers_may_read_the_secret_and_nothing_else_of_it,
    each_tier_lets_in_the_one_before,
    people_are_told,
    what_people_keep_outlives_the_stack,
    nothing_costs_that_was_not_asked_for,
]
_DATA: list[str | int] = ["LaunchTemplateData", "UserData"]
_EVENTS = "AWS::RDS::EventSubscription"
MUTATIONS: list[tuple[Callable[[Template], None], str, list[str | int], Any, str]] = [
    (all_of_it_stands_in_two_zones, INSTANCE, ["MultiAZ"], False, "no standby"),
    (all_of_it_stands_in_two_zones, GROUP, ["MinSize"], "1", "one server alone"),
    (all_of_it_stands_in_two_zones, GROUP, ["VPCZoneIdentifier"], ["a"], "in one zone"),
    (the_name_leads_to_the_load_balancer, RECORD, ["Name"], "x.example.com.", "another name"),
    (the_name_leads_to_the_load_balancer, RECORD, ["AliasTarget"], {}, "elsewhere"),
    (servers_know_where_the_secret_is_and_no_secret, LAUNCH, _DATA, "x", "where the secret is"),
    (servers_know_where_the_secret_is_and_no_secret, LAUNCH, _DATA, "DATABASE_SECRET_ARN=arn", "another secret"),
    (each_tier_lets_in_the_one_before, INGRESS, ["FromPort"], 22, "doors"),
    (people_are_told, _EVENTS, ["SnsTopicArn"], "x", "told of a failover"),
    (people_are_told, _EVENTS, ["EventCategories"], ["creation"], "told of a failover"),
    (people_are_told, "AWS::CloudWatch::Alarm", ["MetricName"], "x", "no alarm on"),
    (what_people_keep_outlives_the_stack, INSTANCE, ["DeletionProtection"], False, "lost by mistake"),
    (what_people_keep_outlives_the_stack, INSTANCE, ["BackupRetentionPeriod"], 1, "lost by mistake"),
    (
        nothing_costs_that_was_not_asked_for,
        PLAN,
        ["BackupPlan", "BackupPlanRule", 0, "CopyActions"],
        [{}],
        "copies that nobody",
    ),
]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(resilient_web_app: Template, holds: Callable[[Template], None]) -> None:
    holds(resilient_web_app)


@pytest.mark.parametrize(("holds", "kind", "path", "value", "says"), MUTATIONS)
def test_and_would_be_missed(
    resilient_web_app: Template,
    holds: Callable[[Template], None],
    kind: str,
    path: list[str | int],
    value: Any,
    says: str,
) -> None:
    with pytest.raises(AssertionError, match=says):
        holds(mutated(resilient_web_app, kind, path, value))


def test_a_secret_in_user_data_is_seen(resilient_web_app: Template) -> None:
    told = only(resilient_web_app, LAUNCH)["LaunchTemplateData"]["UserData"]
    leaky = {**told, "Leak": "{{resolve:secretsmanager:x:SecretString:password}}"}
    with pytest.raises(AssertionError, match="a secret is written down"):
        servers_know_where_the_secret_is_and_no_secret(mutated(resilient_web_app, LAUNCH, _DATA, leaky))


def test_a_right_that_is_added_is_seen(resilient_web_app: Template) -> None:
    mutant = copy.deepcopy(resilient_web_app)
    (mine,) = [
        one for name, one in identity_statements(mutant) if name.startswith("ServersRole") and "Decrypt" in str(one)
    ]
    mine["Action"] = ["kms:Decrypt", "secretsmanager:PutSecretValue"]
    with pytest.raises(AssertionError, match="servers may do something else"):
        servers_may_read_the_secret_and_nothing_else_of_it(mutant)


@pytest.mark.parametrize(
    ("holds", "kind", "says"),
    [
        (each_tier_lets_in_the_one_before, INGRESS, "a door came or went"),
        (nothing_costs_that_was_not_asked_for, INSTANCE, "a replica that nobody asked for"),
        (all_of_it_stands_in_two_zones, "AWS::EC2::NatGateway", "fails with the other zone"),
    ],
)
def test_one_more_is_seen(resilient_web_app: Template, holds: Callable[[Template], None], kind: str, says: str) -> None:
    mutant = copy.deepcopy(resilient_web_app)
    found = [one for name, one in mutant["Resources"].items() if one["Type"] == kind and not name.startswith("Network")]
    mutant["Resources"]["Intruder"] = copy.deepcopy((found or [{"Type": kind, "Properties": {}}])[0])
    intruder = mutant["Resources"]["Intruder"]["Properties"]
    if kind == INGRESS:
        intruder["FromPort"] = 5433
        intruder["GroupId"] = {"Fn::GetAtt": ["DatabaseOther", "GroupId"]}
    with pytest.raises(AssertionError, match=says):
        holds(mutant)


@pytest.mark.parametrize("kind", [INSTANCE, SECRET, "AWS::Backup::BackupVault"])
def test_what_would_leave_with_the_stack_is_seen(resilient_web_app: Template, kind: str) -> None:
    mutant = copy.deepcopy(resilient_web_app)
    for resource in mutant["Resources"].values():
        if resource["Type"] == kind:
            resource["DeletionPolicy"] = "Delete"
    with pytest.raises(AssertionError, match="leaves with the stack"):
        what_people_keep_outlives_the_stack(mutant)


def templates(**context: str) -> dict[str, Template]:
    """Stack -> template, with options."""
    made = scenario_app(KEY, outdir=scratch(), **context).synth()
    return {one.stack_name: one.template for one in made.stacks}


def test_a_replica_when_asked() -> None:
    (made,) = templates(options="replica").values()
    sources = [one.get("SourceDBInstanceIdentifier") for one in resources(made, INSTANCE).values()]
    assert len([one for one in sources if one]) == 1
    assert "ReplicaAddress" in made["Outputs"]


def test_one_way_out_for_both_zones_costs_less() -> None:
    (made,) = templates(nat_gateways="1").values()
    assert len(resources(made, "AWS::EC2::NatGateway")) == 1


def test_copies_in_another_region_when_asked() -> None:
    made = templates(options="copies", copies_region="eu-central-1", prefix="Clone")
    assert made.keys() == {"CloneResilientWebApp", "CloneResilientWebAppCopies"}
    there = made["CloneResilientWebAppCopies"]
    vault = only(there, "AWS::Backup::BackupVault")
    (key,) = resources(there, "AWS::KMS::Key")
    assert vault["BackupVaultName"] == "CloneResilientWebAppCopies", "a clone would share the vault"
    assert vault["EncryptionKeyArn"] == {"Fn::GetAtt": [key, "Arn"]}, "it opens only with the region that was lost"
    for rule in only(made["CloneResilientWebApp"], PLAN)["BackupPlan"]["BackupPlanRule"]:
        (action,) = rule["CopyActions"]
        arn = "".join(part for part in action["DestinationBackupVaultArn"]["Fn::Join"][1] if isinstance(part, str))
        assert arn.endswith(":backup-vault:CloneResilientWebAppCopies"), "copies go elsewhere"
        assert ":backup:eu-central-1:" in arn, "copies stay in the region"


def test_the_templates_of_the_options_are_clean() -> None:
    made = templates(options="copies,replica", copies_region="eu-central-1")
    for one in made.values():
        assert [found.message for found in lints(one) if not found.accepted] == []
        guards = (*guards_security.GUARDS, *guards_operations.GUARDS)
        assert [offence for guard in guards for offence in guard(one)] == []
    found = review(lambda: scenario_app(KEY, options="copies,replica", copies_region="eu-central-1"))
    assert found.problems() == []


@pytest.mark.parametrize(
    ("context", "says"),
    [
        ({"options": "copies"}, "copies_region: must be named for the option copies, got none"),
        ({"options": "copies", "copies_region": "Mars"}, "copies_region: must be a region as eu-central-1, got 'Mars'"),
        (
            {"options": "copies", "copies_region": "eu-central-1", "prefix": "P" * 30},
            "prefix: must be at most 29 characters for the option copies, got 'P{30}'",
        ),
        ({"domain": f"{'a' * 43}.com"}, "domain: must leave at most 64 characters for resilient-web-app .* of 65"),
        ({"nat_gateways": "0"}, "nat_gateways: must be 1 or 2 for resilient-web-app, .* got 0"),
        ({"options": "standby"}, "options: must be of copies, .*replica.*, got standby"),
    ],
)
def test_an_option_that_cannot_be_is_refused(context: dict[str, str], says: str) -> None:
    with pytest.raises((ValueError, RuntimeError), match=says):
        templates(**context)


def test_copies_in_the_region_that_they_shall_outlive_are_refused() -> None:
    stack = cdk.Stack(cdk.App(), "S", env=cdk.Environment(account="111122223333", region="eu-central-1"))
    with pytest.raises(ValueError, match="copies_region: must be another region than the stack's, got 'eu-central-1'"):
        copies_vault(stack, Settings(options=("copies",), copies_region="eu-central-1"))


def test_a_name_may_be_as_long_as_a_certificate_takes_it() -> None:
    (made,) = templates(domain=f"{'a' * 42}.com").values()
    assert len(only(made, "AWS::CertificateManager::Certificate")["DomainName"]) == 64
