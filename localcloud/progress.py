"""Says what is being done while it is done: live lines with elapsed seconds on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text


class _Detail(ProgressColumn):
    """What a phase says about itself at this moment."""

    def __init__(self, detail: Callable[[], str]) -> None:
        super().__init__()
        self._detail = detail

    def render(self, task: Task) -> Text:  # noqa: ARG002 - rich's signature
        return Text(self._detail(), style="dim")


class Progress:
    """Phases of work, one after the other.

    Attributes:
        seconds: How long each finished phase took.
    """

    def __init__(self, console: Console | None) -> None:
        self._console = console
        self.seconds: dict[str, float] = {}

    @classmethod
    def silent(cls) -> Self:
        """Says nothing."""
        return cls(None)

    @contextmanager
    def phase(self, what: str, detail: Callable[[], str] = str, *, live: bool = True) -> Iterator[None]:
        """One phase: said while it lasts and when it ended, with its duration; `detail` is shown meanwhile.

        Args:
            what: what is done.
            detail: how far it is.
            live: whether the terminal's last line is ours to animate; not so during a journey.
        """
        began, sign = time.monotonic(), Text("✗", style="bold red")
        try:
            with self._running(what, detail, live=live):
                yield
            sign = Text("✓", style="green")
        finally:
            self.seconds[what] = time.monotonic() - began
            self._say(Text.assemble(sign, f" {what}", (f"  {self.seconds[what]:.1f} s", "dim")))

    @contextmanager
    def _running(self, what: str, detail: Callable[[], str], *, live: bool) -> Iterator[None]:
        if not live or not self._console or not self._console.is_terminal:
            self._say(Text(f"… {what}"))
            yield
            return
        columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), _Detail(detail)
        with Bars(*columns, console=self._console, transient=True) as bars:
            bars.add_task(what, total=None)
            yield

    def _say(self, text: Text) -> None:
        if self._console:
            self._console.print(text, soft_wrap=True)
