"""Which of the prefix lists found is the one asked for; pure."""

from collections.abc import Iterable, Mapping
from typing import Any

OWNER = "AWS"


class NoSuchListError(ValueError):
    """AWS has no prefix list of that name in this region, or more than one."""


def the_list(found: Iterable[Mapping[str, Any]], name: str) -> str:
    """The id of AWS's own list of that name; a list that somebody else named alike is not taken for it.

    Raises:
        NoSuchListError: There is not exactly one.
    """
    ids = [one["PrefixListId"] for one in found if one["PrefixListName"] == name and one.get("OwnerId") == OWNER]
    if len(ids) != 1:
        raise NoSuchListError(f"name: must be a prefix list that AWS has once in this region, got {name!r}, {len(ids)}")
    return str(ids[0])
