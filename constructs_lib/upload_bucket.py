"""A bucket that browsers put files into by themselves, with URLs that were signed for them."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib._buckets import access_log_bucket, private_bucket
from constructs_lib._checks import matches, not_empty

_ORIGIN = r"https://(\*\.)?[A-Za-z0-9.-]+(:\d+)?|http://localhost(:\d+)?"
_KEEP = Duration.days(30)


class UploadBucket(Construct):
    """Where browsers upload: a page PUTs a file to a presigned URL that a function of yours made for its user.

    Defines the bucket (private, encrypted, TLS only, versioned; what is overwritten or deleted is kept for 30 days,
    broken-off uploads for seven) and a bucket of access logs, kept for 90 days. The right to upload is in the signed
    URL; CORS only says from which pages a browser may use one.

    Args:
        origins: Pages that may upload, at least one: "https://www.example.com", or with one "*" for a label.
        accelerate: Uploads enter AWS's network at the nearest edge, billed by the gigabyte. Default False.
        removal_policy: What happens to the buckets when the stack is deleted. Default RETAIN. With DESTROY, AWS deletes
            a bucket only when it is empty.

    Attributes:
        bucket: The bucket.
        access_logs_bucket: Its access logs.
        endpoint: The S3 endpoint to sign for, with the bucket's name before its host (virtual addressing).
        url: Where browsers put files; name it in a page's ``connect-src``.

    Raises:
        ValueError: There is no origin, or one is not of that form.

    Example:
        uploads = UploadBucket(stack, "Uploads", origins=["https://www.example.com"], accelerate=True)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        origins: Sequence[str],
        accelerate: bool = False,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        not_empty("origins", origins)
        for origin in origins:
            matches("origins", origin, _ORIGIN, "origins like 'https://www.example.com'")
        self.access_logs_bucket = access_log_bucket(self, "AccessLogs", removal_policy=removal_policy)
        self.bucket = private_bucket(
            self,
            "Bucket",
            removal_policy=removal_policy,
            versioned=True,
            lifecycle_rules=[s3.LifecycleRule(id="ExpireOldVersions", noncurrent_version_expiration=_KEEP)],
            cors=[
                s3.CorsRule(
                    allowed_methods=[s3.HttpMethods.PUT],
                    allowed_origins=list(origins),
                    allowed_headers=["Content-Type"],
                    max_age=3000,
                )
            ],
            logs_to=self.access_logs_bucket,
        )
        stack = Stack.of(self)
        host = f"s3-accelerate.{stack.url_suffix}" if accelerate else f"s3.{stack.region}.{stack.url_suffix}"
        resource = self.bucket.node.default_child
        if accelerate and isinstance(resource, s3.CfnBucket):
            resource.accelerate_configuration = s3.CfnBucket.AccelerateConfigurationProperty(
                acceleration_status="Enabled"
            )
        self.endpoint = f"https://{host}"
        self.url = f"https://{self.bucket.bucket_name}.{host}"
