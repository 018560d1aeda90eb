"""The file system that servers hand releases out from, in every zone."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib import MountedFileSystem

FOLDER = "/mnt/releases"
# Whoever comes through the access point is this user, who owns all there is.
_USER = "1500"


class ReleaseFiles(Construct):
    """An encrypted file system, backed up every day, whose only door is an access point to ``/releases``.

    Everybody comes over TLS and says who they are: the policy refuses the first, and gives nobody anything, so only
    roles that were granted it get in. What is not read for a month moves to a cheaper class, and back when it is.

    Attributes:
        file_system: The file system; connect to it who may reach it.
        access_point: The access point.
        mounted: As servers see it, read-only.
    """

    def __init__(self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, removal_policy: RemovalPolicy) -> None:
        super().__init__(scope, construct_id)
        group = ec2.SecurityGroup(
            self, "Targets", vpc=vpc, allow_all_outbound=False, description="Mount targets: from whom is connected"
        )
        self.file_system = efs.FileSystem(
            self,
            "FileSystem",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            security_group=group,
            encrypted=True,
            enable_automatic_backups=True,
            throughput_mode=efs.ThroughputMode.ELASTIC,
            lifecycle_policy=efs.LifecyclePolicy.AFTER_30_DAYS,
            out_of_infrequent_access_policy=efs.OutOfInfrequentAccessPolicy.AFTER_1_ACCESS,
            removal_policy=removal_policy,
            # Or the CDK lets whoever may mount write as well. A policy that allows nothing lets in who was granted it.
            # Source: Amazon EFS user guide, "Using IAM to control access to file systems".
            allow_anonymous_access=True,
            file_system_policy=iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        sid="RefuseWithoutTls",
                        effect=iam.Effect.DENY,
                        principals=[iam.AnyPrincipal()],
                        actions=["*"],
                        conditions={"Bool": {"aws:SecureTransport": "false"}},
                    )
                ]
            ),
        )
        self.access_point = self.file_system.add_access_point(
            "Releases",
            path="/releases",
            create_acl=efs.Acl(owner_uid=_USER, owner_gid=_USER, permissions="755"),
            posix_user=efs.PosixUser(uid=_USER, gid=_USER),
        )
        self.mounted = MountedFileSystem(file_system=self.file_system, access_point=self.access_point, folder=FOLDER)
