"""What must never drift in the ingestion: who may send and ask, that nothing is lost, and what a query may cost."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.templates import Template, only, resources, template

DELIVERY, WORKGROUP = "AWS::KinesisFirehose::DeliveryStream", "AWS::Athena::WorkGroup"
DEVICE_POLICY, RULE, STREAM = "AWS::IoT::Policy", "AWS::IoT::TopicRule", "AWS::Kinesis::Stream"
TABLE, BUCKET, POLICY = "AWS::Glue::Table", "AWS::S3::Bucket", "AWS::IAM::Policy"
THING = "${iot:Connection.Thing.ThingName}"


@pytest.fixture
def made() -> Template:
    return template("big-data-ingestion")


def actions_of(made: Template, role: str) -> set[str]:
    """What the policies of roles with this word in their id allow, apart from logs and traces."""
    found: set[str] = set()
    for properties in resources(made, POLICY).values():
        if any(role in each.get("Ref", "") for each in properties["Roles"]):
            for statement in properties["PolicyDocument"]["Statement"]:
                listed = statement["Action"]
                found |= {listed} if isinstance(listed, str) else set(listed)
                asks_for_all = statement["Resource"] == "*" and "xray" not in str(listed)
                assert not asks_for_all, f"{role}: {listed} on everything"
    return {action for action in found if action.split(":")[0] not in {"logs", "xray"}}


def a_device_is_itself_alone(made: Template) -> None:
    statements = only(made, DEVICE_POLICY)["PolicyDocument"]["Statement"]
    allowed = {each["Action"]: str(each["Resource"]) for each in statements}
    assert set(allowed) == {"iot:Connect", "iot:Publish"}, f"devices may do more: {sorted(allowed)}"
    assert f":client/{THING}" in allowed["iot:Connect"], "a device connects under any name"
    assert f":topic/fleet/{THING}/telemetry" in allowed["iot:Publish"], "a device publishes for others"
    connect = next(each for each in statements if each["Action"] == "iot:Connect")
    assert connect["Condition"] == {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}, "no thing is needed"


def the_rule_loses_nothing_and_says_who_sent(made: Template) -> None:
    rule = only(made, RULE)["TopicRulePayload"]
    assert rule["Sql"] == "SELECT * FROM 'fleet/+/telemetry'", "what is no JSON would not be passed on"
    ((action,),) = [list(each.values()) for each in rule["Actions"]]
    assert action["PartitionKey"] == "${topic(2)}", "the stream is not told who sent a record"
    assert rule["ErrorAction"]["S3"]["Key"].startswith("errors/rule/"), "failed messages are lost"


def the_stream_is_encrypted(made: Template) -> None:
    encryption = only(made, STREAM).get("StreamEncryption", {})
    assert encryption.get("EncryptionType") == "KMS", "events lie open"
    assert "GetAtt" in str(encryption["KeyId"]), "the key is not its own"


def delivery_is_checked_parquet_by_hour(made: Template) -> None:
    config = only(made, DELIVERY)["ExtendedS3DestinationConfiguration"]
    assert config["BufferingHints"] == {"IntervalInSeconds": 60, "SizeInMBs": 64}, "it does not buffer a minute"
    partition = "event_date=!{partitionKeyFromLambda:event_date}/event_hour=!{partitionKeyFromLambda:event_hour}/"
    assert config["Prefix"] == f"events/{partition}", "not by the hour"
    assert config["ErrorOutputPrefix"].startswith("errors/"), "errors lie among events"
    assert config["ProcessingConfiguration"]["Enabled"] is True, "events are not checked"
    serializer = config["DataFormatConversionConfiguration"]["OutputFormatConfiguration"]["Serializer"]
    assert "ParquetSerDe" in serializer, "not Parquet"


def partitions_are_computed(made: Template) -> None:
    parameters = only(made, TABLE)["TableInput"]["Parameters"]
    assert parameters["projection.enabled"] == "true", "a crawler would be needed"
    hours = parameters["projection.event_hour.values"].split(",")
    assert (len(hours), hours[0], hours[-1]) == (24, "00", "23"), "hours before ten would not be found"
    where = str(parameters["storage.location.template"])
    assert "event_date=${event_date}/event_hour=${event_hour}/" in where, "it looks elsewhere"
    assert not resources(made, "AWS::Glue::Crawler"), "it crawls"


def a_query_has_a_limit(made: Template) -> None:
    config = only(made, WORKGROUP)["WorkGroupConfiguration"]
    assert config["EnforceWorkGroupConfiguration"] is True, "who asks may say otherwise"
    assert config["BytesScannedCutoffPerQuery"] == 1024**3, "a query may cost anything"
    result = config["ResultConfiguration"]
    assert result["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}, "results lie open"


def events_go_from_hot_to_archive(made: Template) -> None:
    rules = {
        rule["Id"]: rule
        for bucket in resources(made, BUCKET).values()
        for rule in bucket["LifecycleConfiguration"]["Rules"]
    }
    steps = [(each["StorageClass"], each["TransitionInDays"]) for each in rules["Archive"]["Transitions"]]
    assert steps == [("GLACIER_IR", 90), ("DEEP_ARCHIVE", 365)], f"events stay hot: {steps}"
    assert rules["Archive"]["Prefix"] == "events/", "not the events"
    assert rules["ExpireErrors"]["ExpirationInDays"] == 365, "errors go too early"


def functions_and_people_may_do_only_this(made: Template) -> None:
    asks = {"athena:StartQueryExecution", "athena:GetQueryExecution", "athena:StopQueryExecution"}
    reads = {"glue:GetDatabase", "glue:GetTable", "s3:GetObject", "s3:GetBucketLocation", "s3:ListBucket"}
    writes = {"s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}
    queue = {"ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueUrl", "GetQueueAttributes"}
    expected = {
        "DeliveryTransformRole": {"s3:PutObject"},
        "ReportsReporterRole": asks | reads | writes | {f"sqs:{each}" for each in queue},
        "Analyst": asks | reads | writes | {"athena:GetQueryResults"},
        "Producer": {"kinesis:PutRecord", "kinesis:PutRecords", "kms:GenerateDataKey"},
        "FleetRuleRole": {"kinesis:PutRecord", "kms:GenerateDataKey", "s3:PutObject"},
    }
    for role, allowed in expected.items():
        assert actions_of(made, role) == allowed, f"{role} may do other things than it should"


HOLDS = [
    a_device_is_itself_alone,
    the_rule_loses_nothing_and_says_who_sent,
    the_stream_is_encrypted,
    delivery_is_checked_parquet_by_hour,
    partitions_are_computed,
    a_query_has_a_limit,
    events_go_from_hot_to_archive,
    functions_and_people_may_do_only_this,
]
S3_CONFIG = "ExtendedS3DestinationConfiguration"
MUTATIONS: list[tuple[Callable[[Template], None], str, list[str | int], Any, str]] = [
    (a_device_is_itself_alone, DEVICE_POLICY, ["PolicyDocument", "Statement", 1, "Resource"], "*", "for others"),
    (a_device_is_itself_alone, DEVICE_POLICY, ["PolicyDocument", "Statement", 0, "Resource"], "*", "any name"),
    (a_device_is_itself_alone, DEVICE_POLICY, ["PolicyDocument", "Statement", 0, "Condition"], {}, "no thing"),
    (a_device_is_itself_alone, DEVICE_POLICY, ["PolicyDocument", "Statement", 1, "Action"], "iot:*", "do more"),
    (
        the_rule_loses_nothing_and_says_who_sent,
        RULE,
        ["TopicRulePayload", "Sql"],
        "SELECT *, topic(2) AS device FROM 'fleet/+/telemetry'",
        "not be passed on",
    ),
    (
        the_rule_loses_nothing_and_says_who_sent,
        RULE,
        ["TopicRulePayload", "Actions", 0, "Kinesis", "PartitionKey"],
        "${newuuid()}",
        "not told who",
    ),
    (the_stream_is_encrypted, STREAM, ["StreamEncryption"], {}, "lie open"),
    (the_stream_is_encrypted, STREAM, ["StreamEncryption", "KeyId"], "alias/aws/kinesis", "not its own"),
    (delivery_is_checked_parquet_by_hour, DELIVERY, [S3_CONFIG, "ErrorOutputPrefix"], "events/", "among events"),
    (delivery_is_checked_parquet_by_hour, DELIVERY, [S3_CONFIG, "Prefix"], "events/", "not by the hour"),
    (
        delivery_is_checked_parquet_by_hour,
        DELIVERY,
        [S3_CONFIG, "ProcessingConfiguration", "Enabled"],
        False,
        "not checked",
    ),
    (partitions_are_computed, TABLE, ["TableInput", "Parameters", "projection.enabled"], "false", "crawler"),
    (
        partitions_are_computed,
        TABLE,
        ["TableInput", "Parameters", "projection.event_hour.values"],
        "0,1,2",
        "before ten",
    ),
    (
        a_query_has_a_limit,
        WORKGROUP,
        ["WorkGroupConfiguration", "EnforceWorkGroupConfiguration"],
        False,
        "say otherwise",
    ),
    (a_query_has_a_limit, WORKGROUP, ["WorkGroupConfiguration", "BytesScannedCutoffPerQuery"], 10**13, "anything"),
    (
        events_go_from_hot_to_archive,
        BUCKET,
        ["LifecycleConfiguration", "Rules", 1, "Transitions"],
        [],
        "stay hot",
    ),
    (
        functions_and_people_may_do_only_this,
        POLICY,
        ["PolicyDocument", "Statement", 0, "Action"],
        ["s3:*"],
        "other things",
    ),
    (
        functions_and_people_may_do_only_this,
        POLICY,
        ["PolicyDocument", "Statement", 0, "Resource"],
        "*",
        "on everything",
    ),
]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(made: Template, holds: Callable[[Template], None]) -> None:
    holds(made)


@pytest.mark.parametrize(("holds", "kind", "path", "value", "says"), MUTATIONS)
def test_and_would_be_missed(
    made: Template, holds: Callable[[Template], None], kind: str, path: list[str | int], value: Any, says: str
) -> None:
    mutant = copy.deepcopy(made)
    for properties in resources(mutant, kind).values():
        spot: Any = properties
        for step in path[:-1]:
            spot = spot[step] if isinstance(step, str) or len(spot) > step else {}
        spot[path[-1]] = value
    with pytest.raises(AssertionError, match=says):
        holds(mutant)


def test_each_check_has_a_mutant_that_it_finds() -> None:
    assert {holds for holds, *_ in MUTATIONS} == set(HOLDS)
