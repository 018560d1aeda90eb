"""What an edge keeps: whole answers by key, for as long as the policy and the origin say."""

import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

_MOST_BYTES = 256 * 1024 * 1024
_DIRECTIVE = re.compile(r'([a-z-]+)(?:="?([^",]*)"?)?')
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_NEVER = ("no-store", "no-cache", "private")

Answer = tuple[int, str, dict[str, Any], bytes]
"""Status, reason, headers by lower-case name, body."""


@dataclass(frozen=True)
class Kept:
    """One object."""

    answer: Answer
    since: float
    until: float


class Store:
    """Objects by key; when there is too much, the oldest go first."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], Kept] = {}

    def get(self, key: tuple[Any, ...]) -> Kept | None:
        """A fresh object."""
        found = self._kept.get(key)
        return found if found and time.monotonic() < found.until else None

    def put(self, key: tuple[Any, ...], answer: Answer, seconds: float) -> None:
        """Keep an object from now on."""
        now = time.monotonic()
        self._kept.pop(key, None)
        self._kept[key] = Kept(answer, now, now + seconds)
        while sum(len(one.answer[3]) for one in self._kept.values()) > _MOST_BYTES:
            self._kept.pop(next(iter(self._kept)))

    def forget(self, distribution: str, paths: list[str]) -> None:
        """Drop the objects of these paths; a star at the end stands for whatever follows.

        Args:
            distribution: its id.
            paths: as in an invalidation.
        """
        for key in list(self._kept):
            arn, path = key[0], key[1]
            gone = any(path.startswith(one[:-1]) if one.endswith("*") else path == one for one in paths)
            if gone and str(arn).endswith(f"/{distribution}"):
                del self._kept[key]


def lifetime(answer: Answer, least: float, usual: float, most: float) -> float:
    """For how many seconds an answer is kept.

    Source: CloudFront developer guide, "Manage how long content stays in the cache": the origin's s-maxage, max-age or
    Expires between the policy's minimum and maximum; its default where the origin says nothing; with no-store,
    no-cache or private the minimum.
    """
    status, _reason, headers, _body = answer
    if status != 200:  # noqa: PLR2004
        return 0
    said = dict(_DIRECTIVE.findall(str(headers.get("cache-control", "")).lower()))
    if any(name in said for name in _NEVER):
        return least
    wanted = said.get("s-maxage") or said.get("max-age")
    if wanted and wanted.isdigit():
        return min(max(float(wanted), least), most)
    if expires := headers.get("expires"):
        try:
            left = parsedate_to_datetime(str(expires)).timestamp() - time.time()
        except ValueError:
            return least
        return min(max(left, least), most)
    return min(max(usual, least), most)


def tailored(answer: Answer, asked: dict[str, str], *, head: bool) -> Answer:
    """The part of a whole answer that was asked for: nothing new, a range, or all.

    All of it also for several ranges, of which CloudFront sends each, and for one that is none, as CloudFront does
    (developer guide, "How CloudFront processes partial requests for an object").

    Args:
        answer: the whole.
        asked: the request's headers by lower-case name.
        head: whether the body is left out.
    """
    status, reason, headers, body = answer
    if status != 200:  # noqa: PLR2004
        return answer
    tag = str(headers.get("etag", ""))
    if _names(asked.get("if-none-match", ""), tag):
        return 304, "Not Modified", _without_length(headers), b""
    whole = {**headers, "accept-ranges": "bytes", "content-length": str(len(body))}
    wanted = None if head else _RANGE.fullmatch(asked.get("range", "").strip())
    if not wanted or _is_none(wanted[1], wanted[2]) or not _continues(asked, tag):
        return status, reason, whole, b"" if head else body
    first, last = _bounds(wanted[1], wanted[2], len(body))
    if first > last:
        return 416, "Range Not Satisfiable", _without_length(headers) | {"content-range": f"bytes */{len(body)}"}, b""
    part = body[first : last + 1]
    about = {"content-range": f"bytes {first}-{last}/{len(body)}", "content-length": str(len(part))}
    return 206, "Partial Content", whole | about, part


def _is_none(first: str, last: str) -> bool:
    """Whether nothing is named, or an end before its beginning (RFC 9110, 14.1.1)."""
    return not (first or last) or bool(first and last and int(last) < int(first))


def _continues(asked: dict[str, str], tag: str) -> bool:
    """Whether If-Range, if there is one, names the object, by a strong tag (RFC 9110, 13.1.5)."""
    said = asked.get("if-range")
    return said is None or (said == tag and not tag.startswith("W/"))


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(size - int(last), 0), size - 1 if int(last) else -1
    return int(first), min(int(last), size - 1) if last else size - 1


def _names(listed: str, tag: str) -> bool:
    """Whether If-None-Match names the tag; weak and strong are the same here (RFC 9110, 13.1.2)."""
    tags = [one.strip().removeprefix("W/") for one in listed.split(",")]
    return bool(tag) and ("*" in tags or tag.removeprefix("W/") in tags)


def _without_length(headers: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in headers.items() if name not in {"content-length", "content-type"}}
