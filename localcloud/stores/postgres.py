"""One PostgreSQL server: its data, its process, and what its administrator tells it."""

from __future__ import annotations

import importlib
import os
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcloud.stores import postgres_settings as settings
from localcloud.stores.home import PortTakenError, Server, StoreError, free_port, home, once

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDRESS = "localhost"
START_SECONDS = 30.0


@once
def programs() -> Path:
    """PostgreSQL as its user can run it; the launcher says where it is."""
    return home().reachable(Path(os.environ["STORES_POSTGRES"]))


@once
def parameters() -> Mapping[str, str]:
    """The parameters that this PostgreSQL knows."""
    return settings.known(home(), programs())


@once
def _template() -> Path:
    """A data folder as initdb makes it: copying it takes a fifth of the time of making it."""
    folder = home().folder("template")
    home().run(
        programs() / "bin" / "initdb", "--pgdata", folder / "data", "--username", settings.ADMIN, "--auth", "trust",
        "--encoding", "UTF8", "--locale", "C.UTF-8", "--wal-segsize", "1", "--no-sync", "--no-instructions",
    )  # fmt: skip
    return folder / "data"


class Postgres:
    """A server with data of its own, at `localhost:port`, with TLS.

    Its methods are called from several threads; one at a time does something to it.
    """

    def __init__(self) -> None:
        self.folder = home().folder("postgres")
        self.data = self.folder / "data"
        self.port = free_port()
        self._lock = threading.RLock()
        self._server: Server | None = None
        self._follows: Postgres | None = None
        for name, variable in (("server.pem", "STORES_CERTIFICATE"), ("server.key", "STORES_KEY")):
            (self.folder / name).touch(0o600)
            (self.folder / name).write_bytes(Path(os.environ[variable]).read_bytes())
            home().give(self.folder / name)

    @property
    def lives(self) -> bool:
        """Whether its process runs."""
        return self._server is not None and self._server.lives

    def initialize(self) -> None:
        """Give it empty data."""
        self.restore(_template())

    def restore(self, copy: Path) -> None:
        """Give it the data of a copy."""
        home().run("cp", "-a", copy, self.data)
        (self.data / "standby.signal").unlink(missing_ok=True)  # of a replica

    def follow(self, source: Postgres) -> None:
        """Give it the data of a running server, which it then replicates."""
        source.backup(self.data)
        (self.data / "standby.signal").touch()
        self._follows = source

    def backup(self, target: Path) -> None:
        """Copy the data, consistent, while it runs or not, to a folder that does not exist yet."""
        with self._lock:
            if not self.lives:
                home().run("cp", "-a", self.data, target)
                return
            home().run(
                programs() / "bin" / "pg_basebackup", "--pgdata", target, "--checkpoint", "fast", "--no-sync",
                "--host", self.folder, "--port", str(self.port), "--username", settings.ADMIN,
            )  # fmt: skip

    def configure(self, group: Mapping[str, str], *, force_tls: bool) -> None:
        """Write its settings; it reads them when it starts, or at `reload`."""
        text = settings.configuration(self.folder, self.port, group, parameters())
        if source := self._follows:
            text += f"primary_conninfo = 'host={source.folder} port={source.port} user={settings.ADMIN}'\n"
        self._write("postgresql.conf", text)
        self._write("pg_hba.conf", settings.access(force_tls=force_tls))

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            StoreError: it does not start.
        """
        with self._lock:
            if self.lives:
                return
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            log = self.folder / "postgres.log"
            self._server = home().serve([str(programs() / "bin" / "postgres"), "-D", str(self.data)], log)
            until = time.monotonic() + START_SECONDS
            while not self._answers():
                if not self._server.lives or time.monotonic() > until:
                    self.stop(orderly=False)
                    said = _last_words(log)
                    kind = PortTakenError if "Address already in use" in said else StoreError
                    raise kind(f"PostgreSQL does not start: {said}")
                time.sleep(0.02)

    def stop(self, *, orderly: bool = True) -> None:
        """Stop it and wait until it has ended; in disorder as when its machine dies."""
        with self._lock:
            if self._server:
                self._server.end(orderly=orderly)
                self._server = None

    def remove(self) -> None:
        """Stop it and forget its data."""
        self.stop(orderly=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def reload(self) -> None:
        """Let it read its settings anew."""
        self.sql("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Let a replica take writes from now on."""
        self.sql("SELECT pg_promote()")
        self._follows = None

    def populate(self, master: str, password: str, database: str | None) -> None:
        """Make RDS's roles, the master user and the first database."""
        quoted = _identifier(master)
        for statement in settings.roles(quoted):
            self.sql(statement)
        self.change_password(master, password)
        if database and database != "postgres":
            self.sql(f"CREATE DATABASE {_identifier(database)} OWNER {quoted}")

    def change_password(self, user: str, password: str) -> None:
        """Set a user's password."""
        self.sql(f"ALTER ROLE {_identifier(user)} PASSWORD %s", password)

    def sql(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """What the administrator gets for a statement."""
        connection = self._connect()
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def _connect(self) -> Any:
        # Only there in the emulator's environment.
        driver = importlib.import_module("psycopg2")
        return driver.connect(host=str(self.folder), port=self.port, user=settings.ADMIN, dbname="postgres")

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except importlib.import_module("psycopg2").OperationalError:
            return False
        return True

    def _write(self, name: str, text: str) -> None:
        (self.data / name).write_text(text, encoding="utf-8")
        home().give(self.data / name)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def _last_words(log: Path) -> str:
    return " ".join(log.read_text(errors="replace").splitlines()[-5:])
