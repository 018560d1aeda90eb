"""What the catalog knows of a scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Only for the type: the local cloud reads the catalog's keys, and need not start CDK for that.
    from aws_cdk import Stack


def stack_id(key: str) -> str:
    """The stack id of a key: ``order-queue`` -> ``OrderQueue``."""
    return "".join(word.capitalize() for word in key.split("-"))


@dataclass(frozen=True)
class Scenario:
    """One reference architecture.

    Args:
        key: Its stem with hyphens, as on the command line: ``order-queue``.
        stack: The class of its stack, which takes ``settings`` beside the props of a stack.
        summary: One line: what flows where.
        source: The note under shared seeds, and section, it was drawn from.
    """

    key: str
    stack: Callable[..., Stack]
    summary: str
    source: str

    @property
    def stack_id(self) -> str:
        """``order-queue`` -> ``OrderQueue``."""
        return stack_id(self.key)

    @property
    def module(self) -> str:
        """``order-queue`` -> ``order_queue``."""
        return self.key.replace("-", "_")
