"""Releases on the shared file system; nothing outside of it is ever found. Calls block: use a thread."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from service_kit.logs import logger
from service_kit.problems import UnavailableError
from update_server.names import LATEST, MANIFEST, is_file, is_version

_log = logger(__name__)
# Far more than a manifest of thousands of files.
_LARGEST_DOCUMENT = 4 * 1024 * 1024


class UnknownFileError(LookupError):
    """There is no such file."""


class Entry(BaseModel):
    """A file of a release."""

    name: str
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """The files of a release; written last, so what is not in one is not published."""

    version: str
    files: list[Entry]


@dataclass(frozen=True)
class Document:
    """A small file, read at once: whoever replaces it meanwhile does not mix two of them."""

    content: bytes

    @property
    def sha256(self) -> str:
        """Of its content."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class ReleaseFile:
    """A file of a release, to be sent piece by piece."""

    path: Path
    state: os.stat_result
    sha256: str


class Releases:
    """All releases.

    Args:
        root: Where the file system is mounted.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        # Manifests do not change: one is read again only if its file has.
        self._manifests: dict[str, tuple[tuple[int, int, int], Manifest]] = {}

    def check(self) -> None:
        """Whether they can be read."""
        with os.scandir(self._there()) as entries:
            next(entries, None)

    def latest(self) -> Document:
        """The manifest of the newest release."""
        return self._document(LATEST)

    def manifest(self, version: str) -> Document:
        """The manifest of a release."""
        self._refuse_unless(is_version(version))
        return self._document(version, MANIFEST)

    def file(self, version: str, name: str) -> ReleaseFile:
        """A file of a release.

        Raises:
            UnknownFileError: It is in no manifest, or leads elsewhere.
            UnavailableError: It is not as its manifest says, or cannot be read.
        """
        self._refuse_unless(is_version(version) and is_file(name))
        entries = {entry.name: entry for entry in self._known(version).files}
        self._refuse_unless(name in entries)
        path, state = self._found(version, name)
        if state.st_size != entries[name].size:
            _log.error("a file is not as its manifest says", version=version, file=name, size=state.st_size)
            raise UnavailableError("This file is damaged or still being copied; try again.", retry_after=30)
        return ReleaseFile(path, state, entries[name].sha256)

    def _known(self, version: str) -> Manifest:
        path, state = self._found(version, MANIFEST)
        mark = (state.st_ino, state.st_mtime_ns, state.st_size)
        known = self._manifests.get(version)
        if known is None or known[0] != mark:
            try:
                manifest = Manifest.model_validate_json(self._read(path, state))
            except ValidationError as error:
                _log.exception("a manifest is broken", version=version)
                raise UnavailableError("This release is not complete; try again.", retry_after=30) from error
            known = self._manifests[version] = mark, manifest
        return known[1]

    def _document(self, *names: str) -> Document:
        return Document(self._read(*self._found(*names)))

    def _read(self, path: Path, state: os.stat_result) -> bytes:
        if state.st_size > _LARGEST_DOCUMENT:
            _log.error("a document is too large", path=str(path), size=state.st_size)
            raise UnavailableError("This release cannot be described; try again.", retry_after=30)
        try:
            return path.read_bytes()
        except OSError as error:
            raise self._unreadable(error) from error

    def _found(self, *names: str) -> tuple[Path, os.stat_result]:
        """A regular file below the root, after all links were followed."""
        root = self._there()
        try:
            path = root.joinpath(*names).resolve(strict=True)
            state = path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UnknownFileError("/".join(names)) from error
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
            raise self._unreadable(error) from error
        self._refuse_unless(path.is_relative_to(root) and stat.S_ISREG(state.st_mode))
        return path, state

    def _there(self) -> Path:
        try:
            return self._root.resolve(strict=True)
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> UnavailableError:
        _log.error("the releases cannot be read", reason=f"{type(error).__name__}: {error}")
        return UnavailableError("The releases cannot be read at the moment; try again.")

    def _refuse_unless(self, rule: bool) -> None:
        if not rule:
            raise UnknownFileError
