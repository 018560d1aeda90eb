"""localcloud/fixes/database_instances.py."""

import socket
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from tests.localcloud import databases, probes

pytestmark = pytest.mark.cloud

Login = dict[str, Any]
QUICK = {"Delay": 1, "MaxAttempts": 1}
"""A waiter that looks once: what it waits for must be so already."""


def template(**properties: Any) -> dict[str, Any]:
    """A database, its secret and its parameter group."""
    group = {"Family": "postgres17", "Description": "d", "Parameters": {"log_min_duration_statement": "500"}}
    settings: dict[str, Any] = {"MultiAZ": True, "DBParameterGroupName": {"Ref": "Group"}}
    settings["EnableCloudwatchLogsExports"] = ["postgresql"]
    return {
        "Secret": databases.secret(),
        "Group": {"Type": "AWS::RDS::DBParameterGroup", "Properties": group},
        "Database": databases.instance(**settings | properties),
        "Attachment": databases.attachment(),
    }


@pytest.fixture(scope="module")
def made(cloud: LocalCloud) -> dict[str, str]:
    """A deployed database; no test leaves it stopped."""
    return probes.deploy(cloud, template(), Port=("Database", "Endpoint.Port"), Host=("Database", "Endpoint.Address"))


@pytest.fixture
def login(cloud: LocalCloud, made: dict[str, str]) -> Login:
    """How to connect to it."""
    return databases.read_secret(cloud, made["Secret"])


def test_the_secret_and_the_outputs_lead_to_a_server(cloud: LocalCloud, made: dict[str, str], login: Login) -> None:
    assert (login["engine"], login["host"], login["port"]) == ("postgres", "localhost", int(made["Port"]))
    assert (made["Host"], login["dbInstanceIdentifier"]) == ("localhost", made["Database"])
    with databases.connect(cloud, login) as connection:
        found = connection.execute(
            "SELECT current_database(), rolsuper, rolcreaterole, pg_has_role('rds_superuser', 'member'), "
            "(SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()), "
            "(SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()) "
            "FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert found == ("app", False, True, True, "TLSv1.3", "owner")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("ALTER SYSTEM SET fsync = on")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sslmode": "disable"}, "no pg_hba.conf entry .* no encryption"),
        ({"password": "another-one"}, "password authentication failed"),
        ({"user": "rdsadmin"}, "pg_hba.conf rejects connection"),
        ({"host": "127.0.0.1", "sslrootcert": "/dev/null"}, "certificate"),
    ],
)
def test_who_comes_another_way_is_refused(
    cloud: LocalCloud, login: Login, changed: dict[str, str], message: str
) -> None:
    with pytest.raises(psycopg.OperationalError, match=message):
        databases.connect(cloud, login, **changed)


def test_what_the_template_says_is_told(cloud: LocalCloud, made: dict[str, str]) -> None:
    found = databases.described(cloud, made["Database"])
    assert (found["MultiAZ"], found["BackupRetentionPeriod"], found["DBName"]) == (True, 7, "app")
    assert {found["AvailabilityZone"], found["SecondaryAvailabilityZone"]} == {"us-east-1a", "us-east-1b"}
    assert found["EnabledCloudwatchLogsExports"] == ["postgresql"]


def test_stopped_it_refuses_and_started_it_has_kept_everything(
    cloud: LocalCloud, made: dict[str, str], login: Login
) -> None:
    rds, name = cloud.client("rds"), {"DBInstanceIdentifier": made["Database"]}
    with databases.connect(cloud, login) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
        with pytest.raises(ClientError, match="InvalidDBInstanceState"):
            rds.start_db_instance(**name)
        assert rds.stop_db_instance(**name)["DBInstance"]["DBInstanceStatus"] == "stopping"
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert databases.described(cloud, made["Database"])["DBInstanceStatus"] == "stopped"
    with pytest.raises(psycopg.OperationalError, match="Connection refused"):
        databases.connect(cloud, login)
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        rds.stop_db_instance(**name)
    assert rds.start_db_instance(**name)["DBInstance"]["DBInstanceStatus"] == "starting"
    rds.get_waiter("db_instance_available").wait(**name, WaiterConfig=QUICK)
    assert databases.value(cloud, login, "SELECT count(*) FROM kept") == 1000


def test_a_failover_changes_the_zone_ends_connections_and_loses_nothing(
    cloud: LocalCloud, made: dict[str, str], login: Login
) -> None:
    rds, before = cloud.client("rds"), databases.described(cloud, made["Database"])
    with databases.connect(cloud, login) as connection:
        connection.execute("CREATE TABLE promised AS SELECT 1 AS number")
        rds.reboot_db_instance(DBInstanceIdentifier=made["Database"], ForceFailover=True)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    after = databases.described(cloud, made["Database"])
    assert after["DBInstanceStatus"] == "available"
    assert after["AvailabilityZone"] == before["SecondaryAvailabilityZone"] != before["AvailabilityZone"]
    assert databases.value(cloud, login, "SELECT count(*) FROM promised") == 1, "it was committed"
    told = rds.describe_events(SourceIdentifier=made["Database"], SourceType="db-instance")["Events"]
    messages = [event["Message"] for event in told if "failover" in event["EventCategories"]]
    assert messages == ["Multi-AZ instance failover started.", "Multi-AZ instance failover completed"]


