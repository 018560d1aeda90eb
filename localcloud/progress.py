"""Says what is being done while it is done: live lines with elapsed seconds on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console


class Progress:
    """Phases of work, with their seconds kept in `seconds`."""

    def __init__(self, console: Console | None) -> None:
        self._console = console
        self.seconds: dict[str, float] = {}
        """How long each finished phase took."""

    @classmethod
    def silent(cls) -> Self:
        """Says nothing."""
        return cls(None)

    @contextmanager
    def phase(self, what: str, detail: Callable[[], str] = str) -> Iterator[None]:
        """One phase: said at its start and at its end, with its duration; `detail` is shown meanwhile."""
        began = time.monotonic()
        if self._console:
            self._console.print(f"… {what}")
        yield
        self.seconds[what] = time.monotonic() - began
        if self._console:
            self._console.print(f"✓ {what} ({self.seconds[what]:.1f} s)")
