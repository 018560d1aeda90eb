"""Kinesis -> Data Firehose -> S3: checked by a function, written as Parquet into the partition of each event's hour."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when
from constructs_lib._ingestion_lake import ERRORS_PREFIX, EVENTS_PREFIX, IngestionLake
from constructs_lib._ingestion_stream import IngestionStream
from constructs_lib._ingestion_table import IngestionTable
from constructs_lib._object_rights import grant_objects
from constructs_lib.function_target import FunctionTarget
from constructs_lib.python_function import PythonFunction

REJECTED_PREFIX = f"{ERRORS_PREFIX}rejected/"
# Data Firehose asks for at least 64 MB where it converts or partitions (developer guide, "Enable record format
# conversion"); at the rates of a small fleet it is the minute that ends a buffer.
_BUFFER_MB, _BUFFER_SECONDS = 64, 60
# Of the transform: 1 MB, so that its answer in base64 with metadata stays below Lambda's 6 MB.
_TRANSFORM_MB, _TRANSFORM_SECONDS = 1, 20
_TRANSFORM_TIMEOUT = Duration.minutes(1)
_RETRY_SECONDS = 300
_Config = firehose.CfnDeliveryStream


class IngestionDelivery(Construct):
    """The delivery stream, its role, its transform and alarms on rejected events and on delivery that falls behind."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: IngestionStream,
        lake: IngestionLake,
        table: IngestionTable,
        max_late: Duration,
        target: FunctionTarget | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.transform = PythonFunction(
            self,
            "Transform",
            package="ingestion_transform",
            target=target,
            timeout=_TRANSFORM_TIMEOUT,
            memory_mb=512,
            environment={
                "ERRORS_BUCKET": lake.bucket.bucket_name,
                "ERRORS_PREFIX": REJECTED_PREFIX,
                "MAX_LATE_HOURS": f"{max_late.to_hours()}",
            },
        )
        why = "Each batch's rejected events are a new object below this prefix of one bucket."
        grant_objects(self.transform.role, lake.bucket, REJECTED_PREFIX, "s3:PutObject", why=why)
        acknowledge(
            self.transform.function,
            {"Serverless-LambdaDLQ": "Data Firehose waits for its answer; what fails is kept below the error prefix."},
        )
        self._logs = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )
        log_stream = logs.LogStream(self, "LogStream", log_group=self._logs, removal_policy=RemovalPolicy.DESTROY)
        self.role = iam.Role(self, "Role", assumed_by=_firehose_of_this_account(self))
        rights = [
            source.grant_read(self.role),
            self._grant_delivery(lake, table),
            self.transform.function.grant_invoke(self.role),
            self._logs.grant_write(self.role),
        ]
        self.delivery_stream = _Config(
            self,
            "Delivery",
            delivery_stream_type="KinesisStreamAsSource",
            kinesis_stream_source_configuration=_Config.KinesisStreamSourceConfigurationProperty(
                kinesis_stream_arn=source.stream.stream_arn, role_arn=self.role.role_arn
            ),
            extended_s3_destination_configuration=_Config.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=lake.bucket.bucket_arn,
                role_arn=self.role.role_arn,
                prefix=table.prefix,
                error_output_prefix=f"{ERRORS_PREFIX}!{{firehose:error-output-type}}/!{{timestamp:yyyy/MM/dd/HH}}/",
                buffering_hints=_Config.BufferingHintsProperty(
                    interval_in_seconds=_BUFFER_SECONDS, size_in_m_bs=_BUFFER_MB
                ),
                # Parquet compresses by itself; Data Firehose must not compress what it has converted.
                compression_format="UNCOMPRESSED",
                dynamic_partitioning_configuration=_Config.DynamicPartitioningConfigurationProperty(
                    enabled=True, retry_options=_Config.RetryOptionsProperty(duration_in_seconds=_RETRY_SECONDS)
                ),
                processing_configuration=_processing(self.transform.function.function_arn),
                data_format_conversion_configuration=_to_parquet(self, table, self.role),
                cloud_watch_logging_options=_Config.CloudWatchLoggingOptionsProperty(
                    enabled=True,
                    log_group_name=self._logs.log_group_name,
                    log_stream_name=log_stream.log_stream_name,
                ),
            ),
        )
        # Data Firehose tries its rights out when it is made.
        for grant in rights:
            grant.apply_before(self.delivery_stream)
        self.delivery_stream.add_resource_dependency(table.table)
        self.alarms = [*self.transform.alarms, *self._alarms()]
        acknowledge(
            self.delivery_stream,
            {"AwsSolutions-KDF1": "What it buffers is encrypted by its source, a Kinesis stream with its own key."},
        )
        acknowledge(
            self.role,
            {
                f"AwsSolutions-IAM5[Resource::<{_logical(self.transform)}.Arn>:*]": "Data Firehose invokes a function "
                "by its ARN with and without a version; it is this one function.",
            },
        )

    def _grant_delivery(self, lake: IngestionLake, table: IngestionTable) -> iam.Grant:
        bucket = lake.bucket
        glue = iam.Grant.add_to_principal(
            grantee=self.role, actions=["glue:GetTable", "glue:GetTableVersions"], resource_arns=table.resource_arns
        )
        why = "Data Firehose writes new objects below this prefix of one bucket."
        actions = "s3:PutObject", "s3:AbortMultipartUpload"
        events = grant_objects(self.role, bucket, EVENTS_PREFIX, *actions, why=why)
        errors = grant_objects(self.role, bucket, ERRORS_PREFIX, *actions, why=why)
        look = iam.Grant.add_to_principal(
            grantee=self.role,
            actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            resource_arns=[bucket.bucket_arn],
        )
        return glue.combine(events).combine(errors).combine(look)

    def _alarms(self) -> list[cloudwatch.Alarm]:
        minutes = Duration.minutes(5)
        rejected = cloudwatch.Metric(
            namespace="ClassicArchitectures",
            metric_name="EventsRejected",
            dimensions_map={"service": "ingestion-transform", "stream": self.delivery_stream.ref},
            statistic="Sum",
            period=minutes,
        )
        age = cloudwatch.Metric(
            namespace="AWS/Firehose",
            metric_name="DeliveryToS3.DataFreshness",
            dimensions_map={"DeliveryStreamName": self.delivery_stream.ref},
            statistic="Maximum",
            period=minutes,
        )
        return [
            alarm_when(self, "RejectedAlarm", rejected, above=0, says="rejects events: see errors/ in the bucket"),
            alarm_when(self, "FreshnessAlarm", age, above=15 * 60, says="has not delivered for a quarter of an hour"),
        ]


