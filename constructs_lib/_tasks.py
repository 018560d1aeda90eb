"""The tasks of a container service: where they run, how they are replaced, how many there are, and what is watched."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from constructs_lib._alarms import alarm_when

_HTTPS = 443
_BUSY_PERCENT = 80


def security_group(scope: Construct, vpc: ec2.IVpc) -> ec2.SecurityGroup:
    """The child "SecurityGroup": HTTPS out, to AWS's APIs and other services; in comes who is connected."""
    group = ec2.SecurityGroup(
        scope, "SecurityGroup", vpc=vpc, allow_all_outbound=False, description="Tasks: load balancer in, HTTPS out"
    )
    group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(_HTTPS), "to AWS and other services")
    return group


def service(
    scope: Construct,
    *,
    cluster: ecs.ICluster,
    task: ecs.FargateTaskDefinition,
    subnets: ec2.SubnetSelection | None,
    group: ec2.ISecurityGroup,
) -> ecs.FargateService:
    """The child "Service"; new tasks are healthy before old ones end, or the deployment goes back."""
    made = ecs.FargateService(
        scope,
        "Service",
        cluster=cluster,
        task_definition=task,
        assign_public_ip=False,
        vpc_subnets=subnets or ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        security_groups=[group],
        min_healthy_percent=100,
        max_healthy_percent=200,
        circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        health_check_grace_period=Duration.seconds(60),
        availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
        enable_ecs_managed_tags=True,
        propagate_tags=ecs.PropagatedTagSource.SERVICE,
    )
    resource = made.node.default_child
    if isinstance(resource, ecs.CfnService):
        # Scaling decides; CloudFormation would set it back with every deployment, in the middle of a busy day too.
        resource.add_property_deletion_override("DesiredCount")
    return made


def scale(
    tasks: ecs.FargateService, targets: elbv2.ApplicationTargetGroup, *, low: int, high: int, requests_per_task: int
) -> None:
    """Scale on requests and on the processor, whichever asks for more: out at once, in slowly."""
    count = tasks.auto_scale_task_count(min_capacity=low, max_capacity=high)
    # What was busy a moment ago may be so again.
    calm = Duration.minutes(5)
    count.scale_on_request_count(
        "Requests", requests_per_target=requests_per_task, target_group=targets, scale_in_cooldown=calm
    )
    count.scale_on_cpu_utilization("Processor", target_utilization_percent=60, scale_in_cooldown=calm)


def alarms(scope: Construct, tasks: ecs.FargateService) -> list[cloudwatch.Alarm]:
    """On a busy processor and on full memory."""
    minutes = Duration.minutes(5)
    processor = tasks.metric_cpu_utilization(period=minutes)
    memory = tasks.metric_memory_utilization(period=minutes)
    return [
        alarm_when(scope, "ProcessorAlarm", processor, above=_BUSY_PERCENT, says="has too few tasks", periods=3),
        alarm_when(scope, "MemoryAlarm", memory, above=_BUSY_PERCENT, says="has too little memory", periods=3),
    ]
