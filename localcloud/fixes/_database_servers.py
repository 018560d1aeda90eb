"""The PostgreSQL servers behind the emulator's DB instances, and the copies behind its snapshots."""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
from typing import TYPE_CHECKING, Any

from localcloud.fixes import _database_events as events
from localcloud.internals import need
from localcloud.stores.home import PortTakenError, free_port, home
from localcloud.stores.postgres import ADDRESS, Postgres, parameters
from localcloud.stores.postgres_settings import FORCE_TLS, takes_restart

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Instance = dict[str, Any]
_FORCES_TLS_SINCE = 15
"""Major version from which rds.force_ssl is 1 unless the group says otherwise (RDS user guide, SSL with PostgreSQL)."""
# RDS API reference, CreateDBInstance: MasterUserPassword.
_PASSWORD = re.compile("[!#-.0-?A-~]{8,128}")
_servers: dict[str, Postgres] = {}
"""By DbiResourceId."""
_copies: dict[str, Path] = {}
"""Data of snapshots, by ARN."""


def concerns(instance: Instance | None) -> bool:
    """Whether there is, or should be, a server of ours behind an instance."""
    return instance is not None and instance.get("Engine") == "postgres" and not instance.get("DBClusterIdentifier")


def server(instance: Instance) -> Postgres:
    """The server of an instance."""
    return _servers[instance["DbiResourceId"]]


def servers_of(group: str) -> list[tuple[Instance, Postgres]]:
    """The instances that a DB parameter group is of, each with its server."""
    instances = need("services.rds", "_instances")._instances.values()
    return [
        (each, _servers[each["DbiResourceId"]])
        for each in instances
        if each["DbiResourceId"] in _servers and _group_of(each) == group
    ]


def check_password(password: str) -> None:
    """Raise ValueError for a master password that RDS refuses."""
    if not _PASSWORD.fullmatch(password):
        raise ValueError(
            "The parameter MasterUserPassword is not a valid password: 8 to 128 printable ASCII characters "
            "besides '/', '@', '\"', ' '"
        )


def give(instance: Instance) -> Postgres:
    """Give an instance a server that does not run yet, and its address."""
    made = _servers[instance["DbiResourceId"]] = Postgres()
    instance["Endpoint"] = {**instance.get("Endpoint", {}), "Address": ADDRESS, "Port": made.port}
    place(instance)
    return made


def launch(instance: Instance, *, snapshot: str = "", source: Instance | None = None) -> None:
    """Start an instance's server, with new data, a snapshot's (ARN) or those of an instance that it replicates."""
    made = server(instance)
    if source:
        made.follow(server(source))
    elif snapshot:
        made.restore(_copies[snapshot])
    else:
        made.initialize()
    configure(instance)
    try:
        made.start()
    except PortTakenError:
        instance["Endpoint"]["Port"] = made.port = free_port()
        configure(instance)
        made.start()
    if snapshot or source:
        return
    made.populate(instance["MasterUsername"], instance["_MasterUserPassword"], instance["DBName"])
    events.record(instance, "creation", "DB instance created")


def pass_through(instance: Instance, status: str, work: Callable[[], None], then: str = "available") -> None:
    """Do something to an instance: `status` meanwhile, `then` after it.

    It takes a fraction of a second, so the call that asks for it waits: boto3's waiters, which look again after half a
    minute only, find the final status when they look first.
    """
    instance["DBInstanceStatus"] = status
    try:
        work()
        instance["DBInstanceStatus"] = then
    except Exception:
        logging.getLogger("rds").exception("%s of %s failed", status, instance["DBInstanceIdentifier"])
        instance["DBInstanceStatus"] = "failed"


def configure(instance: Instance) -> None:
    """Write an instance's settings from its parameter group; what takes a restart waits for one."""
    group = _values(_group_of(instance))
    major = int(str(instance["EngineVersion"]).split(".", maxsplit=1)[0])
    group = {FORCE_TLS: "1" if major >= _FORCES_TLS_SINCE else "0"} | group
    server(instance).configure(group, force_tls=group[FORCE_TLS].lower() in {"1", "on", "true"})


