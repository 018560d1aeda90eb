"""Where the servers of the stores live: a short folder below /tmp, theirs alone, gone when the emulator is gone."""

import fcntl
import functools
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

KEEPER = Path(__file__).with_name("keeper.py")
NOBODY = 65534
PORTS = range(20000, 32000)
"""Below every system's ephemeral ports: a port stays free while the server that has it is stopped."""


Made = TypeVar("Made")


class StoreError(RuntimeError):
    """A store cannot do what it was asked for; the message is what its program said."""


class PortTakenError(StoreError):
    """Somebody was quicker to take the port."""


class Home:
    """The folder and the user of all servers.

    PostgreSQL refuses to run as root, and its user can neither enter a checkout below a folder of mode 0700 nor may a
    socket's path be longer than about 100 characters; hence a short folder below /tmp, and another user when we are
    root.
    """

    def __init__(self) -> None:
        self.user = NOBODY if os.geteuid() == 0 else None
        self.root = Path(tempfile.mkdtemp(prefix="localcloud-", dir="/tmp"))
        self.root.chmod(0o711)
        (self.root / "lock").touch(0o600)
        self._keeper = self._keep([], self.root / "lock", None)

    def close(self) -> None:
        """Remove the folder, as soon as every server has ended: by itself it goes when we do."""
        if self._keeper.stdin:
            self._keeper.stdin.close()
        self._keeper.wait()

    def folder(self, name: str) -> Path:
        """A new folder that the servers' user alone can enter."""
        made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.root))
        self.give(made)
        return made

    def give(self, path: Path) -> None:
        """Let the servers' user own a file or folder."""
        if self.user is not None:
            os.chown(path, self.user, self.user)

    def run(self, *command: str | Path) -> str:
        """Run a command as the servers' user; what it said.

        Raises:
            StoreError: it failed.
        """
        identity: dict[str, Any] = {}
        if self.user is not None:
            identity = {"user": self.user, "group": self.user, "extra_groups": []}
        environment = {"PATH": os.defpath, "LC_ALL": "C"}
        try:
            done = subprocess.run(
                [str(part) for part in command],
                capture_output=True, text=True, check=False, cwd=self.root, env=environment, **identity,
            )  # fmt: skip
        except OSError as error:
            raise StoreError(f"{command[0]}: {error}") from error
        if done.returncode:
            raise StoreError(f"{command[0]}: {done.stderr.strip() or done.stdout.strip()}")
        return str(done.stdout)

    def serve(self, command: list[str], log: Path, *, ours: bool = False) -> "Server":
        """Start a server under a keeper; `ours` as the user that we are."""
        return Server(self._keep(command, log, None if ours else self.user))

    def reachable(self, programs: Path) -> Path:
        """`programs` (a PostgreSQL with its bin folder), or a copy of it when the servers' user cannot use that."""
        try:
            self.run(programs / "bin" / "postgres", "--version")
        except StoreError:
            copy = self.root / "programs"
            if not copy.exists():
                shutil.copytree(programs, copy, symlinks=True, copy_function=_copy_readable)
                for folder in (copy, *(each for each in copy.rglob("*") if each.is_dir())):
                    folder.chmod(0o755)
            self.run(copy / "bin" / "postgres", "--version")
            return copy
        return programs

    def _keep(self, command: list[str], log: Path, user: int | None) -> "subprocess.Popen[bytes]":
        settings = {"command": command, "root": str(self.root), "user": user, "log": str(log)}
        handle = os.open(self.root / "lock", os.O_RDONLY)
        try:
            if command:  # the keeper of the folder waits until nobody has this lock
                fcntl.flock(handle, fcntl.LOCK_SH)
            return subprocess.Popen(
                [sys.executable, "-S", "-E", str(KEEPER), json.dumps(settings)],
                stdin=subprocess.PIPE,  # never written to: its closing tells the keeper that we are gone
                pass_fds=[handle],
                env={"PATH": os.defpath, "LC_ALL": "C"},
                cwd=self.root,
                start_new_session=True,  # whoever kills our group must leave it the time to clean up
            )
        finally:
            os.close(handle)


class Server:
    """A running server, by its keeper."""

    def __init__(self, keeper: "subprocess.Popen[bytes]") -> None:
        self._keeper = keeper

    @property
    def lives(self) -> bool:
        """Whether it runs."""
        return self._keeper.poll() is None

    def end(self, *, orderly: bool = True) -> None:
        """End it and wait; in disorder as when its machine dies."""
        if orderly:
            self._keeper.terminate()
        elif self._keeper.stdin:
            self._keeper.stdin.close()
        self._keeper.wait()
        if self._keeper.stdin:
            self._keeper.stdin.close()


def once(make: Callable[[], Made]) -> Callable[[], Made]:
    """Let a function run once only, whoever calls it first, also when several threads do."""
    lock, kept = threading.RLock(), functools.cache(make)

    @functools.wraps(make)
    def made() -> Made:
        with lock:
            return kept()

    return made


@once
def home() -> Home:
    """The home of this emulator's stores, made when the first of them is."""
    return Home()


def bound() -> socket.socket:
    """A socket bound to a loopback port that nobody else has, outside the ephemeral ones."""
    while True:
        probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", random.choice(PORTS)))  # noqa: S311 - not a secret
        except OSError:
            probe.close()
            continue
        return probe


def free_port() -> int:
    """A port as of `bound` that is free now."""
    with bound() as probe:
        return int(probe.getsockname()[1])


def _copy_readable(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    Path(target).chmod(0o755)
