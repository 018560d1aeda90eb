"""What a function has written to its log is there when it has answered.

Without this fix the emulator waits for 50 ms for the first line and for 250 ms at most, from a thread that has to get
its turn: on a busy machine lines are missing, and turn up with the next invocation if there is one. All that a function
wrote is in its pipe when its answer comes; so that is read to its end.
"""

import fcntl
import struct
import termios
import time
from typing import Any

from localcloud.internals import need

_QUIET = 0.02
"""Between the pipe and the queue a line may be in the reader's hands for so long."""
_MOST = 5.0
_POLL = 0.002


def apply() -> None:
    """Wrap how a worker's lines are collected."""
    worker = need("core.lambda_runtime", "Worker").Worker
    collect = worker._drain_stderr_bounded

    def collected(self: Any, *args: float, **named: float) -> str:
        found = [collect(self, *args, **named)]
        until = quiet_since = time.monotonic()
        until += _MOST
        while time.monotonic() < until:
            if _waiting(self) or not self._stderr_queue.empty():
                quiet_since = time.monotonic()
                found.append(self._drain_stderr())
            elif time.monotonic() - quiet_since >= _QUIET:
                break
            time.sleep(_POLL)
        return "\n".join(text for text in found if text)

    worker._drain_stderr_bounded = collected


def _waiting(worker: Any) -> bool:
    """Whether there is something in a worker's pipe that nobody has read."""
    pipe = getattr(getattr(worker, "_proc", None), "stderr", None)
    if pipe is None or pipe.closed:
        return False
    (unread,) = struct.unpack("i", fcntl.ioctl(pipe.fileno(), termios.FIONREAD, b"\0" * 4))
    return bool(unread)
