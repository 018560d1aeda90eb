"""What must never drift in the pipeline: who may do what to which bucket, and that renditions start nothing."""

import copy
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from tests.constructs.test_image_renditions import BUCKET, TWO, make
from tests.repo.policies import many, refers_to
from tests.templates import Template, bare_stack, flags, resources, synthesized

POLICY, BUCKET_POLICY, TOPIC_POLICY = "AWS::IAM::Policy", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy"
KEY, NOTIFICATION, LOGGING = "AWS::KMS::Key", "Custom::S3BucketNotifications", "LoggingConfiguration"
BLOCKED = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
S3_SERVICE = {"Service": "s3.amazonaws.com"}


def id_of(template: Template, kind: str, start: str) -> str:
    (found,) = [name for name in resources(template, kind) if name.startswith(start)]
    return found


def rights(template: Template, role: str) -> dict[str, list[str]]:
    """Action -> what of which bucket a role may do it to, such as "Uploads/*"; rights on buckets alone."""
    names = {name: name.removeprefix("Images")[:-8] for name in resources(template, BUCKET)}
    found: dict[str, list[str]] = {}
    for policy in resources(template, POLICY).values():
        if not any(one["Ref"].startswith(role) for one in policy["Roles"]):
            continue
        for statement in policy["PolicyDocument"]["Statement"]:
            for action in many(statement["Action"]):
                if action.startswith("s3:"):
                    on = [arn(one, names) for one in many(statement["Resource"])]
                    found[action] = sorted([*found.get(action, []), *on])
    return found


def arn(value: Any, names: dict[str, str]) -> str:
    match value:
        case {"Fn::Join": [_, [{"Fn::GetAtt": [logical_id, "Arn"]}, str(rest)]]}:
            return f"{names[logical_id]}{rest}"
        case {"Fn::GetAtt": [logical_id, "Arn"]}:
            return names[logical_id]
        case _:
            return str(value)


def functions_may_do_only_this(template: Template) -> None:
    for rendition in TWO:
        may = rights(template, f"ImagesFunctions{rendition.construct_id}Role")
        own = sorted([f"Renditions/{rendition.name}/*", f"Renditions/rejected/{rendition.name}/*"])
        assert may == {
            "s3:GetObject": ["Uploads/*"],
            "s3:ListBucket": ["Uploads"],
            "s3:PutObject": own,
            "s3:DeleteObject": own,
        }, f"the function of {rendition.name} may do other things than it should: {may}"