def test_the_parameter_group_is_applied(cloud: LocalCloud, made: dict[str, str], login: Login) -> None:
    rds, group, name = cloud.client("rds"), made["Group"], made["Database"]

    def change(parameter: str, new: str, method: str) -> None:
        changed = {"ParameterName": parameter, "ParameterValue": new, "ApplyMethod": method}
        rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[changed])

    def shown(parameter: str) -> Any:
        return databases.value(cloud, login, f"SHOW {parameter}")

    assert shown("log_min_duration_statement") == "500ms"
    assert shown("rds.force_ssl") == "1"
    change("log_min_duration_statement", "700", "immediate")
    assert shown("log_min_duration_statement") == "700ms"
    with pytest.raises(ClientError, match="cannot use immediate apply method for static parameter"):
        change("max_connections", "50", "immediate")
    change("max_connections", "50", "pending-reboot")
    change("shared_buffers", "{DBInstanceClassMemory/32768}", "pending-reboot")
    assert shown("max_connections") == "100"
    assert databases.described(cloud, name)["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot"
    rds.reboot_db_instance(DBInstanceIdentifier=name)
    assert shown("max_connections") == "50"
    assert databases.described(cloud, name)["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"
    change("rds.force_ssl", "0", "immediate")
    assert databases.value(cloud, login, "SELECT 1", sslmode="disable") == 1
    change("rds.force_ssl", "1", "immediate")


def test_a_new_master_password_replaces_the_old_one(cloud: LocalCloud, made: dict[str, str], login: Login) -> None:
    rds, name = cloud.client("rds"), made["Database"]
    with pytest.raises(ClientError, match="not a valid password"):
        rds.modify_db_instance(DBInstanceIdentifier=name, MasterUserPassword="with/slash")
    rds.modify_db_instance(DBInstanceIdentifier=name, MasterUserPassword="another-one", ApplyImmediately=True)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        databases.connect(cloud, login)
    assert databases.value(cloud, login, "SELECT 1", password="another-one") == 1
    rds.modify_db_instance(DBInstanceIdentifier=name, MasterUserPassword=login["password"])
    assert databases.value(cloud, login, "SELECT 1") == 1


def test_a_snapshot_is_restored_with_the_rows_of_its_time(
    cloud: LocalCloud, made: dict[str, str], login: Login
) -> None:
    rds = cloud.client("rds")
    with databases.connect(cloud, login) as connection:
        connection.execute("CREATE TABLE saved AS SELECT 1 AS number")
        rds.create_db_snapshot(DBInstanceIdentifier=made["Database"], DBSnapshotIdentifier="before")
        rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="before", WaiterConfig=QUICK)
        connection.execute("INSERT INTO saved VALUES (2)")
    again = {"DBInstanceIdentifier": "again", "DBSnapshotIdentifier": "before"}
    assert rds.restore_db_instance_from_db_snapshot(**again)["DBInstance"]["DBInstanceStatus"] == "creating"
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="again", WaiterConfig=QUICK)
    port = databases.described(cloud, "again")["Endpoint"]["Port"]
    assert port != login["port"]
    assert databases.value(cloud, login, "SELECT count(*) FROM saved", port=port) == 1
    assert databases.value(cloud, login, "SELECT count(*) FROM saved") == 2

    with pytest.raises(ClientError, match="FinalDBSnapshotIdentifier is required"):
        rds.delete_db_instance(DBInstanceIdentifier="again")
    rds.delete_db_instance(DBInstanceIdentifier="again", FinalDBSnapshotIdentifier="last")
    assert rds.describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"][0]["Status"] == "available"
    assert not listens(port)
    with pytest.raises(ClientError, match="DBInstanceNotFound"):
        databases.described(cloud, "again")
    restored = {"Restored": databases.instance(DBSnapshotIdentifier="last")}
    other = probes.deploy(cloud, restored, Port=("Restored", "Endpoint.Port"))
    assert databases.value(cloud, login, "SELECT count(*) FROM saved", port=int(other["Port"])) == 1
    probes.destroy(cloud)
    assert not listens(int(other["Port"]))
    for snapshot in ("before", "last"):
        rds.delete_db_snapshot(DBSnapshotIdentifier=snapshot)


