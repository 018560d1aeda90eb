"""Runs a command and ends it, with all its children, when standard input closes or at SIGTERM.

`python leash.py [--gentle] command argument...`: gentle passes SIGTERM on and waits for the command, which then has the
time that whoever started us gives it. The process that started us holds the other end of our standard input, so however
it dies (Ctrl-C, kill -9), nothing of the command is left. Standard library only, started with `-S -E` to be quick.
"""

import os
import signal
import subprocess
import sys
import threading
from types import FrameType


def main(command: list[str]) -> int:
    """Run `command` in our process group; its exit status."""
    # Ctrl-C at the terminal is for whoever started us; the command itself must not inherit that it is ignored.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_group)
    gentle = command[0] == "--gentle"
    child = subprocess.Popen(command[gentle:], stdin=subprocess.DEVNULL)
    if gentle:
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=_watch_owner, daemon=True).start()
    return child.wait()


def _watch_owner() -> None:
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


def _end_group(_number: int, _frame: FrameType | None) -> None:
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
