"""What a server of a web tier may do before it is given anything: fetch itself, write its log, be repaired."""

from collections.abc import Iterable

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._buckets import flat
from constructs_lib.mounted_file_system import MountedFileSystem

# What the agent needs for a session, and no more: the managed policy that AWS documents also reads every parameter of
# the account. The four take no resource (source: Service Authorization Reference, "Amazon Message Gateway Service").
_SESSIONS = (
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)


def server_role(scope: Construct, construct_id: str, *, assets: Iterable[str], log_group: logs.ILogGroup) -> iam.Role:
    """The role of the instances.

    Args:
        scope: Where it belongs.
        construct_id: Its id.
        assets: ARNs of the objects that an instance fetches.
        log_group: Where it writes its log.
    """
    role = iam.Role(scope, construct_id, assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    log_group.grant_write(role)
    stack = Stack.of(scope)
    itself = stack.format_arn(service="ec2", resource="instance", resource_name="*")
    for actions, resources in (
        (["s3:GetObject"], list(assets)),
        (["ssm:UpdateInstanceInformation"], [itself]),
        (list(_SESSIONS), ["*"]),
    ):
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
    acknowledge(
        role,
        {
            "AwsSolutions-IAM5[Resource::*]": "Session Manager's channels take no resource; they replace SSH keys.",
            f"AwsSolutions-IAM5[Resource::{flat(stack.resolve(itself))}]": "An instance's id is not known before it "
            "starts; what it may tell Systems Manager is that it is there.",
        },
    )
    return role


def let_mount(role: iam.IRole, mounted: MountedFileSystem) -> None:
    """Let a role mount the file system through its access point, and no other way."""
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=list(mounted.actions),
            resources=[mounted.file_system.file_system_arn],
            conditions={"StringEquals": {"elasticfilesystem:AccessPointArn": mounted.access_point.access_point_arn}},
        )
    )
