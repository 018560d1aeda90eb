"""What the tests of the database construct share: stacks with one, in a network of its own or a brought one."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from constructs_lib import PostgresDatabase, TieredNetwork
from tests.templates import Template, bare_stack, synthesized

INSTANCE, GROUP, INGRESS = "AWS::RDS::DBInstance", "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"
EGRESS, SECRET, PERMISSION = "AWS::EC2::SecurityGroupEgress", "AWS::SecretsManager::Secret", "AWS::Lambda::Permission"
FUNCTION, VAULT, PLAN = "AWS::Lambda::Function", "AWS::Backup::BackupVault", "AWS::Backup::BackupPlan"
ALARM, POLICY, SCHEDULE = "AWS::CloudWatch::Alarm", "AWS::IAM::Policy", "AWS::SecretsManager::RotationSchedule"


def vpc(stack: cdk.Stack) -> ec2.IVpc:
    """A network of the stack, one for all its databases."""
    found = stack.node.try_find_child("Network")
    return (found if isinstance(found, TieredNetwork) else TieredNetwork(stack, "Network")).vpc


def make(stack: cdk.Stack, construct_id: str = "Data", **props: Any) -> PostgresDatabase:
    """A database that a server was let into."""
    network = props.pop("vpc", None) or vpc(stack)
    made = PostgresDatabase(stack, construct_id, vpc=network, **props)
    server = iam.Role(stack, f"{construct_id}Server", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    group = ec2.SecurityGroup(stack, f"{construct_id}Servers", vpc=network, allow_all_outbound=False)
    made.grant_connect(server, group)
    return made


def database(**props: Any) -> Template:
    """The template of a stack with one."""
    stack = bare_stack()
    make(stack, **props)
    return synthesized(stack)
