"""Real processes of the servers: ``python -m <package>`` on loopback, with their logs read."""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from localcloud.process import LEASH

ROOT = Path(__file__).parent.parent.parent
# However the tests end, no server is left.
_LEASH = (sys.executable, "-S", "-E", str(LEASH), "--gentle")
_LISTENING = re.compile(r"Uvicorn running on http://0\.0\.0\.0:(\d+)")
# No proxy, profile or endpoint of the machine gets in.
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
_PATIENCE = 20
# No server here speaks TLS, and the machine's authorities take longer to read than a request takes.
_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# As in a container with a read-only file system: what follows can write no byte to a file.
READ_ONLY = ("/bin/sh", "-c", 'ulimit -f 0 && exec "$@"', "sh")
AWS = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "of the tests",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What a process is told, and nothing else."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT / "container_src"), "PYTHONDONTWRITEBYTECODE": "1", "PORT": "0", **given}


class Process:
    """A server that runs.

    Args:
        package: Which.
        given: Its environment.
    """

    def __init__(self, package: str, given: Mapping[str, str]) -> None:
        self.logs: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._ended = False
        self._process = subprocess.Popen(
            [*_LEASH, *READ_ONLY, sys.executable, "-m", package],
            env=environment(given),
            stdin=subprocess.PIPE,  # never written to: its closing tells the leash that we are gone
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            line = self.log(lambda one: bool(_LISTENING.search(one["event"])))
        except BaseException:
            self.kill()
            raise
        found = _LISTENING.search(line["event"])
        assert found is not None
        self.url = f"http://127.0.0.1:{found[1]}"

    def log(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first line of its log that is wanted; waited for."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self.logs if wanted(line)), None)

        with self._changed:
            assert self._changed.wait_for(lambda: self._ended or found() is not None, _PATIENCE), self.logs[-20:]
            line = found()
        assert line is not None, self.logs[-20:]
        return line

    def client(self, **options: Any) -> httpx.Client:
        """A client of it."""
        options = {"timeout": 15, **options}
        return httpx.Client(base_url=self.url, trust_env=False, verify=_NO_AUTHORITIES, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """The answer to one request, on a connection of its own."""
        with self.client(**options) as client:
            return client.get(path)

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Its status, when it has ended."""
        assert self._process.stdin is not None
        status = self._process.wait(_PATIENCE)
        self._process.stdin.close()
        self._reader.join(_PATIENCE)
        return status

    def kill(self) -> None:
        """End it, whatever it does."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout:
            for text in self._process.stdout:
                try:
                    line = json.loads(text)
                except ValueError:
                    line = {"event": text.rstrip(), "not_json": True}
                with self._changed:
                    self.logs.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


@contextmanager
def running(package: str, given: Mapping[str, str]) -> Iterator[Process]:
    """A server that runs, and is gone afterwards."""
    process = Process(package, given)
    try:
        yield process
    finally:
        process.kill()
