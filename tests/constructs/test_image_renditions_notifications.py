"""S3 is told of the topic when it can be: in order, with few rights, and beside whoever else uses the CDK's handler."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sns as sns

from constructs_lib._notifications import HANDLER_ID
from tests.constructs.test_image_renditions import make
from tests.repo.policies import many, refers_to
from tests.templates import Template, bare_stack, flags, resources, synthesized

NOTIFICATION, POLICY, ROLE, FUNCTION = (
    "Custom::S3BucketNotifications",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
)


def other(stack: cdk.Stack, role: iam.IRole | None = None) -> None:
    """Somebody else's bucket with notifications."""
    bucket = s3.Bucket(stack, "Other", notifications_handler_role=role)
    bucket.add_event_notification(
        s3.EventType.OBJECT_REMOVED, notifications.SnsDestination(sns.Topic(stack, "OtherTopic"))
    )


def handler_may(template: Template, role: str = HANDLER_ID) -> list[tuple[str, str]]:
    """(action, logical id of the resource) of the handler's role."""
    may = []
    for policy in resources(template, POLICY).values():
        if any(one["Ref"].startswith(role) for one in policy["Roles"]):
            for statement in policy["PolicyDocument"]["Statement"]:
                assert isinstance(statement["Resource"], dict), f"{statement['Action']} on {statement['Resource']}"
                may += [(action, statement["Resource"]["Fn::GetAtt"][0]) for action in many(statement["Action"])]
    return sorted(may)


def depends_on(template: Template, logical_id: str) -> set[str]:
    """All that is there before a resource, by DependsOn or by reference."""
    found: set[str] = set()
    left = [logical_id]
    while left:
        resource = template["Resources"].get(left.pop(), {})
        text = str(resource.get("Properties", {}))
        named = {one for one in template["Resources"] if f"'{one}'" in text} | set(resource.get("DependsOn", []))
        left += named - found
        found |= named
    return found


@pytest.fixture(params=[{}, flags()], ids=["no flags", "all flags"], scope="module")
def pipeline(request: pytest.FixtureRequest) -> Template:
    stack = bare_stack(**request.param)
    make(stack)
    return synthesized(stack)


def test_s3_is_told_of_every_created_object(pipeline: Template) -> None:
    (notification,) = resources(pipeline, NOTIFICATION).values()
    (topic,) = resources(pipeline, "AWS::SNS::Topic")
    assert notification["NotificationConfiguration"] == {
        "TopicConfigurations": [{"Events": ["s3:ObjectCreated:*"], "TopicArn": {"Ref": topic}}]
    }


def test_and_only_when_the_topic_admits_it_and_somebody_listens(pipeline: Template) -> None:
    (notification,) = resources(pipeline, NOTIFICATION)
    before = depends_on(pipeline, notification)
    kinds = ("AWS::SNS::TopicPolicy", "AWS::KMS::Key", "AWS::SNS::Subscription", "AWS::SQS::QueuePolicy")
    missing = {name for kind in kinds for name in resources(pipeline, kind)} - before
    assert missing == set(), "events are refused or lost until these are there"


def test_the_handler_may_set_this_buckets_notifications_and_write_its_logs(pipeline: Template) -> None:
    (uploads,) = [name for name in resources(pipeline, "AWS::S3::Bucket") if name.startswith("ImagesUploads")]
    (logs,) = [name for name in resources(pipeline, "AWS::Logs::LogGroup") if name.startswith(HANDLER_ID)]
    assert handler_may(pipeline) == [
        ("logs:CreateLogStream", logs),
        ("logs:PutLogEvents", logs),
        ("s3:PutBucketNotification", uploads),
    ]
    (role,) = [one for name, one in resources(pipeline, ROLE).items() if name.startswith(HANDLER_ID)]
    assert "ManagedPolicyArns" not in role, "it may write to all log groups"
    assert resources(pipeline, "AWS::Logs::LogGroup")[logs]["RetentionInDays"] == 30
    (function,) = [one for name, one in resources(pipeline, FUNCTION).items() if name.startswith(HANDLER_ID)]
    assert function["LoggingConfig"] == {"LogGroup": {"Ref": logs}}


def test_an_imported_bucket_keeps_the_notifications_that_it_has() -> None:
    stack = bare_stack()
    make(stack, source_bucket=s3.Bucket.from_bucket_name(stack, "Theirs", "their-uploads"))
    template = synthesized(stack)
    (notification,) = resources(template, NOTIFICATION).values()
    assert (notification["BucketName"], notification["Managed"]) == ("their-uploads", False)
    rights: dict[str, Any] = {
        action: statement["Resource"]
        for policy in resources(template, POLICY).values()
        for statement in policy["PolicyDocument"]["Statement"]
        for action in many(statement["Action"])
    }
    theirs = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::their-uploads"]]}
    assert rights["s3:GetBucketNotification"] == rights["s3:PutBucketNotification"] == theirs


@pytest.mark.parametrize("first", ["other", "images", "two of ours"])
def test_beside_others_each_bucket_is_granted_by_itself(first: str) -> None:
    stack = bare_stack()
    if first == "other":
        other(stack)
    make(stack)
    if first == "images":
        other(stack)
    if first == "two of ours":
        make(stack, "Others")
    template = synthesized(stack)
    granted = [on for action, on in handler_may(template) if action == "s3:PutBucketNotification"]
    told = [one["BucketName"]["Ref"] for one in resources(template, NOTIFICATION).values()]
    assert sorted(granted) == sorted(told)
    assert len(told) == 2
    assert len([name for name in resources(template, FUNCTION) if name.startswith(HANDLER_ID)]) == 1
    assert len([name for name in resources(template, "AWS::Logs::LogGroup") if name.startswith(HANDLER_ID)]) == 1


def test_a_handler_whose_role_somebody_brought_is_left_as_it_is() -> None:
    stack = bare_stack()
    brought = iam.Role(stack, "Brought", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    other(stack, brought)
    make(stack)
    template = synthesized(stack)
    (function,) = [one for name, one in resources(template, FUNCTION).items() if name.startswith(HANDLER_ID)]
    (role,) = [name for name in resources(template, ROLE) if name.startswith("Brought")]
    assert refers_to(function["Role"], role)
    assert "LoggingConfig" not in function
    assert len([one for one in handler_may(template, role) if one[0] == "s3:PutBucketNotification"]) == 2
