"""What the types of EC2 share: parameters of its calls, and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from localcloud.registry import Call, Props


def parameters(props: Props, names: Iterable[str]) -> dict[str, str]:
    """Those of the properties that are given, under their own names, as a call of EC2 wants them."""
    return {key: value for name in names if name in props for key, value in _flat(name, props[name])}


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Nested properties as dotted parameters; items of a list are numbered from 1."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _flat(f"{name}.{key}", one)
    elif isinstance(value, list):
        for number, one in enumerate(value, 1):
            yield from _flat(f"{name}.{number}", one)
    else:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


def tag(identity: str, props: Props) -> list[Call]:
    """Give a new resource its tags."""
    return retag(identity, {}, props)


def retag(identity: str, old: Props, new: Props) -> list[Call]:
    """Take away the tags that the template has no more, and set those it has."""
    before, after = _tags(old), _tags(new)
    gone = [{"Key": key} for key in before if key not in after]
    changed = [{"Key": key, "Value": value} for key, value in after.items() if before.get(key) != value]
    calls = [("DeleteTags", gone), ("CreateTags", changed)]
    return [(action, {"ResourceId.1": identity, **dict(_flat("Tag", tags))}) for action, tags in calls if tags]


def _tags(props: Props) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in props.get("Tags", [])}
