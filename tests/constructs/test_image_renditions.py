"""Each picture is made into several sizes: what is defined for that, with and without props, and what is refused."""

import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs_lib import FunctionTarget, ImageRenditions, Rendition
from image_renditions.settings import Settings
from tests.repo.policies import refers_to
from tests.templates import Template, bare_stack, flags, only, resources, synthesized

BUCKET, FUNCTION, MAPPING = "AWS::S3::Bucket", "AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping"
TWO = (Rendition("thumbnail", max_edge=256), Rendition("small-web", max_edge=1600))


def make(stack: cdk.Stack | None = None, construct_id: str = "Images", **props: Any) -> ImageRenditions:
    return ImageRenditions(stack or bare_stack(), construct_id, **{"renditions": TWO, **props})


def made(**props: Any) -> Template:
    return synthesized(cdk.Stack.of(make(**props)))


def bucket(template: Template, name: str) -> dict[str, Any]:
    (found,) = [one for logical_id, one in resources(template, BUCKET).items() if logical_id.startswith(name)]
    return found


def ours(template: Template) -> dict[str, dict[str, Any]]:
    """Rendition's name -> its function."""
    found = [one for one in resources(template, FUNCTION).values() if "Environment" in one]
    return {one["Environment"]["Variables"]["RENDITION_NAME"]: one for one in found}


@pytest.fixture(params=[{}, flags()], ids=["no flags", "all flags"], scope="module")
def default(request: pytest.FixtureRequest) -> Template:
    stack = bare_stack(**request.param)
    make(stack)
    return synthesized(stack)


def test_each_rendition_has_a_function_that_knows_its_size_and_the_bucket(default: Template) -> None:
    (renditions,) = [name for name in resources(default, BUCKET) if name.startswith("ImagesRenditions")]
    functions = ours(default)
    assert list(functions) == ["thumbnail", "small-web"]
    for rendition in TWO:
        function = functions[rendition.name]
        variables = function["Environment"]["Variables"]
        assert variables["MAX_EDGE"] == str(rendition.max_edge)
        assert variables["RENDITIONS_BUCKET"] == {"Ref": renditions}
        assert function["Handler"] == "image_renditions.handler.handler"
        assert (function["MemorySize"], function["Timeout"]) == (1024, 60)


def test_the_function_takes_the_settings_that_it_is_given(default: Template) -> None:
    for name, function in ours(default).items():
        variables = {**function["Environment"]["Variables"], "RENDITIONS_BUCKET": "bucket"}
        settings = Settings.of(variables)
        assert (settings.rendition, settings.edge) == (name, {one.name: one.max_edge for one in TWO}[name])


@pytest.mark.parametrize("name", ["a", "a" * 32, "x1-2y", "a-b-c"])
@pytest.mark.parametrize("edge", [1, 2560])
def test_the_function_takes_every_name_and_size_that_the_construct_takes(name: str, edge: int) -> None:
    rendition = Rendition(name, max_edge=edge)
    variables = {"RENDITION_NAME": rendition.name, "MAX_EDGE": str(rendition.max_edge), "RENDITIONS_BUCKET": "b"}
    assert Settings.of(variables).rendition == name


