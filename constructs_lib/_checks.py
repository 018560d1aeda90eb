"""Checks of props at synth: one sentence that names the prop, the rule and the value."""

import re
from collections.abc import Collection
from math import isfinite

from aws_cdk import Duration, Token


def in_range(prop: str, value: float, low: float, high: float) -> None:
    """Raise ValueError unless ``low <= value <= high``; tokens pass, since their value is known only at deploy time."""
    # NaN and infinity are no JSON: asking the CDK about them would end its process.
    if not low <= value <= high and not (isfinite(value) and Token.is_unresolved(value)):
        raise ValueError(f"{prop}: must be between {low:.15g} and {high:.15g}, got {value:.15g}")


def seconds_in_range(prop: str, value: Duration, low: int, high: int) -> None:
    """Raise ValueError unless the duration lies between ``low`` and ``high`` seconds; tokens pass."""
    if not value.is_unresolved():
        seconds = value.to_seconds(integral=False)
        if not low <= seconds <= high or seconds % 1:
            raise ValueError(f"{prop}: must be whole seconds between {low} and {high}, got {seconds:.15g} seconds")


def matches(prop: str, value: str, pattern: str, rule: str) -> None:
    """Raise ValueError unless the whole value matches; ``rule`` says the pattern in words. Tokens pass."""
    if not re.fullmatch(pattern, value) and not Token.is_unresolved(value):
        raise ValueError(f"{prop}: must be {rule}, got {value!r}")


def one_of(prop: str, value: str, allowed: Collection[str]) -> None:
    """Raise ValueError unless the value is one of those allowed."""
    if value not in allowed:
        raise ValueError(f"{prop}: must be one of {', '.join(sorted(allowed))}, got {value!r}")


def not_empty(prop: str, value: Collection[object]) -> None:
    """Raise ValueError when the collection has no items."""
    if not value:
        raise ValueError(f"{prop}: must have at least one item, got none")


def unique(prop: str, values: Collection[str]) -> None:
    """Raise ValueError that names the first value which occurs twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{prop}: must be unique, got {value!r} twice")
        seen.add(value)
