"""The instances of a web tier: launch template, Auto Scaling group, security group, and what is watched."""

from aws_cdk import Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib.python_application import PythonApplication

_HTTPS = 443
_ROOT_GIB = 10
# Booting, packages and the application's start, on a small instance.
_GRACE = Duration.minutes(5)
_SIGNAL_WITHIN = Duration.minutes(15)
_DEFAULT_TYPES = {"arm64": "t4g.small", "x86_64": "t3.small"}
_ARCHITECTURES = {"arm64": ec2.InstanceArchitecture.ARM_64, "x86_64": ec2.InstanceArchitecture.X86_64}


def instance_type(application: PythonApplication, given: ec2.InstanceType | None) -> ec2.InstanceType:
    """The type, checked against the processor that the application is built for.

    Raises:
        ValueError: They differ.
    """
    kind = given or ec2.InstanceType(_DEFAULT_TYPES[application.architecture])
    if kind.architecture != _ARCHITECTURES[application.architecture]:
        got = f"{kind.to_string()} for an application on {application.architecture}"
        raise ValueError(f"instance_type: must have the application's processor, got {got}")
    return kind


def security_group(scope: Construct, vpc: ec2.IVpc) -> ec2.SecurityGroup:
    """The child "Servers": HTTPS out, to packages and AWS's APIs; in comes who is connected."""
    group = ec2.SecurityGroup(
        scope, "Servers", vpc=vpc, allow_all_outbound=False, description="Servers: from the load balancer alone"
    )
    group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(_HTTPS), "to packages and AWS APIs")
    return group


def launch_template(
    scope: Construct,
    *,
    application: PythonApplication,
    kind: ec2.InstanceType,
    role: iam.IRole,
    group: ec2.ISecurityGroup,
    boots: ec2.UserData,
) -> ec2.LaunchTemplate:
    """The child "Template"; the image's id is looked up at every deployment, so a deployment brings the newest."""
    image = f"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{application.architecture}"
    root = ec2.BlockDeviceVolume.ebs(_ROOT_GIB, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3)
    return ec2.LaunchTemplate(
        scope,
        "Template",
        machine_image=ec2.MachineImage.from_ssm_parameter(image),
        user_data=boots,
        instance_type=kind,
        role=role,
        security_group=group,
        block_devices=[ec2.BlockDevice(device_name="/dev/xvda", volume=root)],
        http_tokens=ec2.LaunchTemplateHttpTokens.REQUIRED,
        http_put_response_hop_limit=1,
        detailed_monitoring=True,
    )


def scaling_group(
    scope: Construct,
    *,
    vpc: ec2.IVpc,
    subnets: ec2.SubnetSelection | None,
    template: ec2.LaunchTemplate,
    smallest: int,
    largest: int,
) -> autoscaling.AutoScalingGroup:
    """The child "Group"."""
    group = autoscaling.AutoScalingGroup(
        scope,
        "Group",
        vpc=vpc,
        vpc_subnets=subnets or ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        launch_template=template,
        min_capacity=smallest,
        max_capacity=largest,
        health_checks=autoscaling.HealthChecks.with_additional_checks(
            additional_types=[autoscaling.AdditionalHealthCheckType.ELB], grace_period=_GRACE
        ),
        default_instance_warmup=Duration.minutes(2),
        group_metrics=[autoscaling.GroupMetrics.all()],
        signals=autoscaling.Signals.wait_for_min_capacity(timeout=_SIGNAL_WITHIN),
        update_policy=autoscaling.UpdatePolicy.rolling_update(
            min_instances_in_service=smallest, max_batch_size=1, pause_time=_SIGNAL_WITHIN
        ),
    )
    acknowledge(
        group,
        {"AwsSolutions-AS3": "Scaling is its daily work; alarms tell people when instances are too few or unhealthy."},
    )
    return group


def too_few(scope: Construct, group: autoscaling.AutoScalingGroup, smallest: int) -> cloudwatch.Alarm:
    """The child "TooFewAlarm": fewer instances in service than there must be, for 10 minutes."""
    in_service = cloudwatch.Metric(
        namespace="AWS/AutoScaling",
        metric_name="GroupInServiceInstances",
        dimensions_map={"AutoScalingGroupName": group.auto_scaling_group_name},
        statistic="Minimum",
        period=Duration.minutes(1),
    )
    return cloudwatch.Alarm(
        scope,
        "TooFewAlarm",
        metric=in_service,
        threshold=smallest,
        comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        evaluation_periods=10,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=f"{scope.node.path} has fewer than {smallest} servers",
    )
