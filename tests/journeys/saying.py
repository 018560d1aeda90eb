"""A part of a world that tells what was not run."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from journeys._steps import NotRunError


class Saying:
    """Steps, of which nothing is kept but why one was not run."""

    said: list[str]

    @contextmanager
    def step(self, name: str) -> Iterator[Any]:
        """A step; what fails in it fails the test."""
        try:
            yield SimpleNamespace(show=lambda **_: None)
        except NotRunError as reason:
            self.said.append(f"{name}: {reason}")

    def not_run(self, name: str, reason: str) -> None:
        """Keep the reason."""
        self.said.append(f"{name}: {reason}")
