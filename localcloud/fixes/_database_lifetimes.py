"""How an instance that has a server is made, changed and removed, with its snapshots and parameters."""

from typing import Any

from localcloud.fixes import _database_servers as servers
from localcloud.fixes._database_calls import OK, Calls, Parameters, RefusedError, action


class Lifetimes(Calls):
    """Actions that make, change and remove."""

    @action("CreateDBInstance")
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

    @action("RestoreDBInstanceFromDBSnapshot")
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

    @action("CreateDBInstanceReadReplica")
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

    @action("ModifyDBInstance")
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
        return self._told("ModifyDBInstance", instance) if answer[0] == OK else answer

    @action("DeleteDBInstance")
    def delete(self, p: Parameters) -> Any:
        """DeleteDBInstance."""
        instance = self._of(p)
        if instance and not instance.get("ReadReplicaSourceDBInstanceIdentifier"):
            skipped, named = self._get(p, "SkipFinalSnapshot") == "true", self._get(p, "FinalDBSnapshotIdentifier")
            if skipped == bool(named):
                message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
                raise RefusedError("InvalidParameterCombination", message)
        answer = self._before(p)
        if instance and answer[0] == OK:
            servers.remove(instance)
        return answer

    @action("DeleteDBSnapshot")
    def delete_snapshot(self, p: Parameters) -> Any:
        """DeleteDBSnapshot."""
        snapshot = self._rds._snapshots.get(self._get(p, "DBSnapshotIdentifier"))
        answer = self._before(p)
        if snapshot:
            servers.forget_copy(snapshot["DBSnapshotArn"])
        return answer

    @action("ModifyDBParameterGroup")
    def modify_parameters(self, p: Parameters) -> Any:
        """ModifyDBParameterGroup."""
        answer = self._before(p)
        servers.change_parameters(self._get(p, "DBParameterGroupName"))
        return answer

    @action("ResetDBParameterGroup")
    def reset_parameters(self, p: Parameters) -> Any:
        """ResetDBParameterGroup."""
        return self.modify_parameters(p)
