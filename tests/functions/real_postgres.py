"""A real PostgreSQL on loopback for tests of what speaks to one: TLS is forced and passwords are asked, as on RDS."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from localcloud import certificates
from tests import kept_postgres

USER = "customers"
_ACCESS = "hostssl all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class Postgres:
    """A running server.

    Attributes:
        port: Its port on 127.0.0.1.
        ca: The authority of its certificate, which is for "localhost".
        first_password: What the user's password is at first.
        log: What it has logged.
    """

    port: int
    ca: Path
    first_password: str
    log: Path


@contextmanager
def postgres(first_password: str) -> Iterator[Postgres]:
    """Start a server that logs every statement, and stop it."""
    with TemporaryDirectory(prefix="postgres-") as folder, kept_postgres.home() as home:
        files = certificates.ensure(Path(folder) / "tls", "eu-west-1")
        server = kept_postgres.KeptPostgres(
            home,
            user=USER,
            password=first_password,
            tls=(files.certificate, files.key),
            access=_ACCESS,
            settings={"log_statement": "all"},
        )
        with server.running():
            yield Postgres(server.port, files.ca, first_password, server.log)
