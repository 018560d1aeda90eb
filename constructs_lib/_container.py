"""The task definition of a container that may do as little as it needs."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._checks import in_range, matches, one_of, unique
from constructs_lib._names import own_name

# Longer than a server takes to finish what it works on; then it is killed.
_STOP_SECONDS = 30
_LONGEST_FAMILY = 100
_MAX_PORT = 65_535
# Source: Amazon ECS developer guide, "Task size" for Fargate: CPU units -> memory in MiB (from, to, step).
_SIZES = {
    256: (512, 2048, 512),
    512: (1024, 4096, 1024),
    1024: (2048, 8192, 1024),
    2048: (4096, 16384, 1024),
    4096: (8192, 30720, 1024),
}
# An image with Python in it needs no other program to ask itself how it is.
ASKS_ITSELF = "import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/health', timeout=2)"


_ARCHITECTURES = {"arm64": ecs.CpuArchitecture.ARM64, "x86_64": ecs.CpuArchitecture.X86_64}


def check(*, name: str, cpu: int, memory_mib: int, architecture: str, port: int) -> None:
    """Raise ValueError unless Fargate has such a container."""
    matches("name", name, r"[a-z][a-z0-9_-]{0,63}", "1 to 64 lower case letters, digits, '_' and '-', a letter first")
    in_range("port", port, 1024, _MAX_PORT)
    one_of("architecture", architecture, _ARCHITECTURES)
    one_of("cpu", str(cpu), [str(size) for size in _SIZES])
    if not _fits(cpu, memory_mib):
        raise ValueError(f"memory_mib: must be one that Fargate has for {cpu} CPU units, got {memory_mib}")


def check_inside(*, user: str, writable_paths: Sequence[str], environment: Mapping[str, str]) -> None:
    """Raise ValueError unless that is what the server may find around it."""
    matches("user", user, r"[1-9]\d{0,9}(:\d{1,10})?", "a uid, or uid:gid, and not root")
    unique("writable_paths", list(writable_paths))
    for path in writable_paths:
        matches("writable_paths", path, r"(/[A-Za-z0-9._-]+)+", "absolute paths of folders")
    if "PORT" in environment:
        raise ValueError("environment: must leave PORT to the prop port, got both")


def _fits(cpu: int, memory_mib: int) -> bool:
    low, high, step = _SIZES[cpu]
    # The smallest processor also takes 512 MiB, 1 GB and 2 GB only.
    known = memory_mib in {512, 1024, 2048} if cpu == min(_SIZES) else memory_mib % step == 0
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
    architecture: str,
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
            cpu_architecture=_ARCHITECTURES[architecture], operating_system_family=ecs.OperatingSystemFamily.LINUX
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
    # Each belongs to root but where the image says otherwise (source: Amazon ECS developer guide, "Use bind mounts").
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
