"""The task definition of a container that may do as little as it needs."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._names import own_name

# Longer than a server takes to finish what it works on; then it is killed.
_STOP_SECONDS = 30
_LONGEST_FAMILY = 100
# Source: Amazon ECS developer guide, "Task size" for Fargate: CPU units -> memory in MiB (from, to, step).
SIZES = {
    256: (512, 2048, 512),
    512: (1024, 4096, 1024),
    1024: (2048, 8192, 1024),
    2048: (4096, 16384, 1024),
    4096: (8192, 30720, 1024),
}
# An image with Python in it needs no other program to ask itself how it is.
ASKS_ITSELF = "import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/health', timeout=2)"


def fits(cpu: int, memory_mib: int) -> bool:
    """Whether Fargate has tasks of this size."""
    low, high, step = SIZES[cpu]
    # The smallest processor also takes 512 MiB, 1 GB and 2 GB only.
    known = memory_mib in {512, 1024, 2048} if cpu == min(SIZES) else memory_mib % step == 0
    return low <= memory_mib <= high and known


def task_definition(
    scope: Construct,
    *,
    image: ecs.ContainerImage,
    name: str,
    environment: Mapping[str, str],
    secrets: Mapping[str, ecs.Secret],
    writable_paths: Sequence[str],
    health_command: Sequence[str] | None,
    user: str,
    port: int,
    cpu: int,
    memory_mib: int,
    architecture: ecs.CpuArchitecture,
    log_group: logs.ILogGroup,
) -> ecs.FargateTaskDefinition:
    """The child "Task": one container, not as root, with a root file system that it cannot write to."""
    task = ecs.FargateTaskDefinition(
        scope,
        "Task",
        # The CDK's own would be the same in a cloned stack, and revisions of both would be one series.
        family=own_name(scope, longest=_LONGEST_FAMILY),
        cpu=cpu,
        memory_limit_mib=memory_mib,
        runtime_platform=ecs.RuntimePlatform(
            cpu_architecture=architecture, operating_system_family=ecs.OperatingSystemFamily.LINUX
        ),
    )
    # An init process passes TERM on and buries what died; Fargate lets capabilities be dropped.
    linux = ecs.LinuxParameters(scope, "Linux", init_process_enabled=True)
    linux.drop_capabilities(ecs.Capability.ALL)
    command = health_command or ["CMD", "python", "-c", ASKS_ITSELF.format(port=port)]
    container = task.add_container(
        name,
        image=image,
        container_name=name,
        environment=dict(environment),
        secrets=dict(secrets),
        user=user,
        privileged=False,
        readonly_root_filesystem=True,
        linux_parameters=linux,
        stop_timeout=Duration.seconds(_STOP_SECONDS),
        port_mappings=[ecs.PortMapping(container_port=port, protocol=ecs.Protocol.TCP)],
        health_check=ecs.HealthCheck(
            command=list(command),
            interval=Duration.seconds(10),
            timeout=Duration.seconds(5),
            retries=3,
            start_period=Duration.seconds(30),
        ),
        # A server must not wait for its log; what does not fit into the buffer is dropped.
        logging=ecs.LogDriver.aws_logs(stream_prefix=name, log_group=log_group, mode=ecs.AwsLogDriverMode.NON_BLOCKING),
    )
    for number, path in enumerate(writable_paths):
        volume = f"writable-{number}"
        task.add_volume(name=volume)
        container.add_mount_points(ecs.MountPoint(container_path=path, source_volume=volume, read_only=False))
    if environment:
        acknowledge(task, {"AwsSolutions-ECS2": "These are settings; secrets are given by reference, and apart."})
    return task


def log_group(scope: Construct, retention: logs.RetentionDays) -> logs.LogGroup:
    """The child "Logs"; logs can be lost without harm to the data, so they leave with the stack."""
    return logs.LogGroup(scope, "Logs", retention=retention, removal_policy=RemovalPolicy.DESTROY)
