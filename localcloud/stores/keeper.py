"""Keeps one server of a store: runs it, and ends it when standard input closes, however the emulator died.

`python keeper.py '{"command": [...], "root": ..., "user": ..., "log": ...}'`: the emulator holds the other end of our
standard input. SIGTERM asks the server to end in order. Without a command it keeps the folder of all stores instead,
and removes it when the emulator and every keeper are gone: each of them inherits a shared lock of `<root>/lock`.
Standard library only, started with `-S -E` to be quick.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

PATIENCE = 6.0
"""Seconds after which the server is killed. PostgreSQL kills what is left of its own children after five, and then
takes its shared memory along (source: postmaster.c, SIGKILL_CHILDREN_AFTER_SECS); killed before, it leaves both."""


def keep_server(command: list[str], root: Path, user: int | None, log: Path) -> int:
    """Run a server as `user`; its exit status."""
    identity: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    with log.open("ab") as output:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=root, **identity
        )
    # From here on, what came before included: end without waiting for clients (PostgreSQL's "fast", Redis as at TERM).
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGINT))
    if asked.is_set():
        child.send_signal(signal.SIGINT)
    threading.Thread(target=_watch_owner, args=(child,), daemon=True).start()
    return child.wait()


def keep_folder(root: Path) -> int:
    """Remove `root` when everybody who uses it has ended."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _owner_is_gone()
    with (root / "lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    shutil.rmtree(root, ignore_errors=True)
    return 0


def _watch_owner(child: "subprocess.Popen[bytes]") -> None:
    _owner_is_gone()
    child.send_signal(signal.SIGQUIT)  # PostgreSQL's "immediate": it takes its own children along
    child.send_signal(signal.SIGCONT)  # also when somebody has stopped it
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()


def _owner_is_gone() -> None:
    """Wait until the other end of standard input closes."""
    while os.read(0, 1024):
        pass


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    if given["command"]:
        status = keep_server(given["command"], Path(given["root"]), given["user"], Path(given["log"]))
    else:
        status = keep_folder(Path(given["root"]))
    sys.exit(status)
