"""The database fails, or its password changes, while clients go on: servers say so, and recover without a restart."""

import json
import socket
from typing import Any

from botocore.exceptions import ClientError

from journeys._inbox import Inbox
from journeys._load import load
from journeys._steps import NotRunError
from journeys._web_app import App, Clients
from journeys._web_app_doors import Database
from journeys._world import World

# On AWS stopping and starting takes many minutes: a slow load that lasts.
_AT_MOST, _PER_SECOND = 900, 5
_STEPS_OF_RDS = 1200
# A server answers within 3 seconds, whatever the database does; the rest is the way there and back.
_NO_HANG = 8
_ASKED = 10
_FEW = 2


def stopped_and_started(world: World, app: App) -> None:
    """Nothing is there at all, and then it is again."""
    rds, name = world.client("rds"), world.out["DatabaseIdentifier"]
    if _instance(world)["ReadReplicaDBInstanceIdentifiers"]:
        world.not_run("the database is stopped and started", "RDS stops none that has replicas; this one has some")
        return
    with world.step("the database is stopped: 503 with Retry-After within seconds, no hang; health stays 200") as step:
        servers = [server.target for server in app.find_servers()]
        clients = Clients(app)
        with load(clients, per_second=_PER_SECOND, at_most=_AT_MOST, threads=32) as running:
            running.go_on(10)
            rds.stop_db_instance(DBInstanceIdentifier=name)
            _await(world, "stopped")
            running.go_on(_ASKED)
            sent = [app.send("GET", "/customers?limit=1") for _ in range(_ASKED)]
            assert {answer.status for answer in sent} == {503}, [answer.status for answer in sent]
            assert all(int(answer.headers["Retry-After"]) > 0 for answer in sent), "no Retry-After"
            assert app.send("GET", "/health").status == 200, "servers would be replaced, which mends nothing"
            assert app.send("GET", "/ready").status == 503
            detail = sent[0].json()["detail"]
        step.show(detail=detail, slowest_s=round(running.report.slowest, 1), **running.report.shown())
        assert set(running.report.by_answer) <= {"200", "201", "503"}, running.report.by_answer
        assert running.report.slowest < _NO_HANG, f"a request took {running.report.slowest:.1f} s"

    with world.step("the database is started: the same servers serve again, and nothing that was kept is gone") as step:
        with load(clients, per_second=_PER_SECOND, at_most=_AT_MOST, threads=32) as running:
            rds.start_db_instance(DBInstanceIdentifier=name)
            _await(world, "available")
            world.eventually(app.answers, within=60, what="the application reads and writes again")
            running.go_on(_ASKED)
            back = len(running.report.sent)
            running.go_on(_ASKED)
        assert not [one for one in running.report.sent[back:] if one.lost], running.report.by_answer
        assert [server.target for server in app.find_servers()] == servers, "servers were replaced"
        clients.promises_hold()
        step.show(servers=len(servers), promised=len(clients.promised), **running.report.shown())


def failed_over(world: World, app: App) -> None:
    """The standby takes over."""
    rds, name = world.client("rds"), world.out["DatabaseIdentifier"]
    before = _instance(world)
    addresses, told = _addresses(before), len(_said(world, "failover completed"))
    inbox = Inbox(world, world.out["AlarmTopicArn"], "events")
    with world.step(
        "failover to the standby: servers go on by themselves, and no write that was answered is lost"
    ) as step:
        clients = Clients(app)
        with load(clients, per_second=_PER_SECOND, at_most=_AT_MOST, threads=32) as running:
            running.go_on(10)
            rds.reboot_db_instance(DBInstanceIdentifier=name, ForceFailover=True)
            _await(world, "available")
            world.eventually(
                lambda: len(_said(world, "failover completed")) > told, within=300, what="RDS says that it failed over"
            )
            world.eventually(app.answers, within=60, what="the application reads and writes again")
            back = len(running.report.sent)
            running.go_on(2 * _ASKED)
        report = running.report
        assert not [one for one in report.sent[back + _ASKED :] if one.lost], report.by_answer
        assert set(report.by_answer) <= {"200", "201", "503"}, report.by_answer
        clients.promises_hold()
        after = world.eventually(
            lambda: _instance_elsewhere(world, before["AvailabilityZone"]), within=300, what="a primary in another zone"
        )
        zones = f"{before['AvailabilityZone']} -> {after['AvailabilityZone']}"
        step.show(zones=zones, promised=len(clients.promised), broken=0, **report.shown())

    with world.step("people are told of the failover by the topic that alarms speak to") as step:
        said = world.eventually(
            lambda: _about("failover", inbox.take()), within=60, what="a message about the failover"
        )
        step.show(message=json.loads(said[0]).get("Event Message"))

    with world.step("the database's name leads to the new primary's address") as step:
        if before["Endpoint"]["Address"] == "localhost":
            raise NotRunError("this database is one process at localhost that was restarted: no name moved")
        world.eventually(lambda: _addresses(after) != addresses, within=120, what="another address under its name")
        step.show(before=", ".join(addresses), after=", ".join(_addresses(after)))