@pytest.mark.parametrize("by", ["template", "API"])
def test_a_replica_follows_takes_no_writes_and_can_be_promoted(
    cloud: LocalCloud, made: dict[str, str], login: Login, by: str
) -> None:
    rds, source = cloud.client("rds"), made["Database"]
    if by == "API":
        name = "reader"
        rds.create_db_instance_read_replica(DBInstanceIdentifier=name, SourceDBInstanceIdentifier=source)
    else:
        name = probes.deploy(cloud, {"R": databases.instance(SourceDBInstanceIdentifier=source)})["R"]
    assert databases.described(cloud, source)["ReadReplicaDBInstanceIdentifiers"] == [name]
    found = databases.described(cloud, name)
    assert (found["ReadReplicaSourceDBInstanceIdentifier"], found["DBInstanceStatus"]) == (source, "available")
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        rds.stop_db_instance(DBInstanceIdentifier=source)
    with databases.connect(cloud, login) as writer:
        writer.execute("CREATE TABLE followed AS SELECT 1 AS number")
    with databases.connect(cloud, login, port=found["Endpoint"]["Port"]) as reader:
        exists = "SELECT to_regclass('followed') IS NOT NULL"
        assert probes.eventually(lambda: reader.execute(exists).fetchone() == (True,))
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.execute("DROP TABLE followed")
        writer_drops(cloud, login)
        if by == "API":
            rds.promote_read_replica(DBInstanceIdentifier=name)
            reader.execute("CREATE TABLE own AS SELECT 1 AS number")
            rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    if by == "template":
        probes.destroy(cloud)
    assert databases.described(cloud, source)["ReadReplicaDBInstanceIdentifiers"] == []


def test_an_update_changes_it_in_place_and_deletion_leaves_a_snapshot(cloud: LocalCloud) -> None:
    plain = {"MasterUsername": "owner", "MasterUserPassword": "first-one"}
    at = ("Database", "Endpoint.Port")
    made = probes.deploy(cloud, {"Database": databases.instance(**plain)}, Port=at)
    login = plain_login(made["Port"], "first-one")
    with databases.connect(cloud, login) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    changed = databases.instance(MultiAZ=True, **plain | {"MasterUserPassword": "second-one"})
    assert probes.update(cloud, {"Database": changed}, Port=at) == made
    assert databases.value(cloud, plain_login(made["Port"], "second-one"), "SELECT number FROM kept") == 7
    assert databases.described(cloud, made["Database"])["SecondaryAvailabilityZone"] == "us-east-1b"

    protected = databases.instance(**changed["Properties"] | {"DeletionProtection": True})
    probes.update(cloud, {"Database": protected | {"DeletionPolicy": "Snapshot"}}, Port=at)
    formation, stack = cloud.client("cloudformation"), made["Database"].partition("-database-")[0]
    formation.delete_stack(StackName=stack)
    assert probes.eventually(lambda: any("deletion protection" in why for why in probes.failures(cloud, stack)))
    assert listens(int(made["Port"]))
    cloud.client("rds").modify_db_instance(DBInstanceIdentifier=made["Database"], DeletionProtection=False)
    probes.destroy(cloud)
    assert not listens(int(made["Port"]))
    (snapshot,) = cloud.client("rds").describe_db_snapshots(DBInstanceIdentifier=made["Database"])["DBSnapshots"]
    assert snapshot["SnapshotType"] == "manual"
    back = databases.instance(DBSnapshotIdentifier=snapshot["DBSnapshotIdentifier"])
    restored = probes.deploy(cloud, {"Database": back}, Port=at)
    assert databases.value(cloud, plain_login(restored["Port"], "second-one"), "SELECT number FROM kept") == 7
    probes.destroy(cloud)


def test_a_password_that_rds_refuses_fails_the_stack(cloud: LocalCloud) -> None:
    short = databases.instance(MasterUsername="owner", MasterUserPassword="short")
    with pytest.raises(AssertionError, match="not a valid password"):
        probes.deploy(cloud, {"Database": short})


def test_behind_the_emulators_own_record_there_is_nobody(bare: LocalCloud) -> None:
    plain = databases.instance(MasterUsername="owner", MasterUserPassword="first-one", MultiAZ=True)
    made = probes.deploy(
        bare,
        {"Database": plain},
        Port=("Database", "Endpoint.Port"),
        Host=("Database", "Endpoint.Address"),
    )
    with pytest.raises(socket.gaierror):
        socket.create_connection((made["Host"], int(made["Port"])), timeout=5)
    found = databases.described(bare, made["Database"])
    assert not found.get("SecondaryAvailabilityZone")
    bare.client("rds").stop_db_instance(DBInstanceIdentifier=made["Database"])
    assert bare.client("rds").stop_db_instance(DBInstanceIdentifier=made["Database"]), "twice"


def writer_drops(cloud: LocalCloud, login: Login) -> None:
    with databases.connect(cloud, login) as writer:
        writer.execute("DROP TABLE followed")


def plain_login(port: str, password: str) -> Login:
    return {"host": "localhost", "port": int(port), "username": "owner", "password": password, "dbname": "app"}


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