def buckets_are_private(template: Template) -> None:
    for one in resources(template, BUCKET).values():
        blocked = {name for name, on in one["PublicAccessBlockConfiguration"].items() if on is True}
        assert blocked == BLOCKED, "a bucket may become public"
        (owner,) = one["OwnershipControls"]["Rules"]
        assert owner == {"ObjectOwnership": "BucketOwnerEnforced"}, "ACLs count"
        assert "AccessControl" not in one, "an ACL is set"
        (rule,) = one["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256", "objects are not encrypted"


def plain_http_is_refused(template: Template) -> None:
    for bucket in resources(template, BUCKET):
        refusals = [
            one
            for policy in resources(template, BUCKET_POLICY).values()
            for one in policy["PolicyDocument"]["Statement"]
            if refers_to(policy["Bucket"], bucket) and one["Effect"] == "Deny" and one["Principal"] == {"AWS": "*"}
        ]
        assert [(one["Action"], one["Condition"]) for one in refusals] == [
            ("s3:*", {"Bool": {"aws:SecureTransport": "false"}})
        ], f"plain HTTP is let in to {bucket}"


def accesses_are_logged(template: Template) -> None:
    logs = id_of(template, BUCKET, "ImagesAccessLogs")
    for name in ("Uploads", "Renditions"):
        source = id_of(template, BUCKET, f"Images{name}")
        logging = resources(template, BUCKET)[source].get(LOGGING, {})
        assert refers_to(logging.get("DestinationBucketName"), logs), f"accesses to {name} are not logged"
        assert logging["LogFilePrefix"] == f"{name}/"
        admitted = [
            one["Action"]
            for one in resources(template, BUCKET_POLICY)[id_of(template, BUCKET_POLICY, "ImagesAccessLogs")][
                "PolicyDocument"
            ]["Statement"]
            if one["Principal"] == {"Service": "logging.s3.amazonaws.com"}
            and refers_to(one.get("Condition", {}).get("ArnLike", {}).get("aws:SourceArn"), source)
            and one["Condition"].get("StringEquals") == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        ]
        assert admitted == ["s3:PutObject"], f"logs of {name} are refused, or others' are let in"


def only_this_bucket_may_publish(template: Template) -> None:
    uploads = id_of(template, BUCKET, "ImagesUploads")
    (policy,) = resources(template, TOPIC_POLICY).values()
    (statement,) = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    assert (statement["Principal"], statement["Action"]) == (S3_SERVICE, "sns:Publish"), "others may publish"
    condition = statement.get("Condition", {})
    assert refers_to(condition.get("ArnEquals", {}).get("aws:SourceArn"), uploads), "another bucket may publish"
    assert condition["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}, "another account may publish"
    (key,) = resources(template, KEY).values()
    (on_key,) = [one for one in key["KeyPolicy"]["Statement"] if one["Principal"] == S3_SERVICE]
    assert on_key["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}, "S3 of anybody"


def renditions_start_nothing(template: Template) -> None:
    (notification,) = resources(template, NOTIFICATION).values()
    uploads = id_of(template, BUCKET, "ImagesUploads")
    assert refers_to(notification["BucketName"], uploads), "renditions would be rendered, and so on"
    told = [one for one in resources(template, BUCKET).values() if "NotificationConfiguration" in one]
    assert told == [], "a bucket tells somebody else"


HOLDS = (
    functions_may_do_only_this,
    buckets_are_private,
    plain_http_is_refused,
    accesses_are_logged,
    only_this_bucket_may_publish,
    renditions_start_nothing,
)
GET: list[str | int] = ["PolicyDocument", "Statement", 2]
LIST: list[str | int] = ["PolicyDocument", "Statement", 3]
WRITE: list[str | int] = ["PolicyDocument", "Statement", 4]
TOPIC_ALLOW: list[str | int] = ["PolicyDocument", "Statement", 1]
RENDITIONS = {"Ref": "ImagesRenditions55DCE4E6"}
MUTATIONS: list[tuple[Callable[[Template], None], str, list[str | int], Any, str]] = [
    (functions_may_do_only_this, POLICY, [*GET, "Action"], ["s3:GetObject", "s3:PutObject"], "other things"),
    (functions_may_do_only_this, POLICY, [*GET, "Resource"], "*", "other things"),
    (functions_may_do_only_this, POLICY, [*LIST, "Action"], "s3:DeleteBucket", "other things"),
    (functions_may_do_only_this, POLICY, [*WRITE, "Resource", 0, "Fn::Join", 1, 1], "/*", "other things"),
    (buckets_are_private, BUCKET, ["PublicAccessBlockConfiguration", "BlockPublicPolicy"], False, "become public"),
    (buckets_are_private, BUCKET, ["OwnershipControls", "Rules", 0, "ObjectOwnership"], "ObjectWriter", "ACLs count"),
    (buckets_are_private, BUCKET, ["AccessControl"], "LogDeliveryWrite", "an ACL"),
    (plain_http_is_refused, BUCKET_POLICY, ["PolicyDocument", "Statement", 0, "Effect"], "Allow", "plain HTTP"),
    (plain_http_is_refused, BUCKET_POLICY, ["PolicyDocument", "Statement", 0, "Action"], "s3:GetObject", "plain HTTP"),
    (accesses_are_logged, BUCKET, [LOGGING], {}, "not logged"),
    (accesses_are_logged, BUCKET_POLICY, ["PolicyDocument", "Statement"], [], "are refused"),
    (only_this_bucket_may_publish, TOPIC_POLICY, [*TOPIC_ALLOW, "Principal"], "*", "others may publish"),
    (only_this_bucket_may_publish, TOPIC_POLICY, [*TOPIC_ALLOW, "Condition"], {}, "another bucket"),
    (only_this_bucket_may_publish, KEY, ["KeyPolicy", "Statement", 2, "Condition"], {}, "S3 of anybody"),
    (renditions_start_nothing, NOTIFICATION, ["BucketName"], RENDITIONS, "and so on"),
    (renditions_start_nothing, BUCKET, ["NotificationConfiguration"], {}, "somebody else"),
]


@pytest.fixture(params=[{}, flags()], ids=["no flags", "all flags"], scope="module")
def pipeline(request: pytest.FixtureRequest) -> Template:
    stack = bare_stack(**request.param)
    make(stack)
    return synthesized(stack)


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(pipeline: Template, holds: Callable[[Template], None]) -> None:
    holds(pipeline)


@pytest.mark.parametrize(("holds", "kind", "path", "value", "says"), MUTATIONS)
def test_and_would_be_missed(
    pipeline: Template, holds: Callable[[Template], None], kind: str, path: list[str | int], value: Any, says: str
) -> None:
    mutant = copy.deepcopy(pipeline)
    changed = 0
    for resource in resources(mutant, kind).values():
        spot: Any = resource
        try:
            for step in path[:-1]:
                spot = spot[step]
        except (IndexError, KeyError):  # a smaller policy of another role
            continue
        spot[path[-1]] = value
        changed += 1
    assert changed
    with pytest.raises(AssertionError, match=says):
        holds(mutant)


def role(stack: cdk.Stack, name: str = "Person") -> iam.Role:
    return iam.Role(stack, name, assumed_by=iam.AccountPrincipal("123456789012"))


def test_who_may_upload_may_put_below_the_prefix_and_nothing_else() -> None:
    stack = bare_stack()
    grant = make(stack, source_prefix="photos/").grant_upload(role(stack))
    assert grant.success
    assert rights(synthesized(stack), "Person") == {"s3:PutObject": ["Uploads/photos/*"]}


def test_functions_read_below_the_prefix_alone() -> None:
    stack = bare_stack()
    make(stack, source_prefix="photos/")
    may = rights(synthesized(stack), "ImagesFunctionsThumbnailRole")
    assert (may["s3:GetObject"], may["s3:ListBucket"]) == (["Uploads/photos/*"], ["Uploads"])


def test_who_may_read_sees_renditions_and_nothing_else() -> None:
    stack = bare_stack()
    grant = make(stack).grant_read(role(stack))
    assert grant.success
    assert rights(synthesized(stack), "Person") == {"s3:ListBucket": ["Renditions"], "s3:GetObject": ["Renditions/*"]}


def test_who_uploads_to_an_encrypted_bucket_may_use_its_key() -> None:
    stack = bare_stack()
    mine = s3.Bucket(stack, "Uploads", encryption_key=kms.Key(stack, "Mine"))
    make(stack, source_bucket=mine).grant_upload(role(stack))
    (policy,) = [one for name, one in resources(stack, POLICY).items() if name.startswith("Person")]
    actions = [action for one in policy["PolicyDocument"]["Statement"] for action in many(one["Action"])]
    assert actions == ["kms:Decrypt", "kms:GenerateDataKey", "s3:PutObject"]
