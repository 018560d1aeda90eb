"""Stops local clouds that were left running: those whose lock in a state folder is held."""

import fcntl
import os
import signal
import time
from pathlib import Path

from localcloud.errors import LocalCloudError

PATIENCE = 10.0


def stop(states: Path) -> list[Path]:
    """Stop every local cloud whose state is below `states`; the folders of those that ran.

    The lock file names the process, but only a process that lives holds the lock: a stale file stops nobody.

    Raises:
        LocalCloudError: one did not end.
    """
    return [lock.parent for lock in sorted(states.glob("**/emulator.lock")) if _stop(lock)]


def holder(lock: Path) -> int | None:
    """The process that holds a lock, None when nobody does."""
    handle = os.open(lock, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.read(handle, 32))
    finally:
        os.close(handle)
    return None


def _stop(lock: Path) -> bool:
    pid = holder(lock)
    if pid is None:
        return False
    for number, patience in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, 2.0)):
        _signal(pid, number)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if holder(lock) != pid:
                return True
            time.sleep(0.05)
    raise LocalCloudError(f"the local cloud of {lock.parent} (process {pid}) does not end")


def _signal(pid: int, number: signal.Signals) -> None:
    """To the emulator alone when asked to end, to its whole group when killed."""
    try:
        if number == signal.SIGKILL:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        return
