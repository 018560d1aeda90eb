"""What the database's props change, what they refuse, and whom it tells of what."""

import re
from typing import Any

import pytest
from aws_cdk import RemovalPolicy
from aws_cdk import aws_backup as backup
from aws_cdk import aws_ec2 as ec2

from constructs_lib import AlarmTopic, FunctionTarget, _postgres_alarms
from constructs_lib._daily_windows import DailyWindows
from tests.constructs.databases import ALARM, FUNCTION, INSTANCE, PLAN, SCHEDULE, SECRET, VAULT, database, make, vpc
from tests.templates import Template, bare_stack, only, resources, synthesized

ELSEWHERE = "arn:aws:backup:eu-west-1:111122223333:backup-vault:copies"


def one(template: Template, kind: str) -> dict[str, Any]:
    """The whole of the one resource of a type."""
    (found,) = [resource for resource in template["Resources"].values() if resource["Type"] == kind]
    return dict(found)


@pytest.mark.parametrize(
    ("props", "name", "value"),
    [
        ({"multi_az": False}, "MultiAZ", False),
        ({"database_name": "customers"}, "DBName", "customers"),
        ({"backup_days": 7}, "BackupRetentionPeriod", 7),
        ({"storage_gb": 100}, "AllocatedStorage", "100"),
        ({"storage_gb": 100}, "MaxAllocatedStorage", 400),
        ({"instance_type": ec2.InstanceType("m7g.large")}, "DBInstanceClass", "db.m7g.large"),
        ({"backup_window": "22:30-23:00"}, "PreferredBackupWindow", "22:30-23:00"),
        ({"backup_window": "22:30-23:00"}, "PreferredMaintenanceWindow", "sun:23:30-mon:00:30"),
    ],
)
def test_a_prop_is_the_instances(props: dict[str, Any], name: str, value: Any) -> None:
    assert only(database(**props), INSTANCE)[name] == value
    assert only(database(), INSTANCE)[name] != value


def test_the_function_is_asked_as_often_and_runs_on_what_was_said() -> None:
    template = database(rotation_days=7, target=FunctionTarget(python="3.12"))
    assert only(template, SCHEDULE)["RotationRules"] == {"AutomaticallyAfterDays": 7}
    assert only(template, FUNCTION)["Runtime"] == "python3.12"


def test_without_rotation_at_once_a_deployment_waits_for_nobody() -> None:
    assert only(database(), SCHEDULE)["RotateImmediatelyOnUpdate"] is False


def test_replicas_read_from_the_primary_and_may_lag() -> None:
    template = database(replicas=2)
    instances = resources(template, INSTANCE)
    (primary,) = [name for name, found in instances.items() if "SourceDBInstanceIdentifier" not in found]
    replicas = {name: found for name, found in instances.items() if name != primary}
    assert len(replicas) == 2
    for found in replicas.values():
        assert primary in str(found["SourceDBInstanceIdentifier"])
        assert "StorageEncrypted" not in found, "CloudFormation refuses it of a replica"
        assert found["DBParameterGroupName"] == instances[primary]["DBParameterGroupName"], "TLS is not forced there"
        assert found["VPCSecurityGroups"] == instances[primary]["VPCSecurityGroups"]
        assert (found["PubliclyAccessible"], found["DeletionProtection"]) == (False, True)
    lag = [found for found in resources(template, ALARM).values() if found["MetricName"] == "ReplicaLag"]
    assert {found["Dimensions"][0]["Value"]["Ref"] for found in lag} == replicas.keys()


def test_a_plan_makes_points_that_outlive_the_database_in_a_vault_with_a_key_of_its_own() -> None:
    template = database()
    daily, weekly = only(template, PLAN)["BackupPlan"]["BackupPlanRule"]
    assert (daily["ScheduleExpression"], daily["Lifecycle"]) == ("cron(0 7 * * ? *)", {"DeleteAfterDays": 35})
    assert (weekly["ScheduleExpression"], weekly["Lifecycle"]) == ("cron(0 7 ? * SUN *)", {"DeleteAfterDays": 84})
    assert "CopyActions" not in daily
    keys = resources(template, "AWS::KMS::Key")
    key = only(template, VAULT)["EncryptionKeyArn"]["Fn::GetAtt"][0]
    assert keys[key]["Description"] == "Recovery points of a database"
    assert "LockConfiguration" not in only(template, VAULT)
    (chosen,) = only(template, "AWS::Backup::BackupSelection")["BackupSelection"]["Resources"]
    (instance,) = resources(template, INSTANCE)
    assert {"Ref": instance} in chosen["Fn::Join"][1], "another database is backed up"
    assert one(template, VAULT)["DeletionPolicy"] == "Retain"


