"""A backup is worth what a restore from it gives: a snapshot, and a second database with the same rows."""

from typing import Any

import psycopg

from journeys._steps import NotRunError
from journeys._web_app import App
from journeys._web_app_doors import Database
from journeys._world import World

_WITHIN = 3600
# One text of all rows in order: another row, another value or a row less gives another.
_ROWS = "SELECT count(*), md5(coalesce(string_agg(c::text, '|' ORDER BY c.id), '')) FROM customers AS c"
_FIRST = "SELECT id::text, name, email, reward_points FROM customers WHERE id = %s"


def restored(world: World, app: App, data: Database) -> None:
    """Snapshot, more writes, restore."""
    rds, name = world.client("rds"), f"journey-{world.token}"
    before: tuple[Any, ...] = ()
    with world.step("a snapshot is taken; what is written afterwards is not in it") as step:
        known = app.add()
        with data.connected() as connection:
            before = _rows(connection)
        rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=world.out["DatabaseIdentifier"])
        world.cleanup(rds.delete_db_snapshot, DBSnapshotIdentifier=name)
        world.eventually(lambda: _snapshot(rds, name)["Status"] == "available", within=_WITHIN, what="the snapshot")
        snapshot = _snapshot(rds, name)
        assert snapshot["Encrypted"] is True, "the snapshot is not encrypted"
        late = app.add()
        step.show(snapshot=name, encrypted=True, rows=before[0], written_afterwards=late["id"])

    if not before:
        world.not_run("a second database is restored, and compared with the first", "nobody could look into the first")
        return
    with world.step("restored as a second database, it has the same rows: count and checksum agree") as step:
        (primary,) = rds.describe_db_instances(DBInstanceIdentifier=world.out["DatabaseIdentifier"])["DBInstances"]
        rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=name,
            DBSnapshotIdentifier=name,
            DBInstanceClass=primary["DBInstanceClass"],
            DBSubnetGroupName=primary["DBSubnetGroup"]["DBSubnetGroupName"],
            VpcSecurityGroupIds=[one["VpcSecurityGroupId"] for one in primary["VpcSecurityGroups"]],
            DBParameterGroupName=primary["DBParameterGroups"][0]["DBParameterGroupName"],
            PubliclyAccessible=False,
            MultiAZ=False,
        )
        world.cleanup(_remove, world, name)
        second = world.eventually(lambda: _available(rds, name), within=_WITHIN, what="the restored database")
        at = {"host": second["Endpoint"]["Address"], "port": second["Endpoint"]["Port"]}
        with data.connected(**at) as connection:
            after = _rows(connection)
            found = connection.execute(_FIRST, (known["id"],)).fetchone()
            missing = connection.execute(_FIRST, (late["id"],)).fetchone()
        assert after == before, f"expected {before}, got {after}"
        assert found == (known["id"], known["name"], known["email"], known["rewardPoints"]), found
        assert missing is None, "it has what was written after the snapshot"
        step.show(rows=after[0], md5=after[1], before=before[1], later_row="not in it")

    with world.step("the restored database refuses whoever speaks in the clear, as the first one") as step:
        said = data.refuses("no encryption", sslmode="disable", **at)
        step.show(in_the_clear=said.rpartition("FATAL:")[2].strip()[:80])


def planned(world: World) -> None:
    """What AWS Backup is told to do at night."""
    backup = world.client("backup")
    with world.step("a plan makes daily and weekly recovery points of this database in a vault of their own") as step:
        plan = _plan(world)
        rules = {rule["RuleName"]: rule for rule in plan["Rules"]}
        assert set(rules) == {"Daily", "Weekly"}, rules
        assert {rule["TargetBackupVaultName"] for rule in rules.values()} == {world.out["VaultName"]}
        days = {name: rule["Lifecycle"]["DeleteAfterDays"] for name, rule in rules.items()}
        (selection,) = backup.list_backup_selections(BackupPlanId=plan["Id"])["BackupSelectionsList"]
        chosen = backup.get_backup_selection(BackupPlanId=plan["Id"], SelectionId=selection["SelectionId"])
        arns = chosen["BackupSelection"]["Resources"]
        assert [arn.rpartition(":")[2] for arn in arns] == [world.out["DatabaseIdentifier"]], arns
        step.show(vault=world.out["VaultName"], daily_days=days["Daily"], weekly_days=days["Weekly"])

    with world.step("each recovery point is copied to another region") as step:
        copies = [copy for rule in _plan(world)["Rules"] for copy in rule.get("CopyActions", [])]
        if not copies:
            raise NotRunError("the stack was deployed without the option copies, which needs a second region")
        step.show(to=", ".join(sorted({copy["DestinationBackupVaultArn"] for copy in copies})))


def _plan(world: World) -> dict[str, Any]:
    backup = world.client("backup")
    for listed in backup.list_backup_plans()["BackupPlansList"]:
        found = backup.get_backup_plan(BackupPlanId=listed["BackupPlanId"])["BackupPlan"]
        if any(rule["TargetBackupVaultName"] == world.out["VaultName"] for rule in found["Rules"]):
            return {"Id": listed["BackupPlanId"], **found}
    message = f"no plan fills the vault {world.out['VaultName']}"
    raise AssertionError(message)


def _rows(connection: "psycopg.Connection[tuple[Any, ...]]") -> tuple[Any, ...]:
    return connection.execute(_ROWS).fetchone() or ()


def _snapshot(rds: Any, name: str) -> Any:
    return rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]


def _available(rds: Any, name: str) -> Any:
    (found,) = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    return found if found["DBInstanceStatus"] == "available" else None


def _remove(world: World, name: str) -> None:
    rds = world.client("rds")
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)
    world.eventually(
        lambda: name not in [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]],
        within=_WITHIN,
        what="the restored database is gone",
    )
