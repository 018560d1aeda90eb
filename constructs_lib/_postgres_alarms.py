"""Alarms on a PostgreSQL instance of RDS, with thresholds from what its class has."""

import re
from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_rds as rds
from constructs import Construct

from constructs_lib._alarms import alarm_below, alarm_when

_GIB = 1024**3
# Source: Amazon EC2 instance types: GiB of memory by size, which RDS's classes share; each size above "large" doubles.
_LARGE_GIB = {"t": 8, "m": 8, "r": 16, "c": 4}
_BELOW_LARGE_GIB = {"micro": 1, "small": 2, "medium": 4}
_UNKNOWN_GIB = 1
# Source: Amazon RDS user guide, "Quotas and constraints", PostgreSQL: LEAST({DBInstanceClassMemory/9531392}, 5000).
_BYTES_PER_CONNECTION, _MOST_CONNECTIONS = 9_531_392, 5000
_CPU_PERCENT = 80
_MEMORY_PART, _STORAGE_PART, _CONNECTIONS_PART = 0.05, 0.1, 0.8
# A burstable class earns credits while idle and slows down when it has none.
_FEW_CREDITS = 20
# Source: Amazon RDS user guide, "Common DBA tasks": at 2 billion PostgreSQL stops taking writes; autovacuum should have
# begun to freeze at 200 million.
_MANY_TRANSACTION_IDS = 1_000_000_000
_LAG_SECONDS = 60


def memory_gib(instance_class: str) -> int:
    """GiB of memory of a class such as "t4g.medium"; the least there is when the class is not known."""
    family, _, size = instance_class.partition(".")
    if family.startswith("t") and size in _BELOW_LARGE_GIB:
        return _BELOW_LARGE_GIB[size]
    large = _LARGE_GIB.get(family[:1], 0)
    sized = re.fullmatch(r"(\d*)xlarge", size)
    if not large or not (sized or size == "large"):
        return _UNKNOWN_GIB
    return large * 2 * int(sized[1] or 1) if sized else large


def of_instance(
    scope: Construct, instance: rds.IDatabaseInstance, *, instance_class: str, storage_gb: int
) -> list[cloudwatch.Alarm]:
    """What runs out: processor, memory, storage, connections, credits of a burstable class, transaction ids."""
    memory = memory_gib(instance_class) * _GIB
    connections = min(memory / _BYTES_PER_CONNECTION, _MOST_CONNECTIONS)
    alarms = [
        alarm_when(
            scope,
            "ProcessorAlarm",
            _metric(instance, "CPUUtilization"),
            above=_CPU_PERCENT,
            says="has too little processor",
            periods=3,
        ),
        alarm_below(
            scope,
            "MemoryAlarm",
            _metric(instance, "FreeableMemory"),
            below=round(memory * _MEMORY_PART),
            says="has too little memory",
            periods=3,
        ),
        # For three periods: storage that grows by itself needs some minutes.
        alarm_below(
            scope,
            "StorageAlarm",
            _metric(instance, "FreeStorageSpace"),
            below=round(storage_gb * _GIB * _STORAGE_PART),
            says="has too little storage",
            periods=3,
        ),
        alarm_when(
            scope,
            "ConnectionsAlarm",
            _metric(instance, "DatabaseConnections"),
            above=round(connections * _CONNECTIONS_PART),
            says="has almost no connections left",
        ),
        alarm_when(
            scope,
            "TransactionIdsAlarm",
            _metric(instance, "MaximumUsedTransactionIDs"),
            above=_MANY_TRANSACTION_IDS,
            says="is halfway to refusing writes: vacuum does not keep up",
        ),
    ]
    if instance_class.startswith("t"):
        credit = _metric(instance, "CPUCreditBalance")
        says = "has used up its bursts of processor"
        alarms.append(alarm_below(scope, "CreditsAlarm", credit, below=_FEW_CREDITS, says=says))
    return alarms


def of_replicas(scope: Construct, replicas: Sequence[rds.IDatabaseInstance]) -> list[cloudwatch.Alarm]:
    """How far each is behind."""
    return [
        alarm_when(
            scope,
            f"Lag{number}Alarm",
            _metric(replica, "ReplicaLag"),
            above=_LAG_SECONDS,
            says=f"has a replica {number} that is behind",
            periods=3,
        )
        for number, replica in enumerate(replicas, start=1)
    ]


def _metric(instance: rds.IDatabaseInstance, name: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/RDS",
        metric_name=name,
        dimensions_map={"DBInstanceIdentifier": instance.instance_identifier},
        statistic="Average",
        period=Duration.minutes(5),
    )