def test_each_point_is_copied_elsewhere_when_asked() -> None:
    stack = bare_stack()
    make(stack, backup_copies_to=backup.BackupVault.from_backup_vault_arn(stack, "There", ELSEWHERE))
    for rule in only(stack, PLAN)["BackupPlan"]["BackupPlanRule"]:
        (copy,) = rule["CopyActions"]
        assert copy == {"DestinationBackupVaultArn": ELSEWHERE, "Lifecycle": {"DeleteAfterDays": 35}}


def test_a_job_that_made_no_point_raises_an_alarm() -> None:
    stack = bare_stack()
    made = make(stack)
    (vault,) = resources(stack, VAULT)
    told = {stack.resolve(alarm.alarm_arn)["Fn::GetAtt"][0] for alarm in made.alarms}
    found = {
        one["MetricName"]: (name in told, one["Dimensions"], one["Statistic"], one["Threshold"])
        for name, one in resources(stack, ALARM).items()
        if one["Namespace"] == "AWS/Backup"
    }
    heard = (True, [{"Name": "BackupVaultName", "Value": {"Fn::GetAtt": [vault, "BackupVaultName"]}}], "Sum", 0)
    assert found == dict.fromkeys([f"NumberOfBackupJobs{end}" for end in ("Failed", "Aborted", "Expired")], heard)


def test_points_are_locked_when_asked() -> None:
    assert only(database(backup_lock_days=7), VAULT)["LockConfiguration"] == {"MinRetentionDays": 7}


def test_without_a_plan_there_are_the_automated_backups_alone() -> None:
    stack = bare_stack()
    made = make(stack, backup_plan=False)
    assert made.vault is None
    assert not resources(stack, VAULT)
    assert not resources(stack, PLAN)


def vault_name(stack_name: str, stack_id: str) -> str:
    """As CloudFormation makes it, for a stack of that id."""
    _, (begin, chosen) = only(synthesized_in(stack_name), VAULT)["BackupVaultName"]["Fn::Join"]
    taken = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    assert chosen == {"Fn::Select": [0, {"Fn::Split": ["-", taken]}]}
    return str(begin + stack_id.split("/")[2].split("-", maxsplit=1)[0])


def test_the_vault_is_named_after_its_stack_so_that_a_clone_has_another_and_so_has_the_next_of_that_name() -> None:
    arn = "arn:aws:cloudformation:eu-west-1:111122223333:stack"
    ids = [f"{arn}/x/51af3dc0-da77-11e4-872e-1234567db123", f"{arn}/x/62b04ed1-da78-11e4-872e-1234567db123"]
    names = {vault_name(name, ids[0]) for name in ("One", "Two", "T" * 80)} | {vault_name("One", ids[1])}
    assert len(names) == 4
    assert max(map(len, names)) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]{2,50}", name) for name in names)


def synthesized_in(stack_name: str) -> Template:
    stack = bare_stack(stack_name)
    make(stack)
    return synthesized(stack)


@pytest.mark.parametrize(
    ("policy", "instance", "secret", "protected"),
    [(RemovalPolicy.RETAIN, "Snapshot", "Retain", True), (RemovalPolicy.DESTROY, "Delete", "Delete", False)],
)
def test_it_outlives_the_stack_unless_told_otherwise(
    policy: RemovalPolicy, instance: str, secret: str, protected: bool
) -> None:
    template = database(removal_policy=policy)
    assert one(template, INSTANCE)["DeletionPolicy"] == instance
    assert only(template, INSTANCE)["DeletionProtection"] is protected
    assert only(template, INSTANCE)["DeleteAutomatedBackups"] is not protected
    for kind in (SECRET, VAULT):
        assert one(template, kind)["DeletionPolicy"] == secret


