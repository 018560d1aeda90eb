"""The bucket that events are kept in: private, encrypted, from hot to archive; and the bucket of access logs."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib._buckets import access_log_bucket, private_bucket

EVENTS_PREFIX = "events/"
ERRORS_PREFIX = "errors/"
_DEEP_AFTER = Duration.days(365)
_KEEP_ERRORS = Duration.days(365)


class IngestionLake(Construct):
    """Bucket of events and errors.

    Args:
        archive_after: When events move to Glacier Instant Retrieval, which Athena still reads; after a year they move
            on to Glacier Deep Archive, which it does not.
        removal_policy: Of the buckets.

    Attributes:
        bucket: Events below "events/", errors below "errors/" (kept for a year).
        access_logs_bucket: Its access logs, kept for 90 days; other buckets may log there too.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, archive_after: Duration, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self.access_logs_bucket = access_log_bucket(self, "AccessLogs", removal_policy=removal_policy)
        colder = [
            s3.Transition(storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, transition_after=archive_after),
            s3.Transition(storage_class=s3.StorageClass.DEEP_ARCHIVE, transition_after=_DEEP_AFTER),
        ]
        self.bucket = private_bucket(
            self,
            "Events",
            removal_policy=removal_policy,
            lifecycle_rules=[
                s3.LifecycleRule(id="Archive", prefix=EVENTS_PREFIX, transitions=colder),
                s3.LifecycleRule(id="ExpireErrors", prefix=ERRORS_PREFIX, expiration=_KEEP_ERRORS),
            ],
            logs_to=self.access_logs_bucket,
        )
