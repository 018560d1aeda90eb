"""What an instance that has a server is told while it lives: to stop, to start, to fail over, to stand alone."""

from functools import partial
from typing import Any

from localcloud.fixes import _database_events as events
from localcloud.fixes import _database_servers as servers
from localcloud.fixes._database_calls import Calls, Parameters, RefusedError, action


class States(Calls):
    """Actions that lead from one state to another."""

    @action("StopDBInstance")
    def stop(self, p: Parameters) -> Any:
        """StopDBInstance."""
        instance = self._of(p)
        if instance is None:
            return self._before(p)
        self._expect(instance, "available")
        if instance["ReadReplicaDBInstanceIdentifiers"] or instance.get("ReadReplicaSourceDBInstanceIdentifier"):
            message = "You cannot stop a DB instance that is a read replica or has one."
            raise RefusedError("InvalidDBInstanceState", message)

        def stopped() -> None:
            servers.server(instance).stop()
            events.record(instance, "notification", "DB instance stopped")

        return self._done("StopDBInstance", instance, "stopping", stopped, then="stopped")

    @action("StartDBInstance")
    def start(self, p: Parameters) -> Any:
        """StartDBInstance."""
        instance = self._of(p)
        if instance is None:
            return self._before(p)
        self._expect(instance, "stopped")

        def started() -> None:
            servers.configure(instance)
            servers.server(instance).start()
            events.record(instance, "notification", "DB instance started")

        return self._done("StartDBInstance", instance, "starting", started)

    @action("RebootDBInstance")
    def reboot(self, p: Parameters) -> Any:
        """RebootDBInstance."""
        instance = self._of(p)
        if instance is None:
            return self._before(p)
        failover = self._get(p, "ForceFailover") == "true"
        if failover and not instance["MultiAZ"]:
            message = "Reboot with failover is for Multi-AZ DB instances."
            raise RefusedError("InvalidParameterCombination", message)
        self._expect(instance, "available")
        restart = partial(servers.restart, instance, failover=failover)
        return self._done("RebootDBInstance", instance, "rebooting", restart)

    @action("PromoteReadReplica")
    def promote(self, p: Parameters) -> Any:
        """PromoteReadReplica."""
        replica = self._of(p)
        if replica is None:
            raise RefusedError("DBInstanceNotFound", f"DBInstance {self._get(p, 'DBInstanceIdentifier')} not found.")
        if not replica.get("ReadReplicaSourceDBInstanceIdentifier"):
            raise RefusedError("InvalidDBInstanceState", "DB Instance is not a read replica.")
        source = self._rds._resolve_instance(replica["ReadReplicaSourceDBInstanceIdentifier"])
        source["ReadReplicaDBInstanceIdentifiers"].remove(replica["DBInstanceIdentifier"])
        return self._done("PromoteReadReplica", replica, "modifying", lambda: servers.promote(replica))
