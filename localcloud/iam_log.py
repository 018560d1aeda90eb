"""Every IAM decision as one JSON line: principal, action, resource, decision. Runs inside the emulator."""

import functools
import json
import threading
from pathlib import Path
from typing import Any, TextIO

from localcloud.internals import need

FLUSH_SECONDS = 0.2


class DecisionLog:
    """Appends decisions to a file through a buffer that a thread flushes, so that requests never wait for the disk."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._dirty = threading.Event()
        threading.Thread(target=self._flush_forever, name="iam-log", daemon=True).start()

    def write(self, **decision: str) -> None:
        """Append one decision."""
        with self._lock:
            self._file.write(json.dumps(decision) + "\n")
        self._dirty.set()

    def flush(self) -> None:
        """Write out what the buffer holds."""
        with self._lock:
            self._file.flush()

    def _flush_forever(self) -> None:
        while self._dirty.wait():
            self._dirty.clear()
            self.flush()
            # At most one flush in this interval, however many requests there are.
            threading.Event().wait(FLUSH_SECONDS)


_log: DecisionLog | None = None


def record(*, principal: str, action: str, resource: str, allowed: bool) -> None:
    """Log one decision; nothing before `install`."""
    if _log:
        _log.write(principal=principal, action=action, resource=resource, decision="allow" if allowed else "deny")


def install(path: Path) -> DecisionLog:
    """Wrap the emulator's `enforce` so that every decision is logged to `path`."""
    global _log  # noqa: PLW0603 - one emulator, one log
    evaluator = need("core.iam_evaluator", "enforce", "resolve_caller_identity", "_is_root_key")
    sts = need("services.sts", "_sessions")
    _log = DecisionLog(path)
    enforce = evaluator.enforce

    def principal(access_key_id: str) -> str:
        session = sts._sessions.get(access_key_id)
        if session:
            return str(session.get("Arn", access_key_id))
        if not access_key_id:
            return "anonymous"
        if evaluator._is_root_key(access_key_id):
            return "root"
        identity = evaluator.resolve_caller_identity(access_key_id) or {}
        return str(identity.get("userArn", access_key_id))

    @functools.wraps(enforce)
    def logged(access_key_id: str, iam_action: str, service: str, *rest: Any, **context: Any) -> Any:
        result = enforce(access_key_id, iam_action, service, *rest, **context)
        resource = str(context.get("resource_arn", rest[1] if len(rest) > 1 else "*"))
        record(principal=principal(access_key_id), action=iam_action, resource=resource, allowed=result is None)
        return result

    vars(evaluator)["enforce"] = logged
    return _log
