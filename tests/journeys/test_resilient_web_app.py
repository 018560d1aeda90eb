"""The journey's own judgement: it notices a broken promise, a database that lets everybody in, and a door too many."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from botocore.exceptions import ClientError
from cryptography import x509

from journeys import _web_app_backup as backup
from journeys import _web_app_outages as outages
from journeys._http import Response
from journeys._steps import NotRunError
from journeys._web_app import App, Clients
from journeys._web_app_doors import AUTHORITIES, Database, _let_in
from journeys._web_app_drills import _serves
from journeys._web_app_outages import _rotate
from journeys._world import World
from tests.journeys.saying import Saying

OUT = {
    "Url": "https://app.example.com",
    "ServerGroupName": "servers",
    "TargetGroupArn": "arn:targets",
    "DatabaseSecretArn": "arn:secret",
}
SECRET = '{"host": "h", "port": 5432, "username": "u", "password": "p", "dbname": "d"}'


class FakeWorld:
    """Answers requests from a dictionary of customers."""

    token, out, authority = "t1", OUT, None

    def __init__(self, **clients: Any) -> None:
        self.kept: dict[str, Any] = {}
        self._clients = clients
        self.refuses = False

    def http(self, method: str, url: str, *, json: Any = None) -> Response:
        path = url.removeprefix(OUT["Url"])
        if self.refuses:
            return Response(503, {}, b"{}")
        if method == "POST":
            identity = str(len(self.kept))
            self.kept[identity] = json
            return Response(201, {}, f'{{"id": "{identity}"}}'.encode())
        return Response(200 if path.rpartition("/")[2] in self.kept else 404, {}, b"{}")

    def client(self, service: str) -> Any:
        return self._clients[service]


def as_world(fake: FakeWorld) -> World:
    """What a journey takes it for."""
    return cast("World", fake)


def clients(world: FakeWorld) -> Clients:
    return Clients(App(as_world(world)))


def test_what_was_promised_and_is_there_holds() -> None:
    world = FakeWorld()
    made = clients(world)
    assert [made(number).status for number in range(4)] == [201, 200, 201, 200]
    assert len(made.promised) == 2
    made.promises_hold()


def test_a_promise_that_is_broken_is_noticed() -> None:
    world = FakeWorld()
    made = clients(world)
    made(0)
    world.kept.clear()
    with pytest.raises(AssertionError, match="1 of 1 customers that were said to be kept are gone"):
        made.promises_hold()


def test_what_was_refused_is_no_promise_and_no_promise_proves_nothing() -> None:
    world = FakeWorld()
    made = clients(world)
    world.refuses = True
    assert made(0).status == 503
    with pytest.raises(AssertionError, match="nothing was written"):
        made.promises_hold()


class Secrets:
    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, str]:  # noqa: N803 - boto3's names
        assert (SecretId, VersionStage) == (OUT["DatabaseSecretArn"], "AWSCURRENT")
        return {"SecretString": SECRET}


class Connection:
    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def database(monkeypatch: pytest.MonkeyPatch, connect: Callable[..., Any]) -> Database:
    monkeypatch.setattr(psycopg, "connect", connect)
    return Database(as_world(FakeWorld(secretsmanager=Secrets())))


def refuse(error: psycopg.OperationalError) -> Callable[..., Any]:
    def connect(**_: Any) -> Any:
        raise error

    return connect


def test_a_refusal_is_told_as_the_database_said_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = database(monkeypatch, refuse(psycopg.OperationalError("FATAL: no encryption\nmore")))
    assert data.refuses("no encryption", sslmode="disable") == "FATAL: no encryption"


def test_a_database_that_lets_everybody_in_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = database(monkeypatch, lambda **_: Connection())
    with pytest.raises(AssertionError, match="expected to be refused with 'no encryption', and was let in"):
        data.refuses("no encryption", sslmode="disable")


def test_another_refusal_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = database(monkeypatch, refuse(psycopg.OperationalError("FATAL: too many connections")))
    with pytest.raises(AssertionError, match="expected 'no encryption', got FATAL: too many connections"):
        data.refuses("no encryption")


def test_a_database_that_cannot_be_reached_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    data = database(monkeypatch, refuse(psycopg.errors.ConnectionTimeout("connection timeout expired")))
    with pytest.raises(NotRunError, match="isolated subnets"):
        data.refuses("no encryption")


def test_the_connection_is_verified_and_bounded_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def connect(**said: Any) -> Connection:
        seen.update(said)
        return Connection()

    with database(monkeypatch, connect).connected(password="q"):
        pass
    assert seen == {
        "host": "h",
        "port": 5432,
        "user": "u",
        "password": "q",
        "dbname": "d",
        "sslmode": "verify-full",
        "sslrootcert": str(AUTHORITIES),
        "connect_timeout": 5,
    }


def test_on_aws_the_authorities_of_rds_are_trusted_which_no_system_knows() -> None:
    names = {one.subject.rfc4514_string() for one in x509.load_pem_x509_certificates(AUTHORITIES.read_bytes())}
    assert any("Amazon RDS eu-west-1 Root CA RSA2048 G1" in name for name in names), sorted(names)[:3]


class Recording(Saying, FakeWorld):
    """Tells what was not run."""

    out = OUT | {"DatabaseIdentifier": "one"}

    def __init__(self, **clients: Any) -> None:
        super().__init__(**clients)
        self.said: list[str] = []


def test_from_outside_the_vpc_nothing_is_restored_that_nobody_could_look_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client of RDS that can do nothing: any call would be a failure."""
    world = Recording(rds=object(), secretsmanager=Secrets())
    monkeypatch.setattr(psycopg, "connect", refuse(psycopg.errors.ConnectionTimeout("connection timeout expired")))
    backup.restored(as_world(world), App(as_world(world)), Database(as_world(world)))
    assert [one.rpartition(": ")[2] for one in world.said] == ["it was not asked", "nobody could look into the first"]


