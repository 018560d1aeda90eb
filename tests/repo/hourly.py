"""What the resources of a template cost while nobody comes: those that are billed by the hour."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.templates import Template, resources

# Dollars an hour, us-east-1, on demand, as AWS's price pages had them in 2026. Storage of databases is by the month.
NAT, ADDRESS, ENDPOINT, VPN, BALANCER, CACHE, STREAM = 0.045, 0.005, 0.01, 0.05, 0.0225, 0.1 * 0.084, 0.04
INSTANCES = {"t4g.small": 0.0168}
NODES = {"dax.t3.small": 0.04}
DATABASES = {"db.t4g.medium": 0.065}
STORAGE_GB = 0.115 / 730
TASK_CPU, TASK_GB = 0.03238, 0.00356
Properties = Mapping[str, Any]


def _balancer(made: Properties) -> float:
    # An address in each of two zones.
    return BALANCER + (2 * ADDRESS if made["Scheme"] == "internet-facing" else 0)


def _database(made: Properties) -> float:
    one = DATABASES[made["DBInstanceClass"]] + int(made["AllocatedStorage"]) * STORAGE_GB
    return one * (2 if made["MultiAZ"] else 1)


PRICES: dict[str, Callable[[Properties], float]] = {
    "AWS::DAX::Cluster": lambda made: NODES[made["NodeType"]] * int(made["ReplicationFactor"]),
    "AWS::EC2::EIP": lambda _: ADDRESS,
    "AWS::EC2::NatGateway": lambda _: NAT,
    "AWS::EC2::VPCEndpoint": lambda made: ENDPOINT * len(made.get("SubnetIds", [])),
    "AWS::EC2::VPNConnection": lambda _: VPN,
    "AWS::ElastiCache::ServerlessCache": lambda _: CACHE,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancer,
    "AWS::Kinesis::Stream": lambda _: STREAM,
    "AWS::RDS::DBInstance": _database,
}


def dollars_a_day(template: Template) -> float:
    """Of everything at its smallest number."""
    each = sum(price(one) for kind, price in PRICES.items() for one in resources(template, kind).values())
    return 24 * (each + _instances(template) + _tasks(template))


def _instances(template: Template) -> float:
    kinds = [one["LaunchTemplateData"] for one in resources(template, "AWS::EC2::LaunchTemplate").values()]
    groups = resources(template, "AWS::AutoScaling::AutoScalingGroup").values()
    prices = [INSTANCES[one["InstanceType"]] for one in kinds]
    return sum(int(one["MinSize"]) * price for one, price in zip(groups, prices, strict=True))


def _tasks(template: Template) -> float:
    counts = [one["MinCapacity"] for one in resources(template, "AWS::ApplicationAutoScaling::ScalableTarget").values()]
    sizes = resources(template, "AWS::ECS::TaskDefinition").values()
    prices = [int(one["Cpu"]) / 1024 * TASK_CPU + int(one["Memory"]) / 1024 * TASK_GB for one in sizes]
    return sum(int(count) * price for count, price in zip(counts, prices, strict=True))
