"""What a version and a file may be called; everything else names nothing. Pure."""

import re

MANIFEST = "manifest.json"
LATEST = "latest.json"
# Semantic Versioning 2.0.0, its own expression.
_VERSION = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(-((0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(\+([0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*))?"
)
_LONGEST_VERSION = 64
# No separators, and no dot in front: neither "..", nor what is still being copied.
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")


def is_version(text: str) -> bool:
    """Whether it is a version."""
    return len(text) <= _LONGEST_VERSION and _VERSION.fullmatch(text) is not None


def is_file(text: str) -> bool:
    """Whether it is the name of a file of a release."""
    return _FILE.fullmatch(text) is not None