def change_parameters(group: str) -> None:
    """Let running instances have what has changed in their group, as far as it takes no restart."""
    for instance, each in servers_of(group):
        if each.lives:
            configure(instance)
            each.reload()
            if each.sql("SELECT 1 FROM pg_settings WHERE pending_restart"):
                instance["DBParameterGroups"][0]["ParameterApplyStatus"] = "pending-reboot"


def is_static(name: str) -> bool:
    """Whether a parameter takes a restart."""
    return takes_restart(name, parameters())


def restart(instance: Instance, *, failover: bool = False) -> None:
    """Restart an instance's server with the settings of now; a failover changes the zone, and closes no connection."""
    each = server(instance)
    if failover:
        events.record(instance, "failover", "Multi-AZ instance failover started.")
    each.stop(orderly=not failover)
    configure(instance)
    each.start()
    for group in instance["DBParameterGroups"]:
        group["ParameterApplyStatus"] = "in-sync"
    events.record(instance, "availability", "DB instance restarted")
    if failover:
        here, there = instance["AvailabilityZone"], instance["SecondaryAvailabilityZone"]
        instance.update(AvailabilityZone=there, SecondaryAvailabilityZone=here)
        events.record(instance, "failover", "Multi-AZ instance failover completed")


def place(instance: Instance) -> None:
    """Choose an instance's zones from its subnet group: a second one with Multi-AZ alone."""
    subnets = instance.get("DBSubnetGroup", {}).get("Subnets", [])
    zones = sorted({subnet["SubnetAvailabilityZone"]["Name"] for subnet in subnets})
    here = instance.get("AvailabilityZone") or ""
    if zones and here not in zones:
        here = instance["AvailabilityZone"] = zones[0]
    others = [zone for zone in zones if zone != here] or [f"{here[:-1]}{'a' if here[-1] != 'a' else 'b'}"]
    if not instance.get("MultiAZ"):
        instance["SecondaryAvailabilityZone"] = ""
    elif not instance.get("SecondaryAvailabilityZone"):
        instance["SecondaryAvailabilityZone"] = others[0]


def keep(snapshot: Instance, instance: Instance) -> None:
    """Copy the data of an instance for its snapshot."""
    target = home().folder("snapshot") / "data"
    server(instance).backup(target)
    _copies[snapshot["DBSnapshotArn"]] = target
    events.record(instance, "backup", "Finished DB Instance backup")


def forget_copy(snapshot_arn: str) -> None:
    """Remove a snapshot's data."""
    if copy := _copies.pop(snapshot_arn, None):
        shutil.rmtree(copy.parent, ignore_errors=True)


def has_copy(snapshot_arn: str) -> bool:
    """Whether a snapshot has data."""
    return snapshot_arn in _copies


def remove(instance: Instance) -> None:
    """Remove an instance's server; its replicas become instances of their own, as on AWS."""
    rds = need("services.rds", "_instances")
    source = rds._instances.get(instance.get("ReadReplicaSourceDBInstanceIdentifier") or "")
    with contextlib.suppress(ValueError):
        (source or {}).get("ReadReplicaDBInstanceIdentifiers", []).remove(instance["DBInstanceIdentifier"])
    for name in instance.get("ReadReplicaDBInstanceIdentifiers", []):
        if name in rds._instances:
            promote(rds._instances[name])
    if each := _servers.pop(instance["DbiResourceId"], None):
        each.remove()


def promote(replica: Instance) -> None:
    """Make a replica an instance of its own."""
    server(replica).promote()
    replica["ReadReplicaSourceDBInstanceIdentifier"] = ""


def _group_of(instance: Instance) -> str:
    groups = instance.get("DBParameterGroups") or [{}]
    return str(groups[0].get("DBParameterGroupName", ""))


def _values(group: str) -> dict[str, str]:
    groups = need("services.rds", "_param_groups")._param_groups
    given = groups.get(group, {}).get("Parameters", {})
    return {name: str(each["ParameterValue"] if isinstance(each, dict) else each) for name, each in given.items()}
