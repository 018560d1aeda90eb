"""A real PostgreSQL for tests: TLS alone, a password, stopped and started at will."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from tests import kept_postgres
from tests.servers.authority import issue

USER, PASSWORD = "customers_admin", "first password of the tests"


@dataclass
class Postgres:
    """A server that is stopped and started."""

    server: kept_postgres.KeptPostgres
    authority: Path
    password: str = PASSWORD

    @property
    def secret(self) -> dict[str, Any]:
        """As Secrets Manager keeps it."""
        return {
            "username": USER,
            "password": self.password,
            "host": "localhost",
            "port": self.server.port,
            "dbname": "postgres",
        }

    @property
    def runs(self) -> bool:
        """Whether it does."""
        return self.server.runs

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.server.start()

    def stop(self) -> None:
        """Stop it at once: connections are cut."""
        self.server.stop()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """A host that hangs: it takes connections, and says nothing."""
        pids = self._pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def connect(self, dbname: str = "postgres") -> psycopg.Connection[Any]:
        """A connection of the administrator."""
        return psycopg.connect(
            host="localhost",
            port=self.server.port,
            user=USER,
            password=self.password,
            dbname=dbname,
            sslmode="verify-full",
            sslrootcert=str(self.authority),
            autocommit=True,
        )

    def execute(self, statement: str) -> None:
        """Run a statement as the administrator."""
        with self.connect() as connection:
            connection.execute(statement.encode())

    def cut(self) -> None:
        """End every connection of the server under test, as a failover does."""
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datid > 0"
        )

    def _pids(self) -> list[int]:
        postmaster = int((self.server.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        return [postmaster, *map(int, children.split())]


@contextmanager
def running() -> Iterator[Postgres]:
    """One that is running, and gone afterwards."""
    with TemporaryDirectory(prefix="pg-") as folder, kept_postgres.home() as home:
        authority, certificate, key = issue(Path(folder))
        server = kept_postgres.KeptPostgres(
            home,
            user=USER,
            password=PASSWORD,
            tls=(certificate, key),
            access="hostssl all all 127.0.0.0/8 scram-sha-256\n",
            settings={"listen_addresses": "127.0.0.1,127.0.0.2", "max_connections": 40},
        )
        with server.running():
            yield Postgres(server, authority)
