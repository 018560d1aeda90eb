"""Starts the emulator: a state folder of its own, certificates, the process, and one request that proves it."""

import http.client
import json
import shutil
import ssl
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from localcloud import cdk, certificates, environment, leftovers
from localcloud.emulator import EXIT_MISMATCH, Ready, Settings
from localcloud.errors import LocalCloudError
from localcloud.process import Child, require

SECONDS = 60.0
"""How long it may take to get ready."""


def start(state: Path, python: Path, children: ExitStack, *, fixes: bool) -> tuple[Child, Ready, Path]:
    """Start the emulator; its process (ended with `children`), what it says of itself, and the authority's certificate.

    Args:
        state: its folder; emptied first, except for certificates and unpacked layers.
        python: the interpreter of its environment.
        children: ends it.
        fixes: whether it gets ours.

    Raises:
        LocalCloudError: it did not start, or another one runs from this folder.
    """
    require(python, "the emulator's environment")
    state.mkdir(parents=True, exist_ok=True)
    lock = state / "emulator.lock"
    if lock.exists() and (pid := leftovers.holder(lock)):
        raise LocalCloudError(f"another local cloud (process {pid}) runs from {state}: stop it with make down")
    made = certificates.ensure(state / "tls", environment.REGION)
    _clear(state)
    settings = Settings(str(state), certificate=str(made.certificate), key=str(made.key), fixes=fixes)
    child = Child(
        [str(python), "-m", "localcloud.emulator", json.dumps(asdict(settings))],
        log=state / "logs" / "emulator.log",
        env=environment.of_emulator(state, made),
        cwd=cdk.ROOT,
    )
    children.enter_context(child)
    until = time.monotonic() + SECONDS
    ready_file = state / "emulator.json"
    while not ready_file.exists():
        if child.wait(0.02) is not None:
            raise _not_started(child)
        if time.monotonic() > until:
            raise LocalCloudError(f"the emulator did not get ready within {SECONDS:.0f} s; its log: {child.log}")
    ready = Ready(**json.loads(ready_file.read_text()))
    _check_health(ready, made.ca)
    return child, ready, made.ca


def _clear(state: Path) -> None:
    """Remove what an earlier run left, so that nothing old is taken for new; not the lock, which may be held."""
    for name in ("data", "logs", "cdk.out", "home", "tmp"):
        shutil.rmtree(state / name, ignore_errors=True)
    for name in ("emulator.json", "iam.jsonl", "outputs.json"):
        (state / name).unlink(missing_ok=True)
    for name in ("data", "home", "tmp"):
        (state / name).mkdir()


def _not_started(child: Child) -> LocalCloudError:
    said = child.tail(1) or "it said nothing"
    if child.status() == EXIT_MISMATCH:
        return LocalCloudError(said)
    return LocalCloudError(f"the emulator ended with status {child.status()}: {said}; its log: {child.log}")


def _check_health(ready: Ready, ca: Path) -> None:
    """One request through TLS, verified, as every later one will be."""
    context = ssl.create_default_context(cafile=str(ca))
    connection = http.client.HTTPSConnection("127.0.0.1", ready.port, context=context, timeout=30)
    connection.request("GET", "/_ministack/health")
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    if answer.get("auth") != "enabled":
        raise LocalCloudError(f"the emulator answers, but does not enforce IAM (auth: {answer.get('auth')!r})")
