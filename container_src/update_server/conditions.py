"""Conditional requests (RFC 9110, section 13) on what has one strong validator, and perhaps a date; pure."""

from datetime import UTC, datetime

# The forms that dates have, or once had (RFC 9110, section 5.6.7).
_FORMS = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")


def matches_strongly(header: str, etag: str) -> bool:
    """If-Match: whether the whole or a range may be sent at all. Weak validators never match."""
    return header.strip() == "*" or etag in _listed(header)


def matches_weakly(header: str, etag: str) -> bool:
    """If-None-Match: whether the caller has it already."""
    return header.strip() == "*" or etag in {one.removeprefix("W/") for one in _listed(header)}


def continues(header: str, etag: str) -> bool:
    """If-Range: whether what the caller has a part of is still the same. Dates are not exact enough to say so."""
    return header.strip() == etag


def changed_since(header: str, modified: float) -> bool:
    """If-Unmodified-Since: whether the caller wants a former one. A broken date says nothing."""
    date = _seconds(header)
    return date is not None and int(modified) > date


def same_since(header: str, modified: float) -> bool:
    """If-Modified-Since: whether the caller has it already. A broken date says nothing."""
    date = _seconds(header)
    return date is not None and int(modified) <= date


def _seconds(header: str) -> float | None:
    for form in _FORMS:
        try:
            return datetime.strptime(header.strip(), form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return None


def _listed(header: str) -> set[str]:
    # Our own validators contain no comma, so one that does is none of them.
    return {one.strip() for one in header.split(",")}
