"""Brings a site's files into its bucket, at every deployment that changes them."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import CustomResource, Duration, RemovalPolicy
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._buckets import objects_rule
from constructs_lib._site_assets import stage
from constructs_lib.function_target import FunctionTarget
from constructs_lib.python_function import PythonFunction

_TIMEOUT = Duration.minutes(5)


def staged_asset(scope: Construct, site: Path) -> tuple[s3_assets.Asset, str]:
    """The site's files with their final names as one archive, and the text of its 404.html."""
    with tempfile.TemporaryDirectory() as folder:
        stage(site, Path(folder))
        not_found = (Path(folder) / "404.html").read_text(encoding="utf-8")
        # The CDK copies what it is given at once.
        return s3_assets.Asset(scope, "Archive", path=folder), not_found


class SiteRelease(Construct):
    """A custom resource: assets first, then pages, each with its content type and caching; then the edges forget.

    Not the CDK's BucketDeployment: its function may invalidate every distribution of the account, brings the AWS CLI
    along, and takes two of it to give assets and pages different headers.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        files: s3_assets.Asset,
        bucket: s3.Bucket,
        distribution: cloudfront.Distribution,
        config: Mapping[str, str],
        target: FunctionTarget | None,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        made = PythonFunction(
            self, "Function", package="site_deployment", timeout=_TIMEOUT, memory_mb=512, target=target
        )
        self.files = files
        self.function = made.function
        self.alarms = made.alarms
        _grant(made, ["s3:GetObject"], files.bucket.arn_for_objects(files.s3_object_key))
        _grant(made, ["s3:ListBucket"], bucket.bucket_arn)
        _grant(made, ["s3:PutObject", "s3:DeleteObject"], bucket.arn_for_objects("*"))
        _grant(made, ["cloudfront:CreateInvalidation"], distribution.distribution_arn)
        acknowledge(
            made.role,
            {objects_rule(bucket, "*"): "It writes and removes all of the site's files; the bucket has nothing else."},
        )
        waits = "CloudFormation invokes it and waits for its answer, so a failure fails the deployment."
        acknowledge(made.function, {"Serverless-LambdaDLQ": waits})
        resource = CustomResource(
            self,
            "Release",
            resource_type="Custom::SiteRelease",
            service_token=made.function.function_arn,
            # One that fails before it can answer must not hang for an hour.
            service_timeout=_TIMEOUT,
            properties={
                "SourceBucket": files.s3_bucket_name,
                "SourceKey": files.s3_object_key,
                "Bucket": bucket.bucket_name,
                "DistributionId": distribution.distribution_id,
                "Config": dict(config),
                "EmptyOnDelete": "true" if removal_policy == RemovalPolicy.DESTROY else "false",
            },
        )
        # Its rights must be there before it runs, and last until it has removed what it brought.
        for needed in (made.role, made.log_group, bucket.policy):
            if needed:
                resource.node.add_dependency(needed)


def _grant(made: PythonFunction, actions: list[str], resource_arn: str) -> None:
    iam.Grant.add_to_principal(grantee=made.function, actions=actions, resource_arns=[resource_arn])
