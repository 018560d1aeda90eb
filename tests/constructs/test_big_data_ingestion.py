"""The ingestion: what it makes by default, by each prop and grant, and what it refuses."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam

from constructs_lib import BigDataIngestion
from constructs_lib._ingestion_delivery import REJECTED_PREFIX
from tests.templates import Template, bare_stack, only, resources, synthesized


def ingestion(**props: Any) -> BigDataIngestion:
    return BigDataIngestion(bare_stack(), "Ingestion", **props)


def made_of(made: BigDataIngestion) -> Template:
    return synthesized(cdk.Stack.of(made))


def statements_of(made: Template, role: str) -> list[dict[str, Any]]:
    return [
        statement
        for properties in resources(made, "AWS::IAM::Policy").values()
        if any(role in each.get("Ref", "") for each in properties["Roles"])
        for statement in properties["PolicyDocument"]["Statement"]
    ]


def test_by_default_it_scales_by_itself_and_stays() -> None:
    made = made_of(ingestion())
    stream = only(made, "AWS::Kinesis::Stream")
    assert stream["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    assert stream["MaxRecordSizeInKiB"] == 4096
    kept = {each["Type"] for each in made["Resources"].values() if each.get("DeletionPolicy") == "Retain"}
    assert {"AWS::Kinesis::Stream", "AWS::KMS::Key", "AWS::S3::Bucket"} <= kept


def test_each_prop_is_where_it_belongs() -> None:
    made = made_of(
        ingestion(
            topic_prefix="meters",
            shards=3,
            max_late=Duration.days(3),
            archive_after=Duration.days(30),
            scan_limit_mb=10,
            removal_policy=RemovalPolicy.DESTROY,
        )
    )
    assert only(made, "AWS::Kinesis::Stream")["ShardCount"] == 3
    assert "meters/+/telemetry" in only(made, "AWS::IoT::TopicRule")["TopicRulePayload"]["Sql"]
    environments = [
        one.get("Environment", {}).get("Variables", {}) for one in resources(made, "AWS::Lambda::Function").values()
    ]
    assert [each["MAX_LATE_HOURS"] for each in environments if "MAX_LATE_HOURS" in each] == ["72"]
    assert "GLACIER_IR', 'TransitionInDays': 30" in str(resources(made, "AWS::S3::Bucket"))
    config = only(made, "AWS::Athena::WorkGroup")["WorkGroupConfiguration"]
    assert config["BytesScannedCutoffPerQuery"] == 10 * 1024 * 1024
    assert not any(
        each.get("DeletionPolicy") == "Retain"
        for each in made["Resources"].values()
        if each["Type"] in {"AWS::Kinesis::Stream", "AWS::S3::Bucket"}
    )


@pytest.mark.parametrize(
    ("props", "says"),
    [
        ({"topic_prefix": "a/b"}, "topic_prefix: must be 1-64 of"),
        ({"shards": 0}, "shards: must be between 1 and 500, got 0"),
        ({"shards": 501}, "shards: must be between 1 and 500, got 501"),
        ({"max_late": Duration.minutes(59)}, "max_late: must be whole seconds between 3600 and 1728000, got 3540"),
        ({"max_late": Duration.hours(481)}, "max_late: must be whole seconds between 3600 and 1728000"),
        ({"max_late": Duration.minutes(90)}, "max_late: must be whole hours, got 1.5"),
        ({"archive_after": Duration.days(29)}, "archive_after: must be whole seconds between 2592000 and 31449600"),
        ({"archive_after": Duration.days(365)}, "archive_after: must be whole seconds between 2592000 and 31449600"),
        ({"scan_limit_mb": 9}, "scan_limit_mb: must be between 10 and 1048576, got 9"),
    ],
)
def test_a_prop_out_of_range_is_named(props: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ingestion(**props)


def test_every_bucket_is_private_encrypted_and_tls_only() -> None:
    made = made_of(ingestion())
    buckets = resources(made, "AWS::S3::Bucket")
    assert len(buckets) == 4
    for bucket in buckets.values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert "AES256" in str(bucket["BucketEncryption"])
    policies = resources(made, "AWS::S3::BucketPolicy").values()
    assert sum("aws:SecureTransport" in str(policy) for policy in policies) == len(buckets)


def test_rejected_records_go_below_the_errors_of_the_same_bucket() -> None:
    made = made_of(ingestion())
    (put,) = [each for each in statements_of(made, "Transform") if each["Action"] == "s3:PutObject"]
    assert f"/{REJECTED_PREFIX}*" in str(put["Resource"])


def test_only_the_bucket_may_tell_the_queue() -> None:
    made = made_of(ingestion())
    (said,) = [
        statement
        for policy in resources(made, "AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert said["Principal"] == {"Service": "s3.amazonaws.com"}
    assert set(said["Condition"]) == {"ArnLike", "StringEquals"}
    notification = only(made, "Custom::S3BucketNotifications")["NotificationConfiguration"]
    (queue,) = notification["QueueConfigurations"]
    assert queue["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": "events/"}]


def test_there_is_an_alarm_on_every_part() -> None:
    made = ingestion()
    alarms = resources(made_of(made), "AWS::CloudWatch::Alarm")
    assert len(made.alarms) == len(alarms) == 11
    metrics = {alarm["MetricName"] for alarm in alarms.values()}
    assert {"EventsRejected", "DeliveryToS3.DataFreshness", "Failure", "Errors"} <= metrics


def test_grants_give_what_they_say() -> None:
    made = ingestion()
    stack = cdk.Stack.of(made)
    producer, reader = (iam.Role(stack, name, assumed_by=iam.AccountRootPrincipal()) for name in ("Maker", "Auditor"))
    made.grant_produce(producer)
    made.reports.grant_read_reports(reader)
    template = made_of(made)
    assert {str(each["Action"]) for each in statements_of(template, "Maker")} == {
        "['kinesis:PutRecord', 'kinesis:PutRecords']",
        "kms:GenerateDataKey",
    }
    assert {str(each["Action"]) for each in statements_of(template, "Auditor")} == {"s3:ListBucket", "s3:GetObject"}
    assert "/reports/*" in str(statements_of(template, "Auditor"))


def test_who_is_not_of_the_app_may_be_granted_too() -> None:
    made = ingestion()
    partner = iam.Role.from_role_arn(cdk.Stack.of(made), "Partner", "arn:aws:iam::123456789012:role/partner")
    made.reports.grant_query(partner).assert_success()


def test_two_are_at_home_in_one_stack() -> None:
    stack = bare_stack()
    for name in ("One", "Two"):
        BigDataIngestion(stack, name, topic_prefix=name)
    made = synthesized(stack)
    names = [str(one["Name"]) for one in resources(made, "AWS::Athena::WorkGroup").values()]
    assert len(set(names)) == 2
    assert all("AWS::StackName" in name for name in names), "two stacks in one account would want the same name"
    assert len(resources(made, "AWS::KinesisFirehose::DeliveryStream")) == 2
