"""The shared file system: a release is put together where nobody looks, and then given its name."""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from release_publisher.rules import LATEST, MANIFEST, Entry, Manifest, RejectedError, is_newer

_LOCK, _ASIDE = ".publishing", ".incoming-"
_DAY = 24 * 3600
_READABLE_FILE, _READABLE_FOLDER = 0o644, 0o755

Fetch = Callable[[Entry], Iterable[bytes]]
"""Entry -> its bytes, piece by piece."""


class Shelf:
    """All releases.

    Args:
        root: Where the file system is mounted.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def publish(self, manifest: Manifest, fetch: Fetch) -> bool:
        """Publish a release; whether there is a new one, since the same one may be published again.

        Readers see all of it or nothing: the folder gets its name in one step, when everything is in it and right.
        ``latest.json`` comes after that, and only for a newer version.

        Raises:
            RejectedError: A file is not what the manifest says, or the version is there with other files.
            OSError: The file system failed; nothing is published.
        """
        self._sweep()
        new = not self._has(manifest)
        if new:
            aside = self._root / f"{_ASIDE}{manifest.version}-{secrets.token_hex(4)}"
            aside.mkdir()
            try:
                for entry in manifest.files:
                    _copy(entry, fetch(entry), aside / entry.name)
                _write(aside / MANIFEST, _json(manifest))
                aside.chmod(_READABLE_FOLDER)
                with self._alone():
                    # Somebody may have been quicker.
                    if new := not self._has(manifest):
                        aside.rename(self._root / manifest.version)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        with self._alone():
            if is_newer(manifest.version, self._latest()):
                replacement = self._root / f"{_ASIDE}{secrets.token_hex(4)}"
                _write(replacement, _json(manifest))
                replacement.replace(self._root / LATEST)
        return new

    def _has(self, manifest: Manifest) -> bool:
        file = self._root / manifest.version / MANIFEST
        if not file.exists():
            return False
        if file.read_bytes() != _json(manifest):
            raise RejectedError(f"version {manifest.version} is published already, and a release never changes")
        return True

    def _latest(self) -> str | None:
        file = self._root / LATEST
        return Manifest.model_validate_json(file.read_bytes()).version if file.exists() else None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time, on whatever machine: NFS keeps the lock."""
        with (self._root / _LOCK).open("a") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            yield

    def _sweep(self) -> None:
        """Remove what was left by somebody who was stopped in the middle."""
        for left in self._root.glob(f"{_ASIDE}*"):
            try:
                old = time.time() - left.stat().st_mtime > _DAY
            except FileNotFoundError:
                continue
            if old:
                shutil.rmtree(left, ignore_errors=True)
                left.unlink(missing_ok=True)


def _copy(entry: Entry, pieces: Iterable[bytes], into: Path) -> None:
    digest, size = hashlib.sha256(), 0
    with into.open("xb") as file:
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    into.chmod(_READABLE_FILE)
    if size != entry.size:
        raise RejectedError(f"{entry.name}: must have {entry.size} bytes as the manifest says, got {size}")
    if digest.hexdigest() != entry.sha256:
        raise RejectedError(f"{entry.name}: must have the SHA-256 of the manifest, got {digest.hexdigest()}")


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(_READABLE_FILE)


def _json(manifest: Manifest) -> bytes:
    return json.dumps(manifest.model_dump(), indent=2).encode()
