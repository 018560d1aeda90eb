"""What a release is, and what is refused with a reason; pure."""

import re
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

INCOMING, REJECTED = "releases/", "rejected/"
MANIFEST, LATEST = "manifest.json", "latest.json"
MAX_MANIFEST_BYTES = 64 * 1024
MAX_FILES = 100
_LONGEST_VERSION = 64
# The expression of Semantic Versioning 2.0.0 itself.
_VERSION = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(-(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)
# No separators and no dot in front: the name leads nowhere but into the release's folder.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")


class RejectedError(ValueError):
    """The release cannot become one, however often it is tried; the text says why, to whoever made it."""


class Entry(BaseModel):
    """A file of a release."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    size: Annotated[int, Field(ge=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """A release: its version and its files."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    version: str
    files: Annotated[list[Entry], Field(min_length=1, max_length=MAX_FILES)]

    @classmethod
    def of(cls, text: bytes, version: str, max_bytes: int) -> Self:
        """Read and check a manifest.

        Args:
            text: Its JSON.
            version: The version that its key names.
            max_bytes: What the files may have together.

        Raises:
            RejectedError: It is not what it must be.
        """
        try:
            manifest = cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise RejectedError(f"{MANIFEST}: {where}: {first['msg']}") from error
        if manifest.version != version:
            raise RejectedError(f"{MANIFEST}: version must be the folder's, {version!r}, got {manifest.version!r}")
        names = [entry.name for entry in manifest.files]
        for name in names:
            if not _NAME.fullmatch(name) or name == MANIFEST:
                raise RejectedError(f"{MANIFEST}: a file's name must be a plain one, got {name!r}")
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise RejectedError(f"{MANIFEST}: each file must be named once, got twice {', '.join(doubled)}")
        if (total := sum(entry.size for entry in manifest.files)) > max_bytes:
            raise RejectedError(f"{MANIFEST}: the files must have at most {max_bytes} bytes together, got {total}")
        return manifest


def version_in(key: str) -> str:
    """The version that a manifest's key names.

    Raises:
        RejectedError: It is not ``releases/<version>/manifest.json``.
    """
    match = re.fullmatch(rf"{INCOMING}(.*)/{MANIFEST}", key, re.DOTALL)
    if not match:
        raise RejectedError(f"a manifest must be at {INCOMING}<version>/{MANIFEST}, got {key!r}")
    if len(match[1]) > _LONGEST_VERSION or not _VERSION.fullmatch(match[1]):
        raise RejectedError(f"the version must be a semantic one as '1.2.3', got {match[1]!r}")
    return match[1]


def is_newer(version: str, than: str | None) -> bool:
    """Whether a version is to be the latest instead of another one; a pre-release never is."""
    numbers = _numbers(version)
    if numbers is None:
        return False
    known = _numbers(than) if than else None
    return known is None or numbers > known


def _numbers(version: str) -> tuple[int, ...] | None:
    """The three numbers; None for a pre-release. What stands behind a plus does not count."""
    match = _VERSION.fullmatch(version)
    return None if match is None or match[4] else tuple(int(match[group]) for group in (1, 2, 3))
