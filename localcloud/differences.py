"""What differs here from AWS, as a table."""

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from localcloud import inventory
from localcloud.cdk import DeployableStack
from localcloud.emulator import Ready

_GROUP, _SERVICE = "AWS::AutoScaling::AutoScalingGroup", "AWS::ECS::Service"
_BALANCER, _EDGE = "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::CloudFront::Distribution"
_WHERE_THERE_IS: tuple[tuple[set[str], str, str], ...] = (
    ({"AWS::EC2::VPC"}, "networks", "read back as deployed; no packet is routed, filtered or logged, no tunnel is up"),
    ({_GROUP}, "instances", "processes of this machine, from the user data's package; nothing boots, scales or heals"),
    (
        {_SERVICE},
        "containers",
        "processes of this machine, from the image's folder; images are not built, nothing scales",
    ),
    ({_BALANCER}, "load balancers", "listeners, rules, health checks, draining; no logs, WAF or security groups"),
    ({_BALANCER, _EDGE}, "edge", "a stand-in's cache before load balancers; keeps no errors, fetches the expired anew"),
    ({"AWS::EFS::FileSystem"}, "file systems", "folders of this machine; nothing is mounted, variables lead there"),
    (
        {"AWS::RDS::DBInstance"},
        "databases",
        "a PostgreSQL 17 each, at localhost with TLS; failover restarts it; gone at the end",
    ),
    ({"AWS::Backup::BackupPlan"}, "backup plans", "read back as deployed; nobody keeps to them"),
    (
        {"AWS::ElastiCache::ServerlessCache"},
        "caches",
        "a Redis 6.2 each for Valkey, at localhost with TLS and IAM; one node, no rate limit",
    ),
)
"""(types that a template has, what, how it is here)."""


def render(ready: Ready, stacks: Iterable[DeployableStack], console: Console) -> None:
    """Print the table."""
    table = Table("here", "is", box=SIMPLE_HEAD, title="What differs from AWS", title_justify="left")
    for name, value in rows(ready, stacks):
        table.add_row(name, value)
    console.print(table)


def rows(ready: Ready, stacks: Iterable[DeployableStack]) -> list[tuple[str, str]]:
    """(what, how it is here); the templates are AWS's own, unchanged."""
    stacks = list(stacks)
    recorded = inventory.recorded(stacks, ready)
    told = [
        ("endpoint", f"https://127.0.0.1:{ready.port}: TLS verified, IAM enforced, this machine only"),
        ("functions", f"run on Python {ready.python}, {ready.machine}, as processes of this machine"),
        ("emulator", f"ministack {ready.emulator} with {len(ready.fixes)} fixes (localcloud/fixes)"),
        ("recorded only", ", ".join(recorded) or "no resource: the emulator's API knows each"),
    ]
    types = {each for stack in stacks for each in stack.types}
    return told + [(name, value) for needed, name, value in _WHERE_THERE_IS if needed <= types]