def rotated(world: World, app: App, data: Database) -> None:
    """Secrets Manager asks our function for another password while the old one is in use."""
    secrets, arn = world.client("secretsmanager"), world.out["DatabaseSecretArn"]
    with world.step("the password is rotated while it is in use: connections go on") as step:
        old = data.secret()
        clients = Clients(app)
        with load(clients, per_second=_PER_SECOND, at_most=_AT_MOST, threads=32) as running:
            running.go_on(10)
            version = _rotate(secrets, arn)
            world.eventually(lambda: _is_current(secrets, arn, version), within=120, what="the new version is current")
            running.go_on(3 * _ASKED)
        new = data.secret()
        assert new["password"] != old["password"], "the password is the same"
        same = {name: value for name, value in old.items() if name != "password"}
        assert {name: new[name] for name in same} == same, "another part of the secret has changed"
        # Who connects anew between the database's change and the secret's is refused for a moment, and may be told so.
        assert len(running.report.lost) <= _FEW, f"requests were lost: {running.report.by_answer}"
        assert set(running.report.by_answer) <= {"200", "201", "503"}, running.report.by_answer
        clients.promises_hold()
        step.show(version=version[:8], **running.report.shown())

    with world.step(
        "a rotation step that is asked for again changes nothing; one that nobody began is refused"
    ) as step:
        function = world.out["RotationFunctionName"]
        again = _ask(world, function, arn, version, "setSecret")
        assert not again, f"the function failed: {again}"
        never = _ask(world, function, arn, "00000000-0000-4000-8000-000000000000", "setSecret")
        assert "has no stage" in never, f"expected a refusal, got {never!r}"
        assert data.secret() == new, "the secret has changed"
        step.show(again="nothing changed", refused=never[:80])

    with world.step("after rotation the database takes the new password and refuses the old one") as step:
        with data.connected() as connection:
            row = connection.execute("SELECT current_user").fetchone()
        said = data.refuses("password authentication failed", password=old["password"])
        step.show(new=f"{row[0] if row else None} is in", old=said.rpartition("FATAL:")[2].strip())


def _instance(world: World) -> Any:
    found = world.client("rds").describe_db_instances(DBInstanceIdentifier=world.out["DatabaseIdentifier"])
    return found["DBInstances"][0]


def _instance_elsewhere(world: World, zone: str) -> Any:
    found = _instance(world)
    return found if found["AvailabilityZone"] != zone else None


def _await(world: World, status: str) -> None:
    world.eventually(
        lambda: _instance(world)["DBInstanceStatus"] == status, within=_STEPS_OF_RDS, what=f"the database is {status}"
    )


def _said(world: World, part: str) -> list[str]:
    events = world.client("rds").describe_events(
        SourceIdentifier=world.out["DatabaseIdentifier"], SourceType="db-instance", Duration=60
    )["Events"]
    return [event["Message"] for event in events if part in event["Message"]]


def _about(part: str, messages: list[str]) -> list[str]:
    return [text for text in messages if part in text]


def _addresses(instance: Any) -> list[str]:
    found = socket.getaddrinfo(instance["Endpoint"]["Address"], instance["Endpoint"]["Port"], type=socket.SOCK_STREAM)
    return sorted({str(one[4][0]) for one in found})


def _rotate(secrets: Any, arn: str) -> str:
    """Ask for a rotation, and the version that it makes; one that was begun and did not end goes on instead."""
    try:
        return str(secrets.rotate_secret(SecretId=arn)["VersionId"])
    except ClientError as error:
        if "previous rotation" not in str(error):
            raise
    stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    return str(next(version for version, found in stages.items() if "AWSPENDING" in found))


def _is_current(secrets: Any, arn: str, version: str) -> bool:
    return "AWSCURRENT" in secrets.describe_secret(SecretId=arn)["VersionIdsToStages"].get(version, [])


def _ask(world: World, function: str, arn: str, version: str, step: str) -> str:
    """Ask the function for a step; why it failed, or nothing."""
    event = {"SecretId": arn, "ClientRequestToken": version, "Step": step}
    done = world.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    said = done["Payload"].read().decode()
    return said if done.get("FunctionError") else ""
