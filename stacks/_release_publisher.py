"""How a release gets to the servers: uploaded to a bucket, checked, and put on the shared file system."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib import FunctionTarget, PythonFunction, QueueWithDlq
from constructs_lib._alarms import alarm_when
from constructs_lib._buckets import access_log_bucket, private_bucket
from constructs_lib._notifications import queue_created
from constructs_lib._object_rights import grant_objects
from constructs_lib._vpc_function import move_in
from stacks._release_files import FOLDER, ReleaseFiles

UPLOADS, REJECTED, MANIFEST = "releases/", "rejected/", "manifest.json"
_TIMEOUT = Duration.minutes(2)
_VISIBILITY = Duration.minutes(12)


class ReleasePublisher(Construct):
    """A bucket of releases, and the function that publishes those whose manifest arrives.

    Files go to ``releases/<version>/<file>``, and last ``releases/<version>/manifest.json``. What cannot be published
    is told with its reason at ``rejected/`` and the manifest's key; what fails otherwise is tried again, and ends among
    the dead letters. A rejection stays for 90 days, also when the release is mended and published: its date tells which
    upload it is about.

    Attributes:
        bucket: Where releases are uploaded.
        queue: What waits to be published.
        uploader: The role of whoever uploads; it reads the rejections, too.
        alarms: Of queue and function, and on rejected releases.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        files: ReleaseFiles,
        target: FunctionTarget,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        logs = access_log_bucket(self, "AccessLogs", removal_policy=removal_policy)
        forget = s3.LifecycleRule(id="ForgetRejections", prefix=REJECTED, expiration=Duration.days(90))
        older = s3.LifecycleRule(id="ExpireOldVersions", noncurrent_version_expiration=Duration.days(30))
        self.bucket = private_bucket(
            self,
            "Bucket",
            removal_policy=removal_policy,
            versioned=True,
            lifecycle_rules=[forget, older],
            logs_to=logs,
        )
        publisher = PythonFunction(
            self,
            "Function",
            package="release_publisher",
            target=target,
            timeout=_TIMEOUT,
            memory_mb=512,
            environment={"RELEASES_ROOT": FOLDER},
        )
        self._mount(publisher, vpc, files)
        self._grant(publisher.role)
        self.queue = QueueWithDlq(self, "Uploaded", visibility_timeout=_VISIBILITY)
        self.queue.add_consumer(publisher.function, batch_size=1, max_concurrency=2)
        queue_created(self, self.bucket, self.queue.queue, prefix=UPLOADS, suffix=f"/{MANIFEST}")
        self.uploader = iam.Role(
            self, "Uploader", assumed_by=iam.AccountPrincipal(Stack.of(self).account), description="Makes releases"
        )
        self._grant_upload()
        self.alarms = [*self.queue.alarms, *publisher.alarms, self._rejections()]

    def _mount(self, publisher: PythonFunction, vpc: ec2.IVpc, files: ReleaseFiles) -> None:
        group = ec2.SecurityGroup(
            self, "Access", vpc=vpc, allow_all_outbound=False, description="The function that publishes releases"
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "to S3 by the VPC's endpoint")
        files.file_system.connections.allow_default_port_from(group, "from the function that publishes")
        private = vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
        move_in(publisher, subnet_ids=private.subnet_ids, group=group)
        resource = publisher.function.node.default_child
        if isinstance(resource, lambda_.CfnFunction):
            resource.file_system_configs = [
                lambda_.CfnFunction.FileSystemConfigProperty(
                    arn=files.access_point.access_point_arn, local_mount_path=FOLDER
                )
            ]
        publisher.function.node.add_dependency(files.file_system.mount_targets_available)
        publisher.role.add_to_policy(
            iam.PolicyStatement(
                actions=["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
                resources=[files.file_system.file_system_arn],
                conditions={"StringEquals": {"elasticfilesystem:AccessPointArn": files.access_point.access_point_arn}},
            )
        )

    def _grant(self, role: iam.Role) -> None:
        reads = "Releases have names of their makers' choice; it reads what is uploaded."
        grant_objects(role, self.bucket, UPLOADS, "s3:GetObject", why=reads)
        writes = "Each rejection stands at its release's key."
        grant_objects(role, self.bucket, REJECTED, "s3:PutObject", why=writes)
        # Without it S3 does not tell a file that is not there from one that may not be seen.
        role.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.bucket.bucket_arn]))

    def _grant_upload(self) -> None:
        releases = "Whoever makes releases gives them their versions and files their names."
        grant_objects(self.uploader, self.bucket, UPLOADS, "s3:PutObject", why=releases)
        told = "Each rejection stands at its release's key."
        grant_objects(self.uploader, self.bucket, REJECTED, "s3:GetObject", why=told)
        self.uploader.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.bucket.bucket_arn]))

    def _rejections(self) -> cloudwatch.Alarm:
        rejected = cloudwatch.Metric(
            namespace="ClassicArchitectures",
            metric_name="ReleasesRejected",
            dimensions_map={"service": "release-publisher"},
            statistic="Sum",
            period=Duration.minutes(5),
        )
        return alarm_when(self, "RejectedAlarm", rejected, above=0, says="rejected a release")
