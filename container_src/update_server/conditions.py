"""Conditional requests (RFC 9110, section 13) on what has one strong validator; pure."""


def matches_strongly(header: str, etag: str) -> bool:
    """If-Match: whether the whole or a range may be sent at all. Weak validators never match."""
    return header.strip() == "*" or etag in _listed(header)


def matches_weakly(header: str, etag: str) -> bool:
    """If-None-Match: whether the caller has it already."""
    return header.strip() == "*" or etag in {one.removeprefix("W/") for one in _listed(header)}


def continues(header: str, etag: str) -> bool:
    """If-Range: whether what the caller has a part of is still the same. Dates are not exact enough to say so."""
    return header.strip() == etag


def _listed(header: str) -> set[str]:
    # Our own validators contain no comma, so one that does is none of them.
    return {one.strip() for one in header.split(",")}
