"""The actions of RDS's API around the emulator's own ones, for instances that have a server."""

from collections.abc import Callable
from functools import partial
from typing import Any

from localcloud.fixes import _database_events as events
from localcloud.fixes import _database_servers as servers
from localcloud.fixes._database_servers import Instance

Parameters = dict[str, Any]
Handler = Callable[[Parameters], Any]
_OK = 200


class RefusedError(Exception):
    """An answer to a call that is refused: code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _action(name: str) -> Callable[[Any], Any]:
    def marked(method: Any) -> Any:
        method.action = name
        return method

    return marked


class Actions:
    """The API's actions around the emulator's own ones.

    Args:
        rds: the emulator's module.
        before: its own handler of the action; None when it has none.
    """

    def __init__(self, rds: Any, before: Handler | None) -> None:
        self._rds = rds
        self._before: Handler = before or (lambda _parameters: None)

    @_action("CreateDBInstance")
    def create(self, p: Parameters) -> Any:
        """CreateDBInstance."""
        if self._get(p, "Engine") == "postgres" and not self._get(p, "DBClusterIdentifier"):
            self._check_password(self._get(p, "MasterUserPassword"))
        answer = self._before(p)
        instance = self._made(answer, p)
        if instance is None:
            return answer
        instance["DBName"] = self._get(p, "DBName")
        instance["EnabledCloudwatchLogsExports"] = self._rds._parse_member_list(p, "EnableCloudwatchLogsExports")
        return self._launched("CreateDBInstance", instance)

    @_action("RestoreDBInstanceFromDBSnapshot")
    def restore(self, p: Parameters) -> Any:
        """RestoreDBInstanceFromDBSnapshot."""
        snapshot = self._rds._snapshots.get(self._get(p, "DBSnapshotIdentifier"))
        answer = self._before(p)
        instance = self._made(answer, p)
        if instance is None:
            return answer
        group = self._rds._subnet_groups.get(self._get(p, "DBSubnetGroupName"))
        instance["DBSubnetGroup"] = group or instance["DBSubnetGroup"]
        listed = self._rds._parse_member_list(p, "VpcSecurityGroupIds")
        instance["VpcSecurityGroups"] = [{"VpcSecurityGroupId": each, "Status": "active"} for each in listed]
        if name := self._get(p, "DBParameterGroupName"):
            instance["DBParameterGroups"][0]["DBParameterGroupName"] = name
        instance["DeletionProtection"] = self._get(p, "DeletionProtection") == "true"
        instance["KmsKeyId"] = snapshot["KmsKeyId"]
        instance["_MasterUserPassword"] = snapshot["_MasterUserPassword"]
        return self._launched("RestoreDBInstanceFromDBSnapshot", instance, snapshot=snapshot["DBSnapshotArn"])

    @_action("CreateDBInstanceReadReplica")
    def replicate(self, p: Parameters) -> Any:
        """CreateDBInstanceReadReplica."""
        source = self._of(p, "SourceDBInstanceIdentifier")
        if source:
            self._expect(source, "available")
            if not source["BackupRetentionPeriod"]:
                message = "Automated backups are not enabled for this database instance."
                raise RefusedError("InvalidDBInstanceState", message)
        answer = self._before(p)
        instance = self._made(answer, p)
        if instance is None:
            return answer
        instance.update(MultiAZ=self._get(p, "MultiAZ") == "true", SecondaryAvailabilityZone="")
        instance["AvailabilityZone"] = self._get(p, "AvailabilityZone") or instance["AvailabilityZone"]
        instance["DBInstanceClass"] = self._get(p, "DBInstanceClass") or instance["DBInstanceClass"]
        instance["DBParameterGroups"] = [dict(each) for each in instance["DBParameterGroups"]]
        return self._launched("CreateDBInstanceReadReplica", instance, source=source)

    @_action("PromoteReadReplica")
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

    @_action("StopDBInstance")
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

    @_action("StartDBInstance")
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

    @_action("RebootDBInstance")
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

    @_action("ModifyDBInstance")
    def modify(self, p: Parameters) -> Any:
        """ModifyDBInstance."""
        instance = self._of(p)
        if instance is None:
            return self._before(p)
        self._expect(instance, "available")
        if password := self._get(p, "MasterUserPassword"):
            self._check_password(password)
        answer = self._before(p)
        servers.place(instance)
        return self._told("ModifyDBInstance", instance) if answer[0] == _OK else answer

    @_action("DeleteDBInstance")
    def delete(self, p: Parameters) -> Any:
        """DeleteDBInstance."""
        instance = self._of(p)
        if instance and not instance.get("ReadReplicaSourceDBInstanceIdentifier"):
            skipped, named = self._get(p, "SkipFinalSnapshot") == "true", self._get(p, "FinalDBSnapshotIdentifier")
            if skipped == bool(named):
                message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
                raise RefusedError("InvalidParameterCombination", message)
        answer = self._before(p)
        if instance and answer[0] == _OK:
            servers.remove(instance)
        return answer

    @_action("DeleteDBSnapshot")
    def delete_snapshot(self, p: Parameters) -> Any:
        """DeleteDBSnapshot."""
        snapshot = self._rds._snapshots.get(self._get(p, "DBSnapshotIdentifier"))
        answer = self._before(p)
        if snapshot:
            servers.forget_copy(snapshot["DBSnapshotArn"])
        return answer

    @_action("ModifyDBParameterGroup")
    def modify_parameters(self, p: Parameters) -> Any:
        """ModifyDBParameterGroup."""
        answer = self._before(p)
        servers.change_parameters(self._get(p, "DBParameterGroupName"))
        return answer

    @_action("ResetDBParameterGroup")
    def reset_parameters(self, p: Parameters) -> Any:
        """ResetDBParameterGroup."""
        return self.modify_parameters(p)

    def _get(self, p: Parameters, name: str) -> str:
        return str(self._rds._p(p, name))

    def _of(self, p: Parameters, name: str = "DBInstanceIdentifier") -> Instance | None:
        found: Instance | None = self._rds._resolve_instance(self._get(p, name))
        return found if servers.concerns(found) else None

    def _made(self, answer: Any, p: Parameters) -> Instance | None:
        """The instance that a call made, when it needs a server."""
        return self._of(p) if answer[0] == _OK else None

    def _launched(self, action: str, instance: Instance, **how: Any) -> Any:
        servers.give(instance)
        return self._done(action, instance, "creating", partial(servers.launch, instance, **how))

    def _done(
        self, action: str, instance: Instance, status: str, work: Callable[[], None], then: str = "available"
    ) -> Any:
        """Do what a call asks for; its answer tells the status on the way there, as on AWS."""
        instance["DBInstanceStatus"] = status
        answer = self._told(action, instance)
        servers.pass_through(instance, status, work, then)
        return answer

    def _told(self, action: str, instance: Instance) -> Any:
        return self._rds._single_instance_response(f"{action}Response", f"{action}Result", instance)

    def _check_password(self, password: str) -> None:
        try:
            servers.check_password(password)
        except ValueError as error:
            raise RefusedError("InvalidParameterValue", str(error)) from None

    @staticmethod
    def _expect(instance: Instance, status: str) -> None:
        if instance["DBInstanceStatus"] != status:
            name = instance["DBInstanceIdentifier"]
            raise RefusedError("InvalidDBInstanceState", f"Instance {name} is not in {status} state.")
