"""Which bytes a Range header asks for (RFC 9110, section 14); pure."""

import re

# More are no resumed download: the specification lets a server ignore "a set of many small ranges".
MAX_RANGES = 10
_RANGE = re.compile(r"([0-9]{1,100})-([0-9]{1,100})?|-([0-9]{1,100})")


class UnsatisfiableRangeError(ValueError):
    """No byte that was asked for is there."""


def wanted(header: str, size: int) -> list[tuple[int, int]] | None:
    """The (first, past the last) of each part, sorted and not overlapping.

    Args:
        header: Value of the header.
        size: Bytes of the whole, at least 1.

    Returns:
        None if the header is to be ignored: another unit, broken, or too many ranges. Then the whole is the answer.

    Raises:
        UnsatisfiableRangeError: All of it is behind the end.
    """
    unit, _, specifiers = header.partition("=")
    if unit.strip().lower() != "bytes":
        return None
    asked = [one.strip(" \t") for one in specifiers.split(",") if one.strip(" \t")]
    if not 1 <= len(asked) <= MAX_RANGES:
        return None
    found = []
    for specifier in asked:
        match = _RANGE.fullmatch(specifier)
        if match is None or (match[2] and int(match[2]) < int(match[1])):
            return None
        found.append(_range(match, size))
    there = sorted((start, end) for start, end in found if start < end)
    if not there:
        raise UnsatisfiableRangeError(f"must begin before byte {size}")
    return _merged(there)


def _range(match: re.Match[str], size: int) -> tuple[int, int]:
    if match[3]:
        return max(size - int(match[3]), 0), size
    return int(match[1]), min(int(match[2]) + 1, size) if match[2] else size


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged = [ranges[0]]
    for start, end in ranges[1:]:
        first, last = merged[-1]
        if start <= last:
            merged[-1] = first, max(last, end)
        else:
            merged.append((start, end))
    return merged