def _logical(function: PythonFunction) -> str:
    resource = function.function.node.default_child
    return str(Stack.of(function).resolve(getattr(resource, "logical_id", "")))


def _firehose_of_this_account(scope: Construct) -> iam.IPrincipal:
    """Data Firehose, when it acts for this account (the confused deputy of another account's delivery stream)."""
    return iam.ServicePrincipal(
        "firehose.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
    )


def _processing(function_arn: str) -> firehose.CfnDeliveryStream.ProcessingConfigurationProperty:
    parameters = {
        "LambdaArn": function_arn,
        "BufferSizeInMBs": str(_TRANSFORM_MB),
        "BufferIntervalInSeconds": str(_TRANSFORM_SECONDS),
        "NumberOfRetries": "3",
    }
    return _Config.ProcessingConfigurationProperty(
        enabled=True,
        processors=[
            _Config.ProcessorProperty(
                type="Lambda",
                parameters=[
                    _Config.ProcessorParameterProperty(parameter_name=name, parameter_value=value)
                    for name, value in parameters.items()
                ],
            )
        ],
    )


def _to_parquet(
    scope: Construct, table: IngestionTable, role: iam.IRole
) -> firehose.CfnDeliveryStream.DataFormatConversionConfigurationProperty:
    stack = Stack.of(scope)
    return _Config.DataFormatConversionConfigurationProperty(
        enabled=True,
        input_format_configuration=_Config.InputFormatConfigurationProperty(
            deserializer=_Config.DeserializerProperty(open_x_json_ser_de=_Config.OpenXJsonSerDeProperty())
        ),
        output_format_configuration=_Config.OutputFormatConfigurationProperty(
            serializer=_Config.SerializerProperty(parquet_ser_de=_Config.ParquetSerDeProperty(compression="SNAPPY"))
        ),
        schema_configuration=_Config.SchemaConfigurationProperty(
            catalog_id=stack.account,
            database_name=table.database_name,
            table_name=table.table_name,
            region=stack.region,
            role_arn=role.role_arn,
            version_id="LATEST",
        ),
    )