def test_each_function_drains_a_queue_of_its_own_one_picture_at_a_time(default: Template) -> None:
    mappings = resources(default, MAPPING)
    assert len({str(one["EventSourceArn"]) for one in mappings.values()}) == len(mappings) == len(TWO)
    for mapping in mappings.values():
        assert mapping["BatchSize"] == 1
        assert mapping["ScalingConfig"] == {"MaximumConcurrency": 10}
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        queue = resources(default, "AWS::SQS::Queue")[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
        assert queue["VisibilityTimeout"] == 6 * 60
        assert queue["RedrivePolicy"]["maxReceiveCount"] == 3


def test_old_versions_rejections_and_logs_expire_and_broken_uploads_are_removed(default: Template) -> None:
    rules = {
        name: {rule["Id"]: rule for rule in bucket(default, name)["LifecycleConfiguration"]["Rules"]}
        for name in ("ImagesUploads", "ImagesRenditions", "ImagesAccessLogs")
    }
    for one in rules.values():
        assert one["AbortUploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
        assert {rule["Status"] for rule in one.values()} == {"Enabled"}
    assert rules["ImagesUploads"]["ExpireOldVersions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    expiring = rules["ImagesRenditions"]["ExpireRejections"]
    assert (expiring["Prefix"], expiring["ExpirationInDays"]) == ("rejected/", 30)
    assert rules["ImagesAccessLogs"]["ExpireLogs"]["ExpirationInDays"] == 90
    kept = [name for name in rules if any("ExpirationInDays" in r and "Prefix" not in r for r in rules[name].values())]
    assert kept == ["ImagesAccessLogs"], "pictures would expire"


def test_uploads_are_versioned_and_have_no_cors(default: Template) -> None:
    uploads = bucket(default, "ImagesUploads")
    assert uploads["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "CorsConfiguration" not in uploads


def test_buckets_and_key_outlive_the_stack_unless_told_otherwise() -> None:
    for policy, expected in ((None, "Retain"), (RemovalPolicy.DESTROY, "Delete")):
        template = made(**({"removal_policy": policy} if policy else {}))
        stateful = [one for one in template["Resources"].values() if one["Type"] in {BUCKET, "AWS::KMS::Key"}]
        assert len(stateful) == 4
        assert {one["DeletionPolicy"] for one in stateful} == {expected}


def test_web_pages_that_are_named_may_put() -> None:
    (rule,) = bucket(made(upload_origins=["https://www.example.com"]), "ImagesUploads")["CorsConfiguration"][
        "CorsRules"
    ]
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == (["https://www.example.com"], ["PUT"])


def test_a_flood_is_held_back_as_told() -> None:
    mappings = resources(made(max_concurrency=2), MAPPING).values()
    assert [one["ScalingConfig"]["MaximumConcurrency"] for one in mappings] == [2, 2]


def test_the_functions_run_on_the_target() -> None:
    functions = ours(made(target=FunctionTarget(python="3.12", architecture="x86_64")))
    assert {(one["Runtime"], *one["Architectures"]) for one in functions.values()} == {("python3.12", "x86_64")}


def test_a_bucket_of_the_stack_can_be_brought() -> None:
    stack = bare_stack()
    mine = s3.Bucket(stack, "Mine")
    images = make(stack, source_bucket=mine, source_prefix="photos/")
    assert images.source_bucket is mine
    template = synthesized(stack)
    assert not [name for name in resources(template, BUCKET) if name.startswith("ImagesUploads")]
    notification = only(template, "Custom::S3BucketNotifications")
    (configuration,) = notification["NotificationConfiguration"]["TopicConfigurations"]
    assert configuration["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": "photos/"}]
    (name,) = [name for name in resources(template, BUCKET) if name.startswith("Mine")]
    assert refers_to(notification["BucketName"], name)


def test_the_parts_are_at_hand() -> None:
    images = make()
    names = [rendition.name for rendition in TWO]
    assert list(images.functions) == list(images.queues) == list(images.dead_letter_queues) == names
    assert images.functions["thumbnail"].node.path == "Test/Images/Functions/Thumbnail/Function"
    assert images.renditions_bucket.node.path == "Test/Images/Renditions"
    assert images.access_logs_bucket.node.path == "Test/Images/AccessLogs"
    alarms = resources(cdk.Stack.of(images), "AWS::CloudWatch::Alarm")
    assert len(images.alarms) == len(alarms) == 5 * len(TWO) + 1, "an alarm is not at hand"


def test_two_in_one_stack() -> None:
    stack = bare_stack()
    for construct_id in ("First", "Second"):
        make(stack, construct_id)
    template = synthesized(stack)
    assert len(resources(template, BUCKET)) == 6
    assert len(resources(template, "Custom::S3BucketNotifications")) == 2
    assert len(resources(template, "AWS::Lambda::LayerVersion")) == 1, "the layer is shared"


def elsewhere(region: str) -> dict[str, Any]:
    stack = cdk.Stack(cdk.App(), "Other", env=cdk.Environment(region=region, account="123456789012"))
    return {"source_bucket": s3.Bucket(stack, "Theirs")}


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"renditions": []}, "renditions: must have at least one item, got none"),
        (
            {"renditions": [TWO[0], Rendition("thumbnail", 99)]},
            "renditions (names): must be unique, got 'thumbnail' twice",
        ),
        ({"source_prefix": "photos/*"}, "source_prefix: must be letters, digits and /!-_.'(), got 'photos/*'"),
        ({"source_prefix": "${aws:username}/"}, "source_prefix: must be letters"),
        ({"upload_origins": ["*"]}, "upload_origins: must be an origin like 'https://www.example.com', got '*'"),
        ({"upload_origins": ["http://example.com"]}, "upload_origins: must be an origin"),
        ({"max_concurrency": 1}, "max_concurrency: must be between 2 and 1000, got 1"),
        (elsewhere("eu-west-1"), "source_bucket: must be of this stack or imported into it (Bucket.from_bucket_name)"),
    ],
)
def test_props_out_of_range_are_refused(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        make(**props)


@pytest.mark.parametrize(
    ("name", "edge", "message"),
    [
        ("", 1, "name: must be 1 to 32 characters: words of a-z and 0-9 joined by '-', a letter first, and not"),
        ("a" * 33, 1, "name: must be 1 to 32 characters"),
        ("rejected", 1, "and not 'rejected', got 'rejected'"),
        ("Thumbnail", 1, "got 'Thumbnail'"),
        ("a/b", 1, "got 'a/b'"),
        ("a--b", 1, "got 'a--b'"),
        ("web", 0, "max_edge of 'web': must be between 1 and 2560, got 0"),
        ("web", 2561, "max_edge of 'web': must be between 1 and 2560, got 2561"),
    ],
)
def test_renditions_out_of_range_are_refused(name: str, edge: int, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Rendition(name, max_edge=edge)


def test_cors_of_a_brought_bucket_are_its_owners() -> None:
    stack = bare_stack()
    with pytest.raises(ValueError, match="upload_origins: must be left out beside source_bucket, set its CORS there"):
        make(stack, source_bucket=s3.Bucket(stack, "Mine"), upload_origins=["https://www.example.com"])


def test_a_bucket_of_another_region_is_refused() -> None:
    stack = cdk.Stack(cdk.App(), "Here", env=cdk.Environment(region="eu-west-1", account="123456789012"))
    far = s3.Bucket.from_bucket_attributes(stack, "Far", bucket_name="theirs", region="us-east-1")
    with pytest.raises(ValueError, match=r"source_bucket: must be in the stack's region eu-west-1, .* got us-east-1"):
        make(stack, source_bucket=far)
    near = s3.Bucket.from_bucket_attributes(stack, "Near", bucket_name="ours", region="eu-west-1")
    assert make(stack, "Accepted", source_bucket=near).source_bucket is near


def test_a_brought_bucket_with_a_key_lets_the_functions_decrypt_alone() -> None:
    stack = bare_stack()
    key = kms.Key(stack, "Mine")
    make(stack, source_bucket=s3.Bucket(stack, "Uploads", encryption_key=key))
    policies = resources(stack, "AWS::IAM::Policy").values()
    (logical_id,) = [name for name in resources(stack, "AWS::KMS::Key") if name.startswith("Mine")]
    with_key = [
        statement["Action"]
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        if refers_to(statement["Resource"], logical_id)
    ]
    assert with_key == ["kms:Decrypt"] * len(TWO)
