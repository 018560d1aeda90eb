"""S3 event -> SQS -> Lambda -> Athena -> S3: when events of an hour arrive, that hour's report is made again."""

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib._buckets import private_bucket
from constructs_lib._checks import in_range
from constructs_lib._ingestion_table import IngestionTable
from constructs_lib._notifications import queue_created
from constructs_lib._object_rights import grant_objects
from constructs_lib.function_target import FunctionTarget
from constructs_lib.python_function import PythonFunction
from constructs_lib.queue_with_dlq import QueueWithDlq

_TIMEOUT = Duration.minutes(2)
_VISIBILITY = Duration.minutes(12)
# A report that was overtaken by another writer is made again at once: that may happen a few times in a row.
_MAX_RECEIVES = 5
_MAX_CONCURRENCY = 2
# Athena accepts no smaller limit than 10 MB (API reference, WorkGroupConfiguration).
_MIN_SCAN_MB = 10
_RESULT_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
_KEEP_RESULTS = Duration.days(7)


class WindowReports(Construct):
    """One report per hour of events, always of all that has arrived.

    Defines a workgroup (its settings cannot be overridden by who asks; results are encrypted and expire after a week),
    the bucket of results, the bucket of reports (versioned; an older version is kept for 30 days), a queue with dead
    letters that hears of new events, and a function that reports. A report is written again when more of its hour
    arrives, under the same key; duplicates are counted once.

    Args:
        table: Where the events are.
        bucket: Which bucket they are in.
        prefix: Below which prefix.
        access_logs_bucket: Takes the access logs of the buckets made here.
        scan_limit_mb: A query that reads more is cancelled, 10 MB or more. Default 1024.
        target: Python version and processor of the function. Left out: Python 3.13 on arm64.
        removal_policy: What happens to the reports when the stack is deleted. Default RETAIN. Results go with the stack
            when they can.

    Attributes:
        workgroup: The workgroup; its name is ``workgroup.ref``.
        results_bucket: Results of queries.
        reports_bucket: Reports: ``reports/event_date=.../event_hour=.../report.csv``.
        queue: The queue and its dead letters.
        function: The function that reports.
        alarms: All alarms of the parts.

    Raises:
        ValueError: ``scan_limit_mb`` is out of range.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: IngestionTable,
        bucket: s3.Bucket,
        prefix: str,
        access_logs_bucket: s3.Bucket,
        scan_limit_mb: int = 1024,
        target: FunctionTarget | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        in_range("scan_limit_mb", scan_limit_mb, _MIN_SCAN_MB, 1024 * 1024)
        self._table, self._events, self._prefix = table, bucket, prefix
        self.results_bucket = private_bucket(
            self,
            "Results",
            removal_policy=removal_policy,
            lifecycle_rules=[s3.LifecycleRule(id="ExpireResults", expiration=_KEEP_RESULTS)],
            logs_to=access_logs_bucket,
        )
        older = s3.LifecycleRule(id="ExpireOldVersions", noncurrent_version_expiration=Duration.days(30))
        self.reports_bucket = private_bucket(
            self,
            "Reports",
            removal_policy=removal_policy,
            versioned=True,
            lifecycle_rules=[older],
            logs_to=access_logs_bucket,
        )
        self.workgroup = self._workgroup(scan_limit_mb)
        reporter = PythonFunction(
            self,
            "Reporter",
            package="window_report",
            target=target,
            timeout=_TIMEOUT,
            environment={
                "DATABASE": table.database_name,
                "TABLE": table.table_name,
                "WORKGROUP": self.workgroup.ref,
                "REPORTS_BUCKET": self.reports_bucket.bucket_name,
            },
        )
        self.function = reporter.function
        self._grant_query(reporter.role)
        self._grant_report(reporter.role)
        self.queue = QueueWithDlq(self, "NewEvents", visibility_timeout=_VISIBILITY, max_receive_count=_MAX_RECEIVES)
        self.queue.add_consumer(self.function, max_concurrency=_MAX_CONCURRENCY)
        queue_created(self, bucket, self.queue.queue, prefix=prefix)
        self.alarms = [*self.queue.alarms, *reporter.alarms]

    def grant_query(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` query the events in the workgroup, within its limit.

        Athena reads with the rights of who asks, so these are the rights to the events themselves.
        """
        return self._grant_query(grantee, "athena:GetQueryResults")

    def _grant_query(self, grantee: iam.IGrantable, *more: str) -> iam.Grant:
        name = Stack.of(self).format_arn(service="athena", resource="workgroup", resource_name=self.workgroup.ref)
        asks = iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[
                "athena:StartQueryExecution",
                "athena:GetQueryExecution",
                "athena:StopQueryExecution",
                *more,
            ],
            resource_arns=[name],
        )
        schema = iam.Grant.add_to_principal(
            grantee=grantee, actions=["glue:GetDatabase", "glue:GetTable"], resource_arns=self._table.resource_arns
        )
        why = "Athena reads and writes with the rights of who asks, objects with names of the services' making."
        reads = grant_objects(grantee, self._events, self._prefix, "s3:GetObject", why=why)
        results = grant_objects(grantee, self.results_bucket, "", *_RESULT_ACTIONS, why=why)
        where = iam.Grant.add_to_principal(
            grantee=grantee, actions=["s3:GetBucketLocation"], resource_arns=[self.results_bucket.bucket_arn]
        )
        looks = iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["s3:ListBucket"],
            resource_arns=[self._events.bucket_arn, self.results_bucket.bucket_arn],
        )
        return asks.combine(schema).combine(reads).combine(results).combine(where).combine(looks)

    def grant_read_reports(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` list and read the reports; not the events."""
        listed = iam.Grant.add_to_principal(
            grantee=grantee, actions=["s3:ListBucket"], resource_arns=[self.reports_bucket.bucket_arn]
        )
        why = "Reports of all hours may be read; each is an object of its own."
        read = grant_objects(grantee, self.reports_bucket, "reports/", "s3:GetObject", why=why)
        return listed.combine(read)

    def _workgroup(self, scan_limit_mb: int) -> athena.CfnWorkGroup:
        config = athena.CfnWorkGroup
        return config(
            self,
            "WorkGroup",
            # AWS asks for a name; this one is unique to the stack and the construct in it.
            name=f"{Aws.STACK_NAME}-{self.node.addr[-8:]}",
            description="Queries of events, within a limit",
            recursive_delete_option=True,
            work_group_configuration=config.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=scan_limit_mb * 1024 * 1024,
                requester_pays_enabled=False,
                engine_version=config.EngineVersionProperty(selected_engine_version="Athena engine version 3"),
                result_configuration=config.ResultConfigurationProperty(
                    output_location=f"s3://{self.results_bucket.bucket_name}/",
                    expected_bucket_owner=Stack.of(self).account,
                    encryption_configuration=config.EncryptionConfigurationProperty(encryption_option="SSE_S3"),
                ),
            ),
        )

    def _grant_report(self, role: iam.Role) -> None:
        why = "Each hour's report is an object of its own."
        grant_objects(role, self.reports_bucket, "reports/", "s3:GetObject", "s3:PutObject", why=why)
        # Without it S3 does not tell a report that is not there from one that may not be seen.
        role.add_to_principal_policy(
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.reports_bucket.bucket_arn])
        )
