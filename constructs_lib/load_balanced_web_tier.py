"""Load balancer -> instances over several zones: a Python server that heals, scales and is replaced by itself."""

from collections.abc import Mapping

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib import _web_tier
from constructs_lib._application_assets import arn, dependencies_asset, source_asset, url
from constructs_lib._checks import in_range, matches
from constructs_lib._load_balancer import HttpsLoadBalancer, health_checked_targets
from constructs_lib._user_data import Boot, script
from constructs_lib._web_tier_role import let_mount, server_role
from constructs_lib.mounted_file_system import MountedFileSystem
from constructs_lib.python_application import PythonApplication

_MAX_INSTANCES = 100
_MAX_REQUESTS = 1_000_000
# Read by systemd, to which a leading quote and a backslash mean something else (systemd.exec(5), EnvironmentFile).
_VALUE = r"(?!['\"\s])[^\r\n\\]*(?<!\s)"
# Source: Amazon EC2 user guide, "Run commands when you launch an EC2 instance": 16 KB of user data, before it is
# encoded; the rest of the script has its half.
_MAX_ENVIRONMENT_BYTES = 8192


class LoadBalancedWebTier(Construct):
    """A Python application on EC2 instances behind an Application Load Balancer.

    Defines the load balancer (HTTPS, access logs, alarms), an Auto Scaling group over the zones of the VPC, its launch
    template, and a log group. An instance starts from the newest Amazon Linux 2023, installs Python 3.13, fetches the
    application from the stack's assets and runs it as a confined systemd unit; its output goes to the log group by the
    CloudWatch agent. Its metadata are given to sessions alone (IMDSv2, one hop), its disk is encrypted, there is no
    key: Session Manager gets in.

    A deployment replaces instances one by one and waits until each says by ``cfn-signal`` that ``/health`` answers: a
    release that does not start is rolled back while the former one serves. Later on it is the load balancer's health
    check that has an instance replaced.

    Instances need a way out to packages and AWS's APIs (HTTPS): a NAT gateway, and better a gateway endpoint for S3.
    They can reach nothing else until their ``group`` is connected to it.

    Args:
        vpc: The VPC.
        application: What runs.
        certificate: Certificate of the names that lead here, of the stack's region.
        environment: The application's settings beside PORT and AWS_REGION, 8 KB together. No secrets: ARNs of secrets.
        internet_facing: Whether the load balancer has public addresses, else private ones. Default True.
        open: Whether everybody gets in who can reach it: the internet, or the VPC. Default True. Else nobody does,
            until ``front.admit`` says who, as ``EdgeOffload`` does.
        min_capacity: Instances at least, 1-99. Default 2, one in each of two zones.
        max_capacity: Instances at most, more than ``min_capacity`` and up to 100. Default 6.
        instance_type: Left out: t4g.small, or t3.small for an application on x86_64.
        requests_per_instance: Requests a minute and instance that it scales towards, 1-1000000. Default 3000. It also
            scales towards 60 % of the processor, whichever asks for more.
        mounted: A shared file system. Left out: none.
        subnets: Where instances stand. Left out: the private subnets with a way out.
        web_acl_arn: A WAF web ACL (regional) that is asked first. Left out: none.
        removal_policy: RETAIN (default) keeps the access logs and protects the load balancer from deletion.

    Attributes:
        load_balancer: The load balancer.
        listener: Its HTTPS listener.
        target_group: Its servers.
        group: The Auto Scaling group; connect it to what the application uses.
        role: The instances' role; grant it what the application does.
        security_group: The instances' security group.
        front: The load balancer with its listeners and security group.
        access_logs_bucket: The load balancer's logs.
        log_group: The application's logs, kept for a month.
        alarms: Of the load balancer, and on fewer instances than the minimum.

    Raises:
        ValueError: A prop is out of range, or the instance type has another processor than the application.
        BundlingError: The application's dependencies could not be built.

    Example:
        tier = LoadBalancedWebTier(
            stack, "Tier", vpc=vpc, application=application, certificate=certificate, environment={"TABLE": "t"}
        )
        tier.group.connections.allow_to(database, ec2.Port.tcp(5432))
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        application: PythonApplication,
        certificate: acm.ICertificate,
        environment: Mapping[str, str] | None = None,
        internet_facing: bool = True,
        open: bool = True,
        min_capacity: int = 2,
        max_capacity: int = 6,
        instance_type: ec2.InstanceType | None = None,
        requests_per_instance: int = 3000,
        mounted: MountedFileSystem | None = None,
        subnets: ec2.SubnetSelection | None = None,
        web_acl_arn: str | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        in_range("min_capacity", min_capacity, 1, _MAX_INSTANCES - 1)
        # One more than the minimum, or there is no room for a new instance beside those that must serve.
        in_range("max_capacity", max_capacity, min_capacity + 1, _MAX_INSTANCES)
        in_range("requests_per_instance", requests_per_instance, 1, _MAX_REQUESTS)
        variables = {"AWS_REGION": Stack.of(self).region, **(environment or {})}
        _check_environment(variables)
        kind = _web_tier.instance_type(application, instance_type)

        self.log_group = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )
        source, dependencies = source_asset(self, "Source", application), dependencies_asset(self, "Needs", application)
        assets = [source, *([dependencies] if dependencies else [])]
        self.role = server_role(self, "Role", assets=map(arn, assets), log_group=self.log_group)
        self.security_group = _web_tier.security_group(self, vpc)
        boots = ec2.UserData.for_linux()
        template = _web_tier.launch_template(
            self, application=application, kind=kind, role=self.role, group=self.security_group, boots=boots
        )
        self.group = _web_tier.scaling_group(
            self, vpc=vpc, subnets=subnets, template=template, smallest=min_capacity, largest=max_capacity
        )
        boot = Boot(
            package=application.package,
            port=application.port,
            source=url(source),
            dependencies=url(dependencies) if dependencies else None,
            environment=variables,
            log_group=self.log_group.log_group_name,
            region=Stack.of(self).region,
            signal_to=(Stack.of(self).stack_name, _logical_id(self.group)),
            mount=self._mount(mounted) if mounted else None,
            downloads=application.downloads,
        )
        boots.add_commands(script(boot))

        self.target_group = health_checked_targets(
            self, "Targets", vpc=vpc, port=application.port, target_type=elbv2.TargetType.INSTANCE
        )
        self.group.attach_to_application_target_group(self.target_group)
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
        self.group.scale_on_request_count("Requests", target_requests_per_minute=requests_per_instance)
        self.group.scale_on_cpu_utilization("Processor", target_utilization_percent=60)
        self.alarms = [*self.front.alarms, _web_tier.too_few(self, self.group, min_capacity)]

    def _mount(self, mounted: MountedFileSystem) -> tuple[str, str, str, bool]:
        let_mount(self.role, mounted)
        mounted.file_system.connections.allow_default_port_from(self.group, "from a server")
        self.group.node.add_dependency(mounted.file_system.mount_targets_available)
        ids = (mounted.file_system.file_system_id, mounted.access_point.access_point_id)
        return (*ids, mounted.folder, mounted.writable)


def _logical_id(group: autoscaling.AutoScalingGroup) -> str:
    resource = group.node.default_child
    # A name, not a reference: the group already refers to the launch template that this text is in.
    return Stack.of(group).get_logical_id(resource) if isinstance(resource, CfnResource) else ""


def _check_environment(variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        matches("environment", name, r"[A-Z][A-Z0-9_]*", "names of capitals, digits and '_'")
        if name == "PORT":
            raise ValueError("environment: must not have PORT, which is the application's, got it")
        rule = "values on one line without a backslash, and no quote or blank at the ends"
        matches(f"environment ({name})", value, _VALUE, rule)
    size = sum(len(f"{name}={value}\n".encode()) for name, value in variables.items())
    in_range("environment (bytes)", size, 0, _MAX_ENVIRONMENT_BYTES)
