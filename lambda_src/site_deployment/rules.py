"""Which headers a site's file gets, and which objects of former releases go; pure."""

import mimetypes
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

# Files whose name changes with their content can be kept for ever; all others are asked for again soon.
HASHED = "assets/"
IMMUTABLE = "public, max-age=31536000, immutable"
SHORT = "public, max-age=60, stale-while-revalidate=60"
# Pages that were loaded before a release may still ask for its predecessors' assets.
KEEP = timedelta(days=30)

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}


def headers(key: str) -> dict[str, str]:
    """Content type and caching of a file, as arguments of S3's PutObject."""
    suffix = key[key.rfind(".") :].lower() if "." in key else ""
    kind = _TYPES.get(suffix) or mimetypes.guess_type(key)[0] or "application/octet-stream"
    return {"ContentType": kind, "CacheControl": IMMUTABLE if key.startswith(HASHED) else SHORT}


def outdated(present: Mapping[str, datetime], released: Iterable[str], now: datetime) -> list[str]:
    """Of the objects there are (key -> written when), those that go: not of this release, assets only when old."""
    kept = set(released)
    return sorted(
        key
        for key, written in present.items()
        if key not in kept and (not key.startswith(HASHED) or now - written > KEEP)
    )
