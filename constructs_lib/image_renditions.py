"""S3 -> SNS -> SQS -> Lambda -> S3: each uploaded picture is made into several sizes, each by a function of its own."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib._buckets import access_log_bucket, private_bucket
from constructs_lib._checks import matches, not_empty, unique
from constructs_lib._consumer import VISIBILITY_PER_TIMEOUT
from constructs_lib._notifications import notify_of_created
from constructs_lib._rendition import REJECTED, TIMEOUT, Rendition, rendition_function
from constructs_lib.function_target import FunctionTarget
from constructs_lib.sns_fanout_to_sqs import SnsFanoutToSqs, Subscriber

__all__ = ["ImageRenditions", "Rendition"]

_KEEP = Duration.days(30)
# A picture that outlasts the function's time or memory takes no other one with it.
_BATCH_SIZE = 1
_ORIGIN = r"https://[A-Za-z0-9.-]+(:\d+)?|http://localhost(:\d+)?"


class ImageRenditions(Construct):
    """Upload a picture once, get it in several sizes.

    Defines the bucket of uploads (versioned; what is overwritten or deleted is kept for 30 days), the bucket of
    renditions, a bucket for the access logs of both, a topic that hears of every upload, and per rendition a queue with
    dead letters and a function. A picture ``<key>`` becomes ``<rendition>/<key>.jpg``, or ``.webp`` where it is
    transparent: upright, sRGB, without metadata. What cannot be rendered becomes ``rejected/<rendition>/<key>.json``,
    which says why and expires after 30 days. A key has one of the three, also after it was uploaded again.

    The buckets are private, encrypted (SSE-S3) and without ACLs, demand TLS and have access logs, kept for 90 days.
    Renditions never start the pipeline again: their bucket notifies nobody, and the functions refuse its events.

    Args:
        renditions: The sizes, at least one; names must differ.
        source_bucket: An existing bucket of uploads, of this stack or imported into it (``Bucket.from_bucket_name``);
            its encryption, logs and lifecycle are its owner's. Left out: one is made.
        source_prefix: Only keys that begin so are rendered: letters, digits and ``/!-_.'()``. Default "": all.
        upload_origins: Origins of web pages that may PUT into the bucket made here, like "https://www.example.com";
            they need ``grant_upload`` as well. Default (): none, and no CORS.
        max_concurrency: Functions at work at once per rendition, 2-1000. Default 10: a flood of uploads waits in the
            queues and leaves the account's other functions alone.
        target: Python version and processor of the functions. Left out: Python 3.13 on arm64.
        removal_policy: What happens to the buckets and the key made here when the stack is deleted. Default RETAIN.
            With DESTROY, AWS deletes a bucket only when it is empty.

    Attributes:
        source_bucket: Where pictures are uploaded.
        renditions_bucket: Where renditions and rejections are written.
        access_logs_bucket: Access logs of the buckets made here.
        fanout: Topic and queues; ``fanout.topic`` hears of every upload, so others may subscribe to it.
        queues: Rendition's name -> its queue.
        dead_letter_queues: Rendition's name -> what its function failed at three times.
        functions: Rendition's name -> its function.
        alarms: All alarms of the parts; hand them to an ``AlarmTopic``.

    Raises:
        ValueError: A prop is out of range, names collide, or ``source_bucket`` belongs to another stack or region.

    Example:
        images = ImageRenditions(stack, "Images", renditions=[Rendition("thumbnail", 256), Rendition("web", 1600)])
        images.grant_upload(author)
        images.grant_read(reader)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        renditions: Sequence[Rendition],
        source_bucket: s3.IBucket | None = None,
        source_prefix: str = "",
        upload_origins: Sequence[str] = (),
        max_concurrency: int = 10,
        target: FunctionTarget | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        not_empty("renditions", renditions)
        unique("renditions (names)", [rendition.name for rendition in renditions])
        # In a policy a "*", "?" or "${" would mean more than itself.
        matches("source_prefix", source_prefix, r"[A-Za-z0-9/!_.'()-]{0,512}", "letters, digits and /!-_.'()")
        for origin in upload_origins:
            matches("upload_origins", origin, _ORIGIN, "an origin like 'https://www.example.com'")
        if source_bucket:
            _check_brought(self, source_bucket, upload_origins)

        self._prefix = source_prefix
        self.access_logs_bucket = access_log_bucket(self, "AccessLogs", removal_policy=removal_policy)
        self.source_bucket = source_bucket or self._uploads(upload_origins, removal_policy)
        self.renditions_bucket = private_bucket(
            self,
            "Renditions",
            removal_policy=removal_policy,
            lifecycle_rules=[s3.LifecycleRule(id="ExpireRejections", prefix=f"{REJECTED}/", expiration=_KEEP)],
            logs_to=self.access_logs_bucket,
        )
        visibility = Duration.seconds(VISIBILITY_PER_TIMEOUT * TIMEOUT.to_seconds())
        self.fanout = SnsFanoutToSqs(
            self,
            "Events",
            subscribers=[Subscriber(rendition.name, visibility_timeout=visibility) for rendition in renditions],
            removal_policy=removal_policy,
        )
        self.queues: Mapping[str, sqs.Queue] = self.fanout.queues
        self.dead_letter_queues: Mapping[str, sqs.Queue] = self.fanout.dead_letter_queues
        self.alarms = list(self.fanout.alarms)
        functions = Construct(self, "Functions")
        self.functions: Mapping[str, lambda_.Function] = {
            rendition.name: self._function(functions, rendition, max_concurrency, target) for rendition in renditions
        }
        notify_of_created(
            self,
            self.source_bucket,
            self.fanout.topic.topic_arn,
            prefix=source_prefix,
            admitted=self.fanout.grant_publish_to_service("s3.amazonaws.com", self.source_bucket.bucket_arn),
            heard_by=self.fanout.node.find_child("Subscribers"),
        )

    def grant_upload(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` put pictures under ``source_prefix``; neither read, list nor delete them."""
        if self.source_bucket.encryption_key:
            self.source_bucket.encryption_key.grant(grantee, "kms:Decrypt", "kms:GenerateDataKey")
        objects = self.source_bucket.arn_for_objects(f"{self._prefix}*")
        return _grant(grantee, self.source_bucket, "s3:PutObject", objects)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` list and read renditions and rejections; not the uploads."""
        bucket = self.renditions_bucket
        listed = _grant(grantee, bucket, "s3:ListBucket", bucket.bucket_arn)
        return listed.combine(_grant(grantee, bucket, "s3:GetObject", bucket.arn_for_objects("*")))

    def _uploads(self, origins: Sequence[str], removal_policy: RemovalPolicy) -> s3.Bucket:
        methods = [s3.HttpMethods.PUT]
        cors = s3.CorsRule(allowed_methods=methods, allowed_origins=list(origins), allowed_headers=["*"], max_age=3000)
        return private_bucket(
            self,
            "Uploads",
            removal_policy=removal_policy,
            versioned=True,
            lifecycle_rules=[s3.LifecycleRule(id="ExpireOldVersions", noncurrent_version_expiration=_KEEP)],
            cors=[cors] if origins else [],
            logs_to=self.access_logs_bucket,
        )

    def _function(
        self, scope: Construct, rendition: Rendition, max_concurrency: int, target: FunctionTarget | None
    ) -> lambda_.Function:
        made = rendition_function(
            scope,
            rendition,
            source=self.source_bucket,
            prefix=self._prefix,
            renditions=self.renditions_bucket,
            target=target,
        )
        self.fanout.add_consumer(rendition.name, made.function, batch_size=_BATCH_SIZE, max_concurrency=max_concurrency)
        self.alarms += made.alarms
        return made.function


def _check_brought(scope: Construct, bucket: s3.IBucket, origins: Sequence[str]) -> None:
    if origins:
        raise ValueError(f"upload_origins: must be left out beside source_bucket, set its CORS there, got {[*origins]}")
    here, there = Stack.of(scope), Stack.of(bucket)
    if here.node.addr != there.node.addr:
        rule = "must be of this stack or imported into it (Bucket.from_bucket_name), so that its notifications are set"
        raise ValueError(f"source_bucket: {rule} here, got {bucket.node.path}")
    region = bucket.env.region
    if not Token.is_unresolved(region) and not Token.is_unresolved(here.region) and region != here.region:
        rule = f"must be in the stack's region {here.region}, since S3 notifies topics of its own region alone"
        raise ValueError(f"source_bucket: {rule}, got {region}")


def _grant(grantee: iam.IGrantable, bucket: s3.IBucket, action: str, resource_arn: str) -> iam.Grant:
    return iam.Grant.add_to_principal_or_resource(
        grantee=grantee, actions=[action], resource_arns=[resource_arn], resource=bucket
    )