def test_a_database_with_a_replica_is_not_stopped() -> None:
    described = {"DBInstances": [{"ReadReplicaDBInstanceIdentifiers": ["two"]}]}
    world = Recording(rds=SimpleNamespace(describe_db_instances=lambda **_: described))
    outages.stopped_and_started(as_world(world), App(as_world(world)))
    assert world.said == ["the database is stopped and started: RDS stops none that has replicas; this one has some"]


def test_a_failover_shows_in_the_zone_once_rds_says_so() -> None:
    zones = iter(["a", "b"])
    rds = SimpleNamespace(describe_db_instances=lambda **_: {"DBInstances": [{"AvailabilityZone": next(zones)}]})
    world = as_world(Recording(rds=rds))
    assert outages._instance_elsewhere(world, "a") is None
    assert outages._instance_elsewhere(world, "a") == {"AvailabilityZone": "b"}


def test_every_door_of_a_group_is_read() -> None:
    rules = [
        {"FromPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "UserIdGroupPairs": []},
        {"FromPort": 8080, "UserIdGroupPairs": [{"GroupId": "sg-2"}, {"GroupId": "sg-3"}]},
    ]
    ec2 = SimpleNamespace(
        describe_security_groups=lambda **_: {"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": rules}]}
    )
    found = _let_in(as_world(FakeWorld(ec2=ec2)), ("sg-1",))
    assert found == {"sg-1": {("0.0.0.0/0", 443), ("sg-2", 8080), ("sg-3", 8080)}}


@pytest.mark.parametrize(
    ("target", "state", "serves"),
    [
        ("i-1", "healthy", True),
        ("127.0.0.1:41234", "healthy", False),
        ("127.0.0.1:8080", "healthy", False),
        ("i-2", "healthy", False),
        ("i-1", "unhealthy", False),
        ("i-1", "draining", False),
    ],
)
def test_who_gets_requests(target: str, state: str, serves: bool) -> None:
    described = [{"Target": {"Id": "i-1", "Port": 8080}, "TargetHealth": {"State": state}}]
    elbv2 = SimpleNamespace(describe_target_health=lambda **_: {"TargetHealthDescriptions": described})
    world: Any = FakeWorld(elbv2=elbv2)
    server: Any = SimpleNamespace(target=target)
    assert _serves(world, server) is serves


def test_a_process_is_known_by_address_and_port() -> None:
    described = [{"Target": {"Id": "127.0.0.1", "Port": 41234}, "TargetHealth": {"State": "healthy"}}]
    elbv2 = SimpleNamespace(describe_target_health=lambda **_: {"TargetHealthDescriptions": described})
    world: Any = FakeWorld(elbv2=elbv2)
    for target, serves in (("127.0.0.1:41234", True), ("127.0.0.1:1", False)):
        server: Any = SimpleNamespace(target=target)
        assert _serves(world, server) is serves


def refusing(message: str) -> Any:
    def rotate_secret(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "InvalidRequestException", "Message": message}}, "RotateSecret")

    stages = {"one": ["AWSCURRENT"], "two": ["AWSPENDING"]}
    return SimpleNamespace(rotate_secret=rotate_secret, describe_secret=lambda **_: {"VersionIdsToStages": stages})


def test_a_rotation_that_did_not_end_goes_on() -> None:
    """As an earlier run may have left it."""
    secrets = refusing("A previous rotation isn't complete. That rotation will be reattempted.")
    assert _rotate(secrets, "arn") == "two"


def test_another_refusal_of_a_rotation_is_none_of_that() -> None:
    with pytest.raises(ClientError, match="no function"):
        _rotate(refusing("no function"), "arn")
