"""What must never drift in the image renditions: the sizes, who may do what, and what outlives the stack."""

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from journeys._gallery import SIZES
from journeys.image_renditions import READS
from stacks.image_renditions import RENDITIONS
from tests.repo.policies import many
from tests.templates import Template, mutated, resources, scenario_app, synthesized, template

FUNCTION, MAPPING, BUCKET = "AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping", "AWS::S3::Bucket"
POLICY, NOTIFICATION = "AWS::IAM::Policy", "Custom::S3BucketNotifications"
RUNS = {
    "kms:Decrypt",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
# Beginning of a role's logical id -> what it may do.
MAY = {
    "Uploader": {"s3:PutObject"},
    "Viewer": {"s3:GetObject", "s3:ListBucket"},
    "BucketNotificationsHandler": {"logs:CreateLogStream", "logs:PutLogEvents", "s3:PutBucketNotification"},
    **{
        f"ImagesFunctions{name}Role": {"s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject"} | RUNS
        for name in ("Thumbnail", "Web", "Mobile")
    },
}


@pytest.fixture
def image_renditions() -> Template:
    return template("image-renditions")


def three_sizes_are_made(made: Template) -> None:
    found = [one["Environment"]["Variables"] for one in resources(made, FUNCTION).values() if "Environment" in one]
    sizes = {one["RENDITION_NAME"]: int(one["MAX_EDGE"]) for one in found}
    assert sizes == {"thumbnail": 256, "web": 1600, "mobile": 800}, "a size is missing or another"


def nobody_may_do_more(made: Template) -> None:
    may: dict[str, set[str]] = {}
    for policy in resources(made, POLICY).values():
        (role,) = policy["Roles"]
        (who,) = [name for name in MAY if role["Ref"].startswith(name)]
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = set(many(statement["Action"]))
            may[who] = may.get(who, set()) | actions
            xray_alone = all(action.startswith("xray:") for action in actions)
            assert statement["Resource"] != "*" or xray_alone, f"{who} may do {actions} to everything"
    assert may == MAY, "somebody may do more or less than it should"
    managed = [name for name, one in resources(made, "AWS::IAM::Role").items() if "ManagedPolicyArns" in one]
    assert managed == [], "somebody may do what AWS decides"


def one_picture_cannot_harm_another(made: Template) -> None:
    mappings = resources(made, MAPPING).values()
    assert [(one["BatchSize"], one["ScalingConfig"]["MaximumConcurrency"]) for one in mappings] == [(1, 2)] * 3
    redriven = [one["RedrivePolicy"] for one in resources(made, "AWS::SQS::Queue").values() if "RedrivePolicy" in one]
    assert [one["maxReceiveCount"] for one in redriven] == [3] * 3, "poison is delivered for ever"


def only_uploads_are_told_of(made: Template) -> None:
    told = [one["BucketName"]["Ref"] for one in resources(made, NOTIFICATION).values()]
    assert [name[: len("ImagesUploads")] for name in told] == ["ImagesUploads"], "renditions would be rendered"


def pictures_outlive_the_stack(made: Template) -> None:
    stateful = [one for one in made["Resources"].values() if one["Type"] in {BUCKET, "AWS::KMS::Key"}]
    policies = {one.get(name) for one in stateful for name in ("DeletionPolicy", "UpdateReplacePolicy")}
    assert policies == {"Retain"}, "pictures leave with the stack"
    (uploads,) = [one for name, one in resources(made, BUCKET).items() if name.startswith("ImagesUploads")]
    assert uploads["VersioningConfiguration"] == {"Status": "Enabled"}, "what is overwritten is lost"


HOLDS = (
    three_sizes_are_made,
    nobody_may_do_more,
    one_picture_cannot_harm_another,
    only_uploads_are_told_of,
    pictures_outlive_the_stack,
)
MUTATIONS: list[tuple[Callable[[Template], None], str, list[str | int], Any, str]] = [
    (
        three_sizes_are_made,
        FUNCTION,
        ["Environment"],
        {"Variables": {"RENDITION_NAME": "web", "MAX_EDGE": "1"}},
        "size",
    ),
    (nobody_may_do_more, POLICY, ["PolicyDocument", "Statement", 0, "Action"], "s3:*", "more or less"),
    (nobody_may_do_more, POLICY, ["PolicyDocument", "Statement", 0, "Resource"], "*", "to everything"),
    (nobody_may_do_more, "AWS::IAM::Role", ["ManagedPolicyArns"], ["AdministratorAccess"], "AWS decides"),
    (one_picture_cannot_harm_another, MAPPING, ["BatchSize"], 10, "10"),
    (one_picture_cannot_harm_another, "AWS::SQS::Queue", ["RedrivePolicy"], {"maxReceiveCount": 99}, "for ever"),
    (only_uploads_are_told_of, NOTIFICATION, ["BucketName"], {"Ref": "ImagesRenditions55DCE4E6"}, "be rendered"),
    (pictures_outlive_the_stack, BUCKET, ["VersioningConfiguration"], {"Status": "Suspended"}, "is lost"),
]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(image_renditions: Template, holds: Callable[[Template], None]) -> None:
    holds(image_renditions)


@pytest.mark.parametrize(("holds", "kind", "path", "value", "says"), MUTATIONS)
def test_and_would_be_missed(
    image_renditions: Template,
    holds: Callable[[Template], None],
    kind: str,
    path: list[str | int],
    value: Any,
    says: str,
) -> None:
    mutant = mutated(image_renditions, kind, path, value)
    with pytest.raises(AssertionError, match=says):
        holds(mutant)


def test_without_retention_pictures_leave_with_the_stack() -> None:
    stack = scenario_app("image-renditions", retain="false").node.find_child("ImageRenditions")
    assert isinstance(stack, cdk.Stack)
    made = synthesized(stack)
    with pytest.raises(AssertionError, match="pictures leave with the stack"):
        pictures_outlive_the_stack(made)
    kept = [name for name, one in made["Resources"].items() if one.get("DeletionPolicy") == "Retain"]
    assert kept == [], "something stays behind that nobody wants"


def test_the_journey_knows_the_sizes() -> None:
    assert {one.name: one.max_edge for one in RENDITIONS} == SIZES


def test_the_outputs_are_what_the_journey_reads(image_renditions: Template) -> None:
    assert set(READS) == image_renditions["Outputs"].keys()
