"""A VPC's traffic, written into a log group."""

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct


def write_down(scope: Construct, vpc: ec2.Vpc, group: logs.ILogGroup, traffic: ec2.FlowLogTrafficType) -> None:
    """The flow log "FlowLog" of the VPC, and the child "FlowLogRole" of ``scope``, which writes into this group alone.

    Only flow logs of this account and region take on the role; the CDK's own lets those of anybody who knows its name
    (source: Amazon VPC user guide, "IAM role for publishing flow logs to CloudWatch Logs", confused deputy).
    """
    stack = Stack.of(scope)
    ours = stack.format_arn(service="ec2", resource="vpc-flow-log", resource_name="*")
    role = iam.Role(
        scope,
        "FlowLogRole",
        assumed_by=iam.ServicePrincipal(
            "vpc-flow-logs.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {"aws:SourceArn": ours},
            },
        ),
    )
    vpc.add_flow_log(
        "FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(group, role), traffic_type=traffic
    )
