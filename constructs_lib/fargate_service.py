"""ALB -> ECS Fargate: a server in containers, several of it, in private subnets behind a load balancer."""

from collections.abc import Mapping, Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib import _container, _tasks
from constructs_lib._acknowledge import acknowledge
from constructs_lib._checks import in_range
from constructs_lib._load_balancer import HttpsLoadBalancer, health_checked_targets

_MAX_TASKS = 1000
_MAX_REQUESTS = 1_000_000
# Tokens are not tied to a repository. Source: Service Authorization Reference, "Actions for Amazon ECR".
_SIGN_IN = "ecr:GetAuthorizationToken takes no resource; the role pulls from the repository of its image alone."


class FargateService(Construct):
    """A container image that serves HTTP, kept running and reachable over HTTPS.

    Defines the service and its task definition (not root, read-only root file system, no capabilities, an init
    process, 30 seconds to end in order, logs with retention), a role for what the server does and one for what ECS
    does for it, an Application Load Balancer that speaks HTTPS and logs, health checks of the
    load balancer and of ECS (``GET /health``), scaling on requests and on CPU, alarms, and, unless one is brought, a
    cluster with Container Insights.

    Deployments start new tasks before they end old ones, and go back by themselves when the new ones do not become
    healthy. How many tasks run is up to scaling alone, so a deployment does not change it.

    Tasks get requests from the load balancer and from nobody else, have no public addresses, and reach others over
    HTTPS only: give what else they need a rule with ``connections``.

    Args:
        vpc: The VPC.
        image: The image; its server listens on ``port`` and answers ``GET /health``.
        name: Name of the container: lower case words, digits, "_" and "-".
        certificate: Certificate of the names that lead to the load balancer.
        environment: Variables of the server, no secrets. ``PORT`` is given.
        secrets: Variables whose values are read by ECS when a task starts.
        internet_facing: Whether the load balancer has public addresses, else private ones. Default True.
        open: Whether everybody gets in who can reach it: the internet, or the VPC. Default True. Else nobody does,
            until ``front.admit`` says who, as ``EdgeOffload`` does.
        cluster: A cluster of yours. Left out: a new one.
        subnets: Where tasks stand. Left out: the private subnets with a way out.
        min_tasks: 1-1000. Default 2.
        max_tasks: 1-1000, not fewer than ``min_tasks``. Default 6.
        requests_per_task: Requests per minute that one task should get, before there are more tasks. Default 1000.
        cpu: CPU units of a task, 256, 512, 1024, 2048 or 4096. Default 256.
        memory_mib: Memory of a task in MiB, as Fargate has it for ``cpu``. Default 512.
        port: Where the server listens, 1024-65535. Default 8080.
        user: Uid, or uid:gid, of the server; not root. Default "10001:10001".
        writable_paths: Folders that the server may write to, empty when a task starts. The image must have them, owned
            by ``user`` and declared with VOLUME, or Fargate gives them to root. Default none.
        health_command: How ECS asks a container how it is. Left out: with the image's own Python.
        architecture: "arm64" (default) or "x86_64", of the image.
        log_retention: How long logs are kept. Default one month.
        web_acl_arn: A WAF web ACL in front of the load balancer. Left out: none.
        removal_policy: RETAIN (default) keeps access logs and protects the load balancer from deletion.

    Attributes:
        service: The ECS service.
        cluster: Its cluster.
        role: What the server may do.
        execution_role: What ECS may do for it: pull the image, write logs, read ``secrets``.
        load_balancer: The load balancer.
        listener: Its HTTPS listener.
        front: The load balancer with its listeners and security group.
        access_logs_bucket: Its logs.
        target_group: The tasks that it knows.
        security_group: The tasks' security group.
        connections: To let tasks reach something else.
        log_group: The server's logs.
        alarms: Of the load balancer, and on a busy processor and full memory.

    Raises:
        ValueError: A prop is out of range.

    Example:
        image = ecs.ContainerImage.from_registry("public.ecr.aws/docker/library/python:3.13-slim")
        service = FargateService(stack, "Orders", vpc=vpc, image=image, name="orders", certificate=certificate)
        bucket.grant_read(service.role)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        image: ecs.ContainerImage | ecr_assets.DockerImageAsset,
        name: str,
        certificate: acm.ICertificate,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, ecs.Secret] | None = None,
        internet_facing: bool = True,
        open: bool = True,
        cluster: ecs.ICluster | None = None,
        subnets: ec2.SubnetSelection | None = None,
        min_tasks: int = 2,
        max_tasks: int = 6,
        requests_per_task: int = 1000,
        cpu: int = 256,
        memory_mib: int = 512,
        port: int = 8080,
        user: str = "10001:10001",
        writable_paths: Sequence[str] = (),
        health_command: Sequence[str] | None = None,
        architecture: str = "arm64",
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
        web_acl_arn: str | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        in_range("min_tasks", min_tasks, 1, _MAX_TASKS)
        in_range("max_tasks", max_tasks, min_tasks, _MAX_TASKS)
        in_range("requests_per_task", requests_per_task, 1, _MAX_REQUESTS)
        _container.check(name=name, cpu=cpu, memory_mib=memory_mib, architecture=architecture, port=port)
        _container.check_inside(user=user, writable_paths=writable_paths, environment=environment or {})

        self.cluster = cluster or ecs.Cluster(
            self, "Cluster", vpc=vpc, container_insights_v2=ecs.ContainerInsights.ENABLED
        )
        self.log_group = _container.log_group(self, log_retention)
        task = _container.task_definition(
            self,
            image=ecs.ContainerImage.from_docker_image_asset(image)
            if isinstance(image, ecr_assets.DockerImageAsset)
            else image,
            name=name,
            environment={"PORT": str(port), **(environment or {})},
            secrets=secrets or {},
            writable_paths=writable_paths,
            health_command=health_command,
            user=user,
            port=port,
            cpu=cpu,
            memory_mib=memory_mib,
            architecture=architecture,
            log_group=self.log_group,
        )
        self.role: iam.IRole = task.task_role
        self.execution_role: iam.IRole = task.obtain_execution_role()
        if isinstance(image, ecr_assets.DockerImageAsset | ecs.AssetImage | ecs.EcrImage):
            acknowledge(self.execution_role, {"AwsSolutions-IAM5[Resource::*]": _SIGN_IN})
        self.security_group = _tasks.security_group(self, vpc)
        self.service = _tasks.service(self, cluster=self.cluster, task=task, subnets=subnets, group=self.security_group)
        self.connections = self.service.connections

        self.target_group = health_checked_targets(self, "Targets", vpc=vpc, port=port, target_type=elbv2.TargetType.IP)
        self.front = HttpsLoadBalancer(
            self,
            "LoadBalancer",
            vpc=vpc,
            target_group=self.target_group,
            certificate=certificate,
            internet_facing=internet_facing,
            open=open,
            web_acl_arn=web_acl_arn,
            removal_policy=removal_policy,
        )
        self.load_balancer, self.listener = self.front.load_balancer, self.front.listener
        self.access_logs_bucket = self.front.access_logs_bucket
        self.service.attach_to_application_target_group(self.target_group)
        # ECS refuses a target group that no listener leads to yet.
        self.service.node.add_dependency(self.listener)
        _tasks.scale(
            self.service, self.target_group, low=min_tasks, high=max_tasks, requests_per_task=requests_per_task
        )
        self.alarms = [*self.front.alarms, *_tasks.alarms(self, self.service)]
