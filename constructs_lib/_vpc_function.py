"""A function inside a VPC, where it reaches only what its security group lets it reach."""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from constructs_lib._acknowledge import acknowledge
from constructs_lib.python_function import PythonFunction


def move_in(worker: PythonFunction, *, subnet_ids: Sequence[str], group: ec2.ISecurityGroup) -> None:
    """Give a function network interfaces in these subnets, with one security group, and the right to have them.

    Not the L2's ``vpc`` prop, which only a new function takes: whoever connects a function to something in a VPC may
    not be the one who defined it.
    """
    resource = worker.function.node.default_child
    if isinstance(resource, lambda_.CfnFunction):
        resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
            subnet_ids=list(subnet_ids), security_group_ids=[group.security_group_id]
        )
    name = "service-role/AWSLambdaVPCAccessExecutionRole"
    worker.role.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name(name))
    policy = f"arn:<AWS::Partition>:iam::aws:policy/{name}"
    reason = "AWS documents it for functions in a VPC; its actions on network interfaces take no resource."
    acknowledge(worker.role, {f"AwsSolutions-IAM4[Policy::{policy}]": reason})
