"""DB instances of templates: the emulator's handlers make the record, these the server."""

from typing import Any

from localcloud.fixes import _database_servers as servers
from localcloud.fixes._database_servers import Instance
from localcloud.internals import need

Props = dict[str, Any]
_TYPE = "AWS::RDS::DBInstance"


def apply() -> None:
    """Wrap the handlers, also where the emulator's update calls them to replace an instance."""
    provisioners = need(
        "services.cloudformation.provisioners",
        *("_RESOURCE_HANDLERS", "_rds_db_instance_create", "_rds_db_instance_update", "_rds_db_instance_delete"),
        *("_rds_db_instance_attrs", "_sm_target_connection", "_SM_TARGET_KEYS"),
    )
    wrapped = _Handlers(provisioners)
    vars(provisioners)["_rds_db_instance_create"] = wrapped.create
    vars(provisioners)["_rds_db_instance_delete"] = wrapped.delete
    handlers = provisioners._RESOURCE_HANDLERS
    handlers[_TYPE] = handlers[_TYPE] | {
        "create": wrapped.create,
        "update": wrapped.update,
        "delete": wrapped.delete,
    }
    connection = provisioners._sm_target_connection

    def attached(target_type: str, target: str) -> Any:
        named = {"dbInstanceIdentifier": target} if target_type == _TYPE else {}
        return connection(target_type, target) | named

    vars(provisioners)["_sm_target_connection"] = attached
    vars(provisioners)["_SM_TARGET_KEYS"] = (*provisioners._SM_TARGET_KEYS, "dbInstanceIdentifier")
    update_group = handlers["AWS::RDS::DBParameterGroup"]["update"]

    def group_updated(name: str, *rest: Any) -> Any:
        done = update_group(name, *rest)
        servers.change_parameters(name)
        return done

    handlers["AWS::RDS::DBParameterGroup"] |= {"update": group_updated}


class _Handlers:
    def __init__(self, provisioners: Any) -> None:
        self._rds = need("services.rds", "_instances", "_snapshots", "_resolve_instance")
        self._attributes = provisioners._rds_db_instance_attrs
        self._create = provisioners._rds_db_instance_create
        self._update = provisioners._rds_db_instance_update
        self._delete = provisioners._rds_db_instance_delete

    def create(self, logical_id: str, props: Props, stack_name: str) -> Any:
        """Make the record, and start its server."""
        source = self._source(props)
        if source:
            # What a replica does not say it has from its source.
            taken = ("Engine", "EngineVersion", "DBName", "AllocatedStorage", "StorageType")
            props = {name: source[name] for name in taken if source.get(name)} | props
        snapshot = self._snapshot(props)
        if snapshot:
            props = {name: snapshot[name] for name in ("Engine", "EngineVersion") if snapshot.get(name)} | props
        name, attributes = self._create(logical_id, props, stack_name)
        instance = self._rds._instances[name]
        if not servers.concerns(instance):
            return name, attributes
        self._complete(instance, props, source or snapshot)
        servers.give(instance)
        try:
            servers.launch(instance, snapshot=(snapshot or {}).get("DBSnapshotArn", ""), source=source)
            if snapshot and props.get("MasterUserPassword"):
                self._set_password(instance, props["MasterUserPassword"])
        except Exception:
            self._delete(name, props)
            servers.remove(instance)
            raise
        if source:
            source["ReadReplicaDBInstanceIdentifiers"].append(name)
        return name, self._attributes(instance)

    def update(self, name: str, old: Props, new: Props, stack_name: str, logical_id: str | None = None) -> Any:
        """Change the record, then the server."""
        before = self._rds._instances.get(name)
        port = (before or {}).get("Endpoint", {}).get("Port")
        done = self._update(name, old, new, stack_name, logical_id)
        instance = self._rds._instances.get(name)
        if done[0] != name or instance is None or not servers.concerns(instance):
            return done
        instance["Endpoint"]["Port"] = port  # the emulator writes the template's
        instance["EnabledCloudwatchLogsExports"] = new.get("EnableCloudwatchLogsExports", [])
        servers.place(instance)
        if new.get("MasterUserPassword") not in {None, old.get("MasterUserPassword")}:
            self._set_password(instance, new["MasterUserPassword"])
        if new.get("DBParameterGroupName") != old.get("DBParameterGroupName"):
            servers.restart(instance)
        return name, self._attributes(instance)

    def delete(self, name: str, props: Props) -> None:
        """Remove both.

        Raises:
            ValueError: the instance is protected.
        """
        instance = self._rds._instances.get(name)
        if instance and instance.get("DeletionProtection"):
            raise ValueError("Cannot delete protected DB Instance, please disable deletion protection and try again.")
        self._delete(name, props)
        if instance and servers.concerns(instance):
            servers.remove(instance)

    def _source(self, props: Props) -> Instance | None:
        named = props.get("SourceDBInstanceIdentifier")
        if not named:
            return None
        found: Instance | None = self._rds._resolve_instance(named)
        if found is None:
            raise ValueError(f"SourceDBInstanceIdentifier: there is no DB instance {named}")
        return found

    def _snapshot(self, props: Props) -> Instance | None:
        named = props.get("DBSnapshotIdentifier")
        if not named:
            return None
        found: Instance | None = self._rds._snapshots.get(str(named).rpartition(":snapshot:")[2])
        if found is None or not servers.has_copy(found["DBSnapshotArn"]):
            raise ValueError(f"DBSnapshotIdentifier: there is no DB snapshot {named}")
        return found

    @staticmethod
    def _complete(instance: Instance, props: Props, parent: Instance | None) -> None:
        """What the emulator's handler leaves out."""
        instance["DBName"] = (parent or props).get("DBName", "")
        instance["EnabledCloudwatchLogsExports"] = props.get("EnableCloudwatchLogsExports", [])
        if parent:
            instance["MasterUsername"] = parent["MasterUsername"]
            instance["_MasterUserPassword"] = parent["_MasterUserPassword"]
        if props.get("SourceDBInstanceIdentifier") and parent:
            instance["ReadReplicaSourceDBInstanceIdentifier"] = parent["DBInstanceIdentifier"]
        if not parent:
            servers.check_password(instance["_MasterUserPassword"])

    @staticmethod
    def _set_password(instance: Instance, password: str) -> None:
        servers.check_password(password)
        instance["_MasterUserPassword"] = password
        servers.server(instance).change_password(instance["MasterUsername"], password)
