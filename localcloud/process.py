"""Child processes that never outlive us: each in a group of its own, on a leash, with its output in a log file."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from localcloud.errors import LocalCloudError

LEASH = Path(__file__).with_name("leash.py")
POLL_SECONDS = 0.05


class Child:
    """A running child process; leaving its `with` block stops it and everything it started.

    Args:
        command: what to run. It must end by itself when its standard input closes; see `leashed` for those that do not.
        log: file that takes its output (appended).
        env: its whole environment.
        cwd: its working folder.
    """

    def __init__(self, command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # never written to: its closing tells the child that we are gone
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,  # Ctrl-C at the terminal reaches us alone
            )

    @classmethod
    def leashed(
        cls, command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path, gentle: bool = False
    ) -> Self:
        """A child for a command that knows nothing of us: leash.py watches in its stead.

        Args:
            command: what to run.
            log: file that takes its output (appended).
            env: its whole environment.
            cwd: its working folder.
            gentle: whether the command itself hears the TERM of `stop`, to finish in order.
        """
        leash = [sys.executable, "-S", "-E", str(LEASH), *(["--gentle"] if gentle else [])]
        return cls([*leash, *command], log=log, env=env, cwd=cwd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its group."""
        return self._process.pid

    def status(self) -> int | None:
        """The exit status, None while it runs."""
        if self._process.returncode is None and self._ended():
            self._sweep()
        return self._process.returncode

    def wait(self, seconds: float) -> int | None:
        """Wait for the end; the exit status, None when `seconds` were not enough."""
        until = time.monotonic() + seconds
        while not self._ended() and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        return self.status()

    def stop(self, seconds: float = 5.0) -> None:
        """TERM to the process itself, then KILL to what is left of its group."""
        if self._process.returncode is not None:
            return
        try:
            if not self._ended():
                self._process.terminate()
            until = time.monotonic() + seconds
            while not self._ended() and time.monotonic() < until:
                time.sleep(POLL_SECONDS)
        finally:  # also when somebody loses patience and presses Ctrl-C once more
            self._sweep()

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process.returncode is None:
            self._sweep()

    def _ended(self) -> bool:
        """Whether it has ended, without reaping it: until then its id, thus its group's, belongs to nobody else."""
        if self._process.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _sweep(self) -> None:
        # Nobody may be left, which macOS calls a PermissionError when the leader is a zombie.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def tail(self, lines: int = 20) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def require(path: Path, what: str) -> Path:
    """`path`, which must exist.

    Raises:
        LocalCloudError: it does not; set-up has not run or was for something else.
    """
    if not path.exists():
        raise LocalCloudError(f"{what} is not there ({path}): run make setup")
    return path
