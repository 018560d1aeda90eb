"""Buckets of this library: private, encrypted, TLS only, no ACLs, with access logs and lifecycle."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

_ABORT_UPLOADS = s3.LifecycleRule(id="AbortUploads", abort_incomplete_multipart_upload_after=Duration.days(7))


def private_bucket(
    scope: Construct,
    construct_id: str,
    *,
    removal_policy: RemovalPolicy,
    lifecycle_rules: Sequence[s3.LifecycleRule] = (),
    versioned: bool = False,
    cors: Sequence[s3.CorsRule] = (),
    logs_to: s3.Bucket | None = None,
) -> s3.Bucket:
    """A bucket that nobody but its grantees sees; uploads that were broken off are removed after a week."""
    bucket = s3.Bucket(
        scope,
        construct_id,
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        versioned=versioned,
        lifecycle_rules=[_ABORT_UPLOADS, *lifecycle_rules],
        cors=list(cors) or None,
        removal_policy=removal_policy,
    )
    if logs_to:
        _log_access(bucket, logs_to)
    return bucket


def access_log_bucket(scope: Construct, construct_id: str, *, removal_policy: RemovalPolicy) -> s3.Bucket:
    """A bucket for the access logs of others; they are kept for 90 days."""
    expire = s3.LifecycleRule(id="ExpireLogs", expiration=Duration.days(90))
    return private_bucket(scope, construct_id, removal_policy=removal_policy, lifecycle_rules=[expire])


def _log_access(bucket: s3.Bucket, logs: s3.Bucket) -> None:
    # Not `server_access_logs_bucket`: without a feature flag it falls back to ACLs, which these buckets do not have.
    prefix = f"{bucket.node.id}/"
    resource = bucket.node.default_child
    if isinstance(resource, s3.CfnBucket):
        resource.logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
            destination_bucket_name=logs.bucket_name, log_file_prefix=prefix
        )
    logs.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["s3:PutObject"],
            principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
            resources=[logs.arn_for_objects(f"{prefix}*")],
            conditions={
                "ArnLike": {"aws:SourceArn": bucket.bucket_arn},
                "StringEquals": {"aws:SourceAccount": Stack.of(bucket).account},
            },
        )
    )


def objects_rule(bucket: s3.IBucket, pattern: str) -> str:
    """The finding of cdk-nag about a grant on a bucket's objects, whose ARN ends with a wildcard, to acknowledge it."""
    return f"AwsSolutions-IAM5[Resource::{flat(Stack.of(bucket).resolve(bucket.arn_for_objects(pattern)))}]"


def flat(value: Any) -> str:
    """A resolved ARN the way cdk-nag writes it: references in angle brackets."""
    match value:
        case {"Fn::Join": [glue, parts]}:
            return str(glue).join(map(flat, parts))
        case {"Fn::GetAtt": [logical_id, attribute]}:
            return f"<{logical_id}.{attribute}>"
        case {"Ref": name}:
            return f"<{name}>"
        case _:
            return str(value)
