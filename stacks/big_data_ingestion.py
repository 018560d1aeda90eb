"""Big data ingestion: what devices send is checked, kept as Parquet, asked by SQL and reported on by the hour."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib import AlarmTopic
from constructs_lib import BigDataIngestion as Pipeline
from stacks._big_data_options import add_options
from stacks.scenario import Scenario
from stacks.settings import Settings


class BigDataIngestion(Stack):
    """1 devices -> 2 rule -> stream -> 3 Data Firehose -> 4 bucket -> 5 queue -> function -> 6 Athena -> 7 reports."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # 1-7 The pipeline.
        self.ingestion = Pipeline(
            self,
            "Ingestion",
            # Rules of two stacks in one account must not hear the same devices.
            topic_prefix=f"{settings.prefix}fleet",
            target=settings.target,
            removal_policy=settings.removal_policy,
        )
        # 1 A gateway puts many events at once straight into the stream.
        producer = iam.Role(self, "Producer", assumed_by=iam.AccountPrincipal(self.account))
        self.ingestion.grant_produce(producer)
        # 6, 7 An analyst asks and reads reports; nobody else does.
        analyst = iam.Role(self, "Analyst", assumed_by=iam.AccountPrincipal(self.account))
        self.ingestion.reports.grant_query(analyst)
        self.ingestion.reports.grant_read_reports(analyst)
        alarms = AlarmTopic(self, "Alarms", email=settings.alarm_email, removal_policy=settings.removal_policy)
        alarms.watch(self.ingestion.alarms)

        # 8 Warehouse and dashboards bill while nobody uses them: stacks of their own, when asked for.
        add_options(self, self.ingestion, settings)

        fleet, reports = self.ingestion.fleet, self.ingestion.reports
        CfnOutput(self, "DevicePolicyName", value=fleet.policy.ref, description="For each device's certificate")
        CfnOutput(
            self, "TopicPrefix", value=fleet.topic_prefix, description="Devices publish to <it>/<thing>/telemetry"
        )
        CfnOutput(self, "StreamName", value=self.ingestion.stream.stream_name)
        CfnOutput(self, "EventsBucketName", value=self.ingestion.bucket.bucket_name, description="events/ and errors/")
        CfnOutput(self, "DatabaseName", value=self.ingestion.table.database_name)
        CfnOutput(self, "TableName", value=self.ingestion.table.table_name)
        CfnOutput(self, "WorkGroupName", value=reports.workgroup.ref)
        CfnOutput(self, "ReportsBucketName", value=reports.reports_bucket.bucket_name)
        CfnOutput(self, "DeadLetterQueueUrl", value=reports.queue.dead_letter_queue.queue_url)
        CfnOutput(self, "QueueUrl", value=reports.queue.queue.queue_url)
        CfnOutput(self, "ProducerRoleArn", value=producer.role_arn)
        CfnOutput(self, "AnalystRoleArn", value=analyst.role_arn)


SCENARIO = Scenario(
    key="big-data-ingestion",
    stack=BigDataIngestion,
    summary="MQTT -> IoT rule -> Kinesis -> Firehose -> Parquet in S3 -> Athena -> reports in S3",
    source="seed 000, big data ingestion",
)
