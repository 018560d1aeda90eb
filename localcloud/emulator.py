"""Runs the emulator inside its own interpreter: two loopback ports, TLS on one of them, our extensions loaded.

Started by `localcloud.process`; its only argument is a JSON object (`Settings`). It chooses free ports by binding them,
holds the lock that says "running", says "ready" by writing a file, and ends at SIGTERM or when its standard input
closes, which happens by itself when whoever started it dies in any way.
"""

from __future__ import annotations

import asyncio
import fcntl
import importlib
import json
import os
import platform
import signal
import socket
import sys
import threading
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcloud import internals

if TYPE_CHECKING:
    from localcloud.iam_log import DecisionLog

EXIT_MISMATCH = 3
EXIT_ALREADY_RUNNING = 4
SHUTDOWN_SECONDS = 5.0


@dataclass(frozen=True)
class Settings:
    """What the launcher is told."""

    state: str
    """Folder of the lock, the ready file, the logs and the emulator's data."""
    certificate: str
    key: str
    fixes: bool
    """Whether to apply our fixes; tests look at the emulator without them."""


@dataclass(frozen=True)
class Ready:
    """What the launcher tells when it serves."""

    pid: int
    port: int
    plain_port: int
    python: str
    """X.Y of the interpreter that runs Python functions."""
    machine: str
    emulator: str
    native: list[str]
    """Resource types that the emulator's CloudFormation handles by itself."""
    added: dict[str, str]
    """Resource types that our registry adds: type -> "adapter" or "recorded"."""
    fixes: list[str]
    mqtt_port: int = 0
    """Where devices speak MQTT over TLS; 0: nowhere, as without our fixes."""


def lock(path: Path) -> int | None:
    """Take the lock of a state folder for the life of this process; None when another process has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    os.truncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
    return handle


def loopback() -> socket.socket:
    """A listening socket on a free loopback port."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.bind(("127.0.0.1", 0))
    made.listen(100)  # a client that comes early waits in the backlog
    return made


def main(settings: Settings) -> int:
    """Serve until told to stop; the exit status."""
    state = Path(settings.state)
    held = lock(state / "emulator.lock")
    if held is None:
        print(f"another local cloud runs from {state}: stop it with make down", file=sys.stderr)
        return EXIT_ALREADY_RUNNING
    # Ctrl-C at the terminal is for whoever started us, who then stops us in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tls, plain = loopback(), loopback()
    ports = tls.getsockname()[1], plain.getsockname()[1]
    # The emulator reads these while it is imported, and hands them to the functions it runs.
    os.environ |= {"GATEWAY_PORT": str(ports[1]), "AWS_ENDPOINT_URL": f"https://127.0.0.1:{ports[0]}"}
    try:
        ready, decisions = _extend(state, ports, apply_fixes=settings.fixes)
        # Not asyncio.run: it would wait for every worker thread of the emulator, pollers included.
        asyncio.new_event_loop().run_until_complete(_serve(settings, tls, plain, ready))
        decisions.flush()
    except internals.EmulatorMismatchError as error:
        print(error, file=sys.stderr)
        return EXIT_MISMATCH
    finally:
        # Functions of the emulator live in our process group; none may outlive us.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
    return 0


def _extend(state: Path, ports: tuple[int, int], *, apply_fixes: bool) -> tuple[Ready, DecisionLog]:
    """Check the emulator, then load the registry, the fixes and the decision log."""
    from localcloud import fixes, iam_log, registry  # noqa: PLC0415 - they import the emulator, which reads os.environ

    internals.check_version()
    native = registry.native_types()
    added = registry.install()
    applied = fixes.apply_all() if apply_fixes else []
    decisions = iam_log.install(state / "iam.jsonl")
    ready = Ready(
        pid=os.getpid(),
        port=ports[0],
        plain_port=ports[1],
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        machine=platform.machine(),
        emulator=internals.VERSION,
        native=native,
        added=added,
        fixes=applied,
        mqtt_port=int(os.environ.get("IOT_MTLS_PORT", "0")),
    )
    return ready, decisions


async def _serve(settings: Settings, tls: socket.socket, plain: socket.socket, ready: Ready) -> None:
    # Only there in the emulator's environment.
    serve = importlib.import_module("hypercorn.asyncio").serve
    app: Any = internals.need("app", "app").app
    config = importlib.import_module("hypercorn.config").Config()
    config.bind = [f"fd://{tls.fileno()}"]
    config.insecure_bind = [f"fd://{plain.fileno()}"]
    config.certfile, config.keyfile = settings.certificate, settings.key
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.errorlog = "-"

    # Clients that keep a connection open would delay the end by half a minute.
    vars(importlib.import_module("asyncio.constants"))["SSL_SHUTDOWN_TIMEOUT"] = 0.5

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    threading.Thread(target=_watch_owner, args=(loop, stop), daemon=True).start()

    async def announced(scope: dict[str, Any], receive: Any, send: Any) -> None:
        async def tell(message: dict[str, Any]) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                target = Path(settings.state) / "emulator.json"
                target.with_suffix(".new").write_text(json.dumps(asdict(ready)))
                target.with_suffix(".new").rename(target)

        await app(scope, receive, tell if scope["type"] == "lifespan" else send)

    await serve(announced, config, shutdown_trigger=stop.wait)


def _watch_owner(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """End when standard input closes: its other end is held by the process that started us."""
    while os.read(0, 1024):
        pass
    loop.call_soon_threadsafe(stop.set)
    # A request that hangs must not keep an orphan alive.
    threading.Event().wait(SHUTDOWN_SECONDS)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    try:
        status = main(Settings(**json.loads(sys.argv[1])))
    except Exception:  # noqa: BLE001 - the last resort of a process: say why, end non-zero
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: the emulator's non-daemon threads would be waited for.
    os._exit(status)
