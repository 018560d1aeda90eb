"""Who can reach whom, read back from what is deployed, and what the database itself refuses."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from journeys._steps import NotRunError
from journeys._world import World

# RDS has authorities of its own, which no system knows.
AUTHORITIES = Path(__file__).resolve().parent.parent / "lambda_src" / "database_rotation" / "rds-global-bundle.pem"
_APART = "the database is in isolated subnets, which only the VPC reaches: it was not asked"


class Database:
    """The database as somebody sees it who knows its secret.

    Args:
        world: The deployed stack.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def secret(self, stage: str = "AWSCURRENT") -> dict[str, Any]:
        """A version of the secret."""
        secrets, arn = self._world.client("secretsmanager"), self._world.out["DatabaseSecretArn"]
        found: dict[str, Any] = json.loads(secrets.get_secret_value(SecretId=arn, VersionStage=stage)["SecretString"])
        return found

    @contextmanager
    def connected(self, **other: Any) -> "Iterator[psycopg.Connection[tuple[Any, ...]]]":
        """A connection as the application makes them, but for what is said otherwise.

        Raises:
            NotRunError: The database cannot be reached from here.
            psycopg.OperationalError: It refuses.
        """
        secret = self.secret()
        said = {
            "host": secret["host"],
            "port": secret["port"],
            "user": secret["username"],
            "password": secret["password"],
            "dbname": secret["dbname"],
            "sslmode": "verify-full",
            "sslrootcert": self._world.authority or str(AUTHORITIES),
            "connect_timeout": 5,
            **other,
        }
        try:
            connection = psycopg.connect(**said)
        except psycopg.errors.ConnectionTimeout as error:
            raise NotRunError(_APART) from error
        with connection:
            yield connection

    def refuses(self, says: str, **other: Any) -> str:
        """Try to connect, which must be refused; what was said.

        Raises:
            AssertionError: It let us in, or said something else.
        """
        said = ""
        try:
            with self.connected(**other):
                pass
        except psycopg.OperationalError as error:
            said = str(error)
        assert said, f"expected to be refused with {says!r}, and was let in"
        first = said.splitlines()[0]
        assert says in said, f"expected {says!r}, got {first}"
        return first


def groups(world: World) -> None:
    """The security groups as they are deployed."""
    with world.step("only the load balancer reaches the servers, only servers and rotation reach the database") as step:
        front, servers, data = (
            world.out[name] for name in ("LoadBalancerGroupId", "ServersGroupId", "DatabaseGroupId")
        )
        told = _let_in(world, (front, servers, data))
        assert told[front] == {("0.0.0.0/0", 80), ("0.0.0.0/0", 443)}, f"the load balancer lets in {told[front]}"
        assert told[servers] == {(front, 8080)}, f"the servers let in {told[servers]}"
        rotation = world.client("lambda").get_function_configuration(FunctionName=world.out["RotationFunctionName"])
        # Where functions do not stand in a VPC, the group is all the same the one other that the database lets in.
        known = set(rotation.get("VpcConfig", {}).get("SecurityGroupIds", []))
        others = {source for source, _ in told[data]} - {servers}
        assert {port for _, port in told[data]} == {5432}, f"the database lets in {told[data]}"
        assert len(others) == 1, f"the database lets in {told[data]}"
        assert not known or others == known, f"the database lets in {told[data]}"
        step.show(load_balancer="80, 443 from everywhere", servers="8080 from it", database="5432 from two groups")


def instance(world: World) -> None:
    """The database as it is deployed."""
    rds = world.client("rds")
    with world.step("the database is deployed private, encrypted, with a standby, and backed up for 35 days") as step:
        (found,) = rds.describe_db_instances(DBInstanceIdentifier=world.out["DatabaseIdentifier"])["DBInstances"]
        kept = {
            "PubliclyAccessible": False,
            "StorageEncrypted": True,
            "MultiAZ": True,
            "BackupRetentionPeriod": 35,
            "StorageType": "gp3",
        }
        seen = {name: found[name] for name in kept}
        assert seen == kept, f"expected {kept}, got {seen}"
        step.show(engine=f"{found['Engine']} {found['EngineVersion']}", zone=found["AvailabilityZone"], **seen)


def refusals(world: World, data: Database) -> None:
    """What the database refuses, whoever asks."""
    with world.step("the database refuses whoever speaks in the clear") as step:
        said = data.refuses("no encryption", sslmode="disable")
        with data.connected() as connection:
            row = connection.execute("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        step.show(in_the_clear=said.rpartition("FATAL:")[2].strip()[:80], with_tls=row[0] if row else None)

    with world.step("the database refuses a wrong password") as step:
        said = data.refuses("password authentication failed", password="not the password")  # noqa: S106 - it is not
        step.show(refused=said.rpartition("FATAL:")[2].strip())


def _let_in(world: World, names: tuple[str, ...]) -> dict[str, set[tuple[str, int]]]:
    """Group -> (who, port) that it lets in."""
    found = world.client("ec2").describe_security_groups(GroupIds=list(names))["SecurityGroups"]
    return {
        group["GroupId"]: {
            (who, int(rule["FromPort"]))
            for rule in group["IpPermissions"]
            for who in (
                *(one["CidrIp"] for one in rule.get("IpRanges", [])),
                *(one["GroupId"] for one in rule.get("UserIdGroupPairs", [])),
            )
        }
        for group in found
    }
