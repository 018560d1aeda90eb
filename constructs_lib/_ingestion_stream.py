"""The stream that takes events in: encrypted with its own key, with alarms on refused writes and late readers."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when

# Records that are larger than a device can send are let in too, so that they are found with their reason and not lost
# at a producer. 4 MiB is 5.4 MiB in base64, which still fits the 6 MB of one invocation of the transform.
_MAX_RECORD_KIB = 4096


class IngestionStream(Construct):
    """A Kinesis data stream, its key, and alarms on throttled writes and on readers that fall behind."""

    def __init__(
        self, scope: Construct, construct_id: str, *, shards: int | None, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self.encryption_key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=removal_policy)
        self.stream = kinesis.Stream(
            self,
            "Stream",
            encryption=kinesis.StreamEncryption.KMS,
            encryption_key=self.encryption_key,
            stream_mode=kinesis.StreamMode.PROVISIONED if shards else kinesis.StreamMode.ON_DEMAND,
            shard_count=shards,
            removal_policy=removal_policy,
        )
        resource = self.stream.node.default_child
        if isinstance(resource, kinesis.CfnStream):
            resource.max_record_size_in_kib = _MAX_RECORD_KIB
        acknowledge(
            self.stream,
            {
                "AwsSolutions-KDS3": "A key of its own lets the key's policy say who reads and writes events; "
                "the key that AWS manages admits the whole account."
            },
        )
        minutes = Duration.minutes(5)
        throttled = self.stream.metric_write_provisioned_throughput_exceeded(period=minutes, statistic="Sum")
        age = self.stream.metric_get_records_iterator_age_milliseconds(period=minutes, statistic="Maximum")
        self.alarms = [
            alarm_when(self, "ThrottledAlarm", throttled, above=0, says="refuses writes: it has too few shards"),
            alarm_when(self, "AgeAlarm", age, above=15 * 60 * 1000, says="is not read for a quarter of an hour"),
        ]

    def grant_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` put records, encrypted with the stream's key; not read them."""
        key = self.encryption_key.grant(grantee, "kms:GenerateDataKey")
        return self.stream.grant(grantee, "kinesis:PutRecord", "kinesis:PutRecords").combine(key)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` read records."""
        key = self.encryption_key.grant(grantee, "kms:Decrypt")
        return self.stream.grant(
            grantee, "kinesis:DescribeStream", "kinesis:GetShardIterator", "kinesis:GetRecords", "kinesis:ListShards"
        ).combine(key)
