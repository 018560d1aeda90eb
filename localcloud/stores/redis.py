"""One Redis server: its process, reached by a socket of its own alone, and its users."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import time
from typing import TYPE_CHECKING

from localcloud.stores.home import StoreError, home
from localcloud.stores.resp import encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

START_SECONDS = 30.0
ADMIN = "localcloud"
# ElastiCache user guide, "Supported and restricted commands"; the access string of a user cannot give them back.
_RESTRICTED = (
    *(
        "-acl",
        "-bgrewriteaof",
        "-bgsave",
        "-config",
        "-debug",
        "-failover",
        "-migrate",
        "-module",
        "-psync",
        "-replicaof",
    ),
    *("-save", "-shutdown", "-slaveof", "-sync"),
)


class Redis:
    """A server without data, whose user `default` is off unless it is opened."""

    def __init__(self, *, max_gigabytes: int | None) -> None:
        self._folder = home().folder("redis")
        self._password = secrets.token_hex()
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "dir": str(self._folder),
            "save": '""',
            "appendonly": "no",
            # As a serverless cache: a full one gives up what expires anyway, the least recently used first.
            "maxmemory": f"{max_gigabytes}gb" if max_gigabytes else "0",
            "maxmemory-policy": "volatile-lru",
        }
        users = f"user default off\nuser {ADMIN} on >{self._password} ~* &* +@all\n"
        self._settings = self._folder / "redis.conf"
        self._settings.touch(0o600)
        self._settings.write_text("".join(f"{name} {value}\n" for name, value in settings.items()) + users)
        log = self._folder / "redis.log"
        self._server = home().serve([os.environ["STORES_REDIS"], str(self._settings)], log, ours=True)
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self._server.lives or time.monotonic() > until:
                self.remove()
                raise StoreError(f"Redis does not start: {log.read_text(errors='replace')[-300:]}")
            time.sleep(0.01)

    @property
    def socket(self) -> Path:
        """Where it is reached."""
        return self._folder / "redis.sock"

    def set_users(self, users: Mapping[str, Iterable[str]]) -> None:
        """Let these be its users, each with its rules (`on ~app:* +@read >password`), and nobody else.

        Raises:
            StoreError: Redis does not know a rule; nothing has changed then, but for users before that one.
        """
        for name, rules in users.items():
            self.command("ACL", "SETUSER", name, "reset", *rules, *_RESTRICTED)
        gone = {user.decode() for user in self._list("ACL", "USERS")} - users.keys() - {ADMIN, "default"}
        if gone:
            self.command("ACL", "DELUSER", *gone)
        if "default" not in users:
            self.command("ACL", "SETUSER", "default", "reset")

    def command(self, *words: str) -> bytes:
        """What the administrator gets for a command, as Redis writes it.

        Raises:
            StoreError: Redis refuses it.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(START_SECONDS)
            connection.connect(str(self.socket))
            login = [b"AUTH", ADMIN.encode(), self._password.encode()]
            connection.sendall(encoded(login) + encoded([word.encode() for word in words]) + encoded([b"QUIT"]))
            received = bytearray()
            while chunk := connection.recv(65536):
                received += chunk
        answer = bytes(received).removeprefix(b"+OK\r\n").removesuffix(b"+OK\r\n")
        if answer.startswith(b"-"):
            raise StoreError(f"Redis: {answer[1:].decode(errors='replace').strip()}")
        return answer

    def remove(self) -> None:
        """End it; its data go with it."""
        self._server.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _list(self, *words: str) -> list[bytes]:
        return self.command(*words).split(b"\r\n")[2::2]

    def _answers(self) -> bool:
        try:
            return self.command("PING") == b"+PONG\r\n"
        except OSError:
            return False