def test_subnets_are_the_owners_choice() -> None:
    stack = bare_stack()
    mine = ec2.Vpc(stack, "Mine", max_azs=2)
    chosen = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    public = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
    make(stack, vpc=mine, subnets=chosen, rotation_subnets=public)
    assert all("Private" in found["Ref"] for found in only(stack, "AWS::RDS::DBSubnetGroup")["SubnetIds"])
    assert all("Public" in found["Ref"] for found in only(stack, FUNCTION)["VpcConfig"]["SubnetIds"])


def test_in_a_vpc_without_private_subnets_the_function_stands_with_the_database() -> None:
    stack = bare_stack()
    isolated = ec2.SubnetConfiguration(name="I", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    make(stack, vpc=ec2.Vpc(stack, "Mine", max_azs=2, nat_gateways=0, subnet_configuration=[isolated]))
    assert only(stack, FUNCTION)["VpcConfig"]["SubnetIds"] == only(stack, "AWS::RDS::DBSubnetGroup")["SubnetIds"]


def test_people_are_told_of_events_by_a_topic_that_lets_rds_speak_about_this_instance() -> None:
    stack = bare_stack()
    make(stack).tell(AlarmTopic(stack, "Alarms"))
    template = synthesized(stack)
    (instance,), (topic,) = resources(template, INSTANCE), resources(template, "AWS::SNS::Topic")
    events = only(template, "AWS::RDS::EventSubscription")
    assert (events["SourceType"], events["SourceIds"]) == ("db-instance", [{"Ref": instance}])
    assert events["SnsTopicArn"] == {"Ref": topic}
    assert {"failover", "failure", "low storage", "recovery"} <= set(events["EventCategories"])
    statements = only(template, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (spoken,) = [found for found in statements if found["Principal"] == {"Service": "events.rds.amazonaws.com"}]
    assert instance in str(spoken["Condition"]["ArnLike"]["aws:SourceArn"]), "any database may speak"
    assert spoken["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    keys = [str(key["KeyPolicy"]) for key in resources(template, "AWS::KMS::Key").values()]
    assert sum("events.rds.amazonaws.com" in policy for policy in keys) == 1, "RDS cannot encrypt what it says"


def test_people_are_told_of_replicas_too() -> None:
    stack = bare_stack()
    make(stack, replicas=1).tell(AlarmTopic(stack, "Alarms"))
    template = synthesized(stack)
    events = only(template, "AWS::RDS::EventSubscription")
    instances = resources(template, INSTANCE)
    assert {one["Ref"] for one in events["SourceIds"]} == instances.keys()
    assert "read replica" in events["EventCategories"], "nobody hears that replication ended"
    statements = only(template, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    about = str([found for found in statements if found["Principal"] == {"Service": "events.rds.amazonaws.com"}])
    assert all(name in about for name in instances), "one may not speak"


def test_alarms_are_about_this_instance_and_know_its_class() -> None:
    template = database(instance_type=ec2.InstanceType("r7g.xlarge"), storage_gb=100)
    (instance,) = resources(template, INSTANCE)
    found = {one["MetricName"]: one for one in resources(template, ALARM).values() if one["Namespace"] == "AWS/RDS"}
    assert {name: (one["Threshold"], one["ComparisonOperator"][:4]) for name, one in found.items()} == {
        "CPUUtilization": (80, "Grea"),
        "FreeableMemory": (round(32 * 1024**3 * 0.05), "Less"),
        "FreeStorageSpace": (round(100 * 1024**3 * 0.1), "Less"),
        "DatabaseConnections": (round(32 * 1024**3 / 9_531_392 * 0.8), "Grea"),
        "MaximumUsedTransactionIDs": (1_000_000_000, "Grea"),
    }
    assert all(
        one["Dimensions"] == [{"Name": "DBInstanceIdentifier", "Value": {"Ref": instance}}] for one in found.values()
    )


def test_a_burstable_class_has_an_alarm_on_its_credits() -> None:
    assert "CPUCreditBalance" in str(resources(database(), ALARM))


@pytest.mark.parametrize(
    ("instance_class", "gib"),
    [
        ("t4g.micro", 1),
        ("t4g.medium", 4),
        ("t4g.large", 8),
        ("t3.2xlarge", 32),
        ("m7g.large", 8),
        ("m8g.4xlarge", 64),
        ("r6g.large", 16),
        ("r7g.16xlarge", 512),
        ("c6gd.xlarge", 8),
        ("x2g.large", 1),
        ("m7g.metal", 1),
        ("m1.medium", 1),
    ],
)
def test_memory_by_class(instance_class: str, gib: int) -> None:
    assert _postgres_alarms.memory_gib(instance_class) == gib


@pytest.mark.parametrize(
    ("window", "maintenance", "hour"),
    [
        ("03:00-04:00", "sun:04:30-sun:05:30", 7),
        ("22:30-23:00", "sun:23:30-mon:00:30", 2),
        ("23:30-00:30", "mon:01:00-mon:02:00", 3),
        ("00:00-02:00", "sun:02:30-sun:03:30", 5),
    ],
)
def test_windows_do_not_meet(window: str, maintenance: str, hour: int) -> None:
    assert DailyWindows.after("w", window) == DailyWindows(window, maintenance, hour)


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"backup_days": 0}, "backup_days: must be between 1 and 35, got 0"),
        ({"backup_days": 36}, "backup_days: must be between 1 and 35, got 36"),
        ({"replicas": -1}, "replicas: must be between 0 and 15, got -1"),
        ({"replicas": 16}, "replicas: must be between 0 and 15, got 16"),
        ({"storage_gb": 19}, "storage_gb: must be between 20 and 16384, got 19"),
        ({"rotation_days": 0}, "rotation_days: must be between 1 and 365, got 0"),
        ({"rotation_days": 366}, "rotation_days: must be between 1 and 365, got 366"),
        ({"database_name": "1st"}, "database_name: must be letters, digits .* got '1st'"),
        ({"database_name": "kundschäft"}, "database_name: must be letters, digits .* got 'kundschäft'"),
        ({"database_name": "a" * 64}, "database_name: must be letters, digits .* got 'a{64}'"),
        ({"backup_window": "3-4"}, "backup_window: must be a time of day in UTC .* got '3-4'"),
        ({"backup_window": "24:00-01:00"}, "backup_window: must be a time of day in UTC"),
        ({"backup_window": "03:00-03:29"}, r"backup_window \(minutes\): must be between 30 and 120, got 29"),
        ({"backup_window": "03:00-05:01"}, r"backup_window \(minutes\): must be between 30 and 120, got 121"),
        ({"backup_lock_days": 36}, "backup_lock_days: must be between 1 and 35, got 36"),
        ({"backup_days": 7, "backup_lock_days": 8}, "backup_lock_days: must be between 1 and 7, got 8"),
        ({"backup_plan": False, "backup_lock_days": 7}, "backup_plan: must be True for .* got False"),
    ],
)
def test_a_prop_out_of_range_is_refused(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(bare_stack(), **props)


def test_copies_without_a_plan_are_refused() -> None:
    stack = bare_stack()
    there = backup.BackupVault.from_backup_vault_arn(stack, "There", ELSEWHERE)
    with pytest.raises(ValueError, match="backup_plan: must be True for"):
        make(stack, backup_plan=False, backup_copies_to=there)


def test_a_vpc_without_isolated_subnets_is_refused_unless_subnets_are_named() -> None:
    stack = bare_stack()
    with pytest.raises(ValueError, match="subnets: must be given for a VPC without isolated subnets, got none"):
        make(stack, vpc=ec2.Vpc(stack, "Mine", max_azs=2))


def test_subnets_in_one_zone_are_refused() -> None:
    stack = bare_stack()
    mine = ec2.Vpc.from_vpc_attributes(
        stack, "Mine", vpc_id="vpc-1", availability_zones=["eu-west-1a"], isolated_subnet_ids=["subnet-1"]
    )
    with pytest.raises(ValueError, match="subnets: must be in at least 2 zones, got 1"):
        make(stack, vpc=mine)


def test_a_network_is_shared_by_the_databases_of_a_stack() -> None:
    stack = bare_stack()
    assert vpc(stack) is vpc(stack)
