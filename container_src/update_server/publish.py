"""``python -m update_server.publish ROOT VERSION FILE ...``: publish a release, all of it at once."""

import argparse
import hashlib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from update_server.names import LATEST, MANIFEST, is_file, is_version

_READABLE_FILE, _READABLE_FOLDER = 0o644, 0o755


def publish(root: Path, version: str, files: Iterable[Path], *, latest: bool = True) -> None:
    """Copy files to a folder that nobody sees, then give it its name: readers find all of a release, or nothing.

    Args:
        root: Where the file system is mounted.
        version: Its number; published once, it never changes.
        files: What belongs to it.
        latest: Whether it is what latest.json names from now on.

    Raises:
        ValueError: The version or a name is none, or the version is there already.
    """
    if not is_version(version):
        raise ValueError(f"version: must be a semantic version, got {version!r}")
    if (root / version).exists():
        raise ValueError(f"version: must be new, got {version!r}")
    incoming = root / f".incoming-{version}-{secrets.token_hex(4)}"
    incoming.mkdir()
    try:
        entries = [_copied(file, incoming) for file in files]
        manifest = json.dumps({"version": version, "files": entries}, indent=2).encode()
        _write(incoming / MANIFEST, manifest)
        incoming.chmod(_READABLE_FOLDER)
        incoming.rename(root / version)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    if latest:
        replacement = root / f".latest-{secrets.token_hex(4)}"
        _write(replacement, manifest)
        replacement.replace(root / LATEST)


def _copied(file: Path, folder: Path) -> dict[str, str | int]:
    if not is_file(file.name) or file.name == MANIFEST:
        raise ValueError(f"file: must be a plain name, got {file.name!r}")
    target = folder / file.name
    with file.open("rb") as source, target.open("xb") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        os.fsync(copy.fileno())
    target.chmod(_READABLE_FILE)
    with target.open("rb") as copied:
        sha256 = hashlib.file_digest(copied, "sha256").hexdigest()
    return {"name": file.name, "size": target.stat().st_size, "sha256": sha256}


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(_READABLE_FILE)


def _main() -> None:
    parser = argparse.ArgumentParser(prog="update_server.publish", description="Publish a release.")
    parser.add_argument("root", type=Path)
    parser.add_argument("version")
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--not-latest", action="store_true", help="leave latest.json as it is")
    given = parser.parse_args()
    try:
        publish(given.root, given.version, given.files, latest=not given.not_latest)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    _main()
