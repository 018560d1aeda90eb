"""Stacks that the ingestion adds when asked: ``cdk deploy -c options=redshift,quicksight``."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from constructs_lib import AlarmTopic, BigDataIngestion, QuickSightDataset, RedshiftLoad
from stacks.settings import Settings


class BigDataWarehouse(Stack):
    """Reports -> Redshift Serverless, in a VPC that leads to S3 and nowhere else."""

    def __init__(
        self, scope: Construct, construct_id: str, *, ingestion: BigDataIngestion, settings: Settings, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        isolated = ec2.SubnetConfiguration(name="Warehouse", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        vpc = ec2.Vpc(self, "Vpc", max_azs=3, nat_gateways=0, subnet_configuration=[isolated])
        vpc.add_flow_log("FlowLog")
        vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        warehouse = RedshiftLoad(
            self,
            "Warehouse",
            bucket=ingestion.reports.reports_bucket,
            vpc=vpc,
            subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            removal_policy=settings.removal_policy,
        )
        AlarmTopic(self, "Alarms", email=settings.alarm_email, removal_policy=settings.removal_policy).watch(
            warehouse.alarms
        )


class BigDataDashboards(Stack):
    """Events -> Athena -> a data set of QuickSight."""

    def __init__(
        self, scope: Construct, construct_id: str, *, ingestion: BigDataIngestion, user: str, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        QuickSightDataset(self, "Events", ingestion=ingestion, user=user)


def add_options(stack: Stack, ingestion: BigDataIngestion, settings: Settings) -> None:
    """Define the stacks asked for, beside the ingestion's.

    Raises:
        ValueError: "quicksight" is asked for without ``quicksight_user``.
    """
    scope = stack.node.scope
    if not isinstance(scope, Construct):
        return
    if "redshift" in settings.options:
        name = f"{settings.prefix}BigDataWarehouse"
        BigDataWarehouse(scope, "BigDataWarehouse", ingestion=ingestion, settings=settings, stack_name=name)
    if "quicksight" in settings.options:
        if not settings.quicksight_user:
            raise ValueError(
                "quicksight_user: must be the ARN of a user of QuickSight, got none; give -c quicksight_user"
            )
        name = f"{settings.prefix}BigDataDashboards"
        BigDataDashboards(
            scope, "BigDataDashboards", ingestion=ingestion, user=settings.quicksight_user, stack_name=name
        )
