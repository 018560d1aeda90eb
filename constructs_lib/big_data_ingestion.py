"""IoT to reports: MQTT -> Kinesis -> Data Firehose -> Parquet in S3 -> Athena -> reports in S3."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib._checks import in_range, seconds_in_range
from constructs_lib._ingestion_delivery import IngestionDelivery
from constructs_lib._ingestion_lake import ERRORS_PREFIX, EVENTS_PREFIX, IngestionLake
from constructs_lib._ingestion_stream import IngestionStream
from constructs_lib._ingestion_table import IngestionTable
from constructs_lib._window_reports import WindowReports
from constructs_lib.device_fleet import DeviceFleet
from constructs_lib.function_target import FunctionTarget

_HOUR, _DAY = 3600, 24 * 3600
# Each hour that events may belong to can be open at the same time; Data Firehose keeps 500 partitions open (quota).
_MAX_LATE_SECONDS = 480 * _HOUR
# S3 takes objects of 90 days at least into Glacier storage classes without charging for the rest.
_MIN_ARCHIVE_SECONDS, _MAX_ARCHIVE_SECONDS = 30 * _DAY, 364 * _DAY


class BigDataIngestion(Construct):
    """Collect what devices send, keep it, ask it by SQL, and report on each hour.

    Defines a fleet (policy and rule of AWS IoT), a Kinesis stream with its key, a delivery stream that checks events
    and writes them as Parquet by the hour they were recorded in, the bucket they are in, its table in Glue, a workgroup
    of Athena, and a function that writes a report per hour. What is no event (not JSON, a field missing or of the wrong
    type, too large, a clock far off, another device's name) is kept below ``errors/rejected/`` with its reason, so it
    neither blocks the others nor is lost; what a service could not do is kept below ``errors/`` too.

    Args:
        topic_prefix: First level of the devices' topics, see :class:`DeviceFleet`. Default "fleet".
        shards: Of the stream, 1-500; each takes 1 MB or 1000 records per second. Left out: on demand.
        max_late: How long before its arrival an event may have been recorded, 1-480 whole hours. Default 48.
        archive_after: When events move to Glacier Instant Retrieval, 30-364 days; after a year they move to Deep
            Archive. Default 90 days.
        scan_limit_mb: A query that reads more is cancelled, 10 MB or more. Default 1024.
        target: Python version and processor of the functions. Left out: Python 3.13 on arm64.
        removal_policy: What happens to stream, keys and buckets when the stack is deleted. Default RETAIN.

    Attributes:
        fleet: Policy and rule for devices.
        stream: The Kinesis stream.
        bucket: Events and errors.
        table: Database and table in Glue.
        delivery: The delivery stream and its transform.
        reports: Workgroup, queue, function and bucket of reports.
        alarms: All alarms of the parts; hand them to an ``AlarmTopic``.

    Raises:
        ValueError: A prop is out of range.

    Example:
        ingestion = BigDataIngestion(stack, "Ingestion", topic_prefix="meters")
        ingestion.grant_produce(gateway)
        ingestion.reports.grant_query(analyst)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic_prefix: str = "fleet",
        shards: int | None = None,
        max_late: Duration | None = None,
        archive_after: Duration | None = None,
        scan_limit_mb: int = 1024,
        target: FunctionTarget | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        max_late = max_late or Duration.hours(48)
        archive_after = archive_after or Duration.days(90)
        if shards is not None:
            in_range("shards", shards, 1, 500)
        seconds_in_range("max_late", max_late, _HOUR, _MAX_LATE_SECONDS)
        seconds_in_range("archive_after", archive_after, _MIN_ARCHIVE_SECONDS, _MAX_ARCHIVE_SECONDS)

        if max_late.to_seconds() % _HOUR:
            raise ValueError(f"max_late: must be whole hours, got {max_late.to_hours(integral=False):g}")

        self._ingestion = IngestionStream(self, "Stream", shards=shards, removal_policy=removal_policy)
        self.stream = self._ingestion.stream
        lake = IngestionLake(self, "Lake", archive_after=archive_after, removal_policy=removal_policy)
        self.bucket = lake.bucket
        self.fleet = DeviceFleet(
            self,
            "Fleet",
            stream=self.stream,
            stream_key=self._ingestion.encryption_key,
            errors_bucket=self.bucket,
            errors_prefix=f"{ERRORS_PREFIX}rule/",
            topic_prefix=topic_prefix,
        )
        self.table = IngestionTable(self, "Table", bucket=self.bucket, prefix=EVENTS_PREFIX)
        self.delivery = IngestionDelivery(
            self,
            "Delivery",
            source=self._ingestion,
            lake=lake,
            table=self.table,
            max_late=max_late,
            target=target,
        )
        self.reports = WindowReports(
            self,
            "Reports",
            table=self.table,
            bucket=self.bucket,
            prefix=EVENTS_PREFIX,
            access_logs_bucket=lake.access_logs_bucket,
            scan_limit_mb=scan_limit_mb,
            target=target,
            removal_policy=removal_policy,
        )
        self.alarms = [
            *self._ingestion.alarms,
            *self.fleet.alarms,
            *self.delivery.alarms,
            *self.reports.alarms,
        ]

    def grant_produce(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` put events into the stream without MQTT, with the device's name as partition key.

        Who has this right can name any device as the sender: it is for gateways that know their devices.
        """
        return self._ingestion.grant_write(grantee)
