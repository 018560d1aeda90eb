"""What a journey prints while it runs: colours and a spinner on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from journeys._results import Result, StepResult

STYLES: dict[str, str] = {"passed": "green", "failed": "bold red", "not-run": "yellow"}
_MARKS: dict[Result, str] = {"passed": "✓", "failed": "✗", "not-run": "–"}
_ASCII_MARKS: dict[Result, str] = {"passed": "ok", "failed": "FAILED", "not-run": "not run"}


def mark(result: Result, console: Console) -> Text:
    """The tick, cross or dash of a result, in words where the console cannot print signs."""
    marks = _MARKS if console.encoding.lower().startswith("utf") else _ASCII_MARKS
    return Text(marks[result], style=STYLES[result])


_INDENT = " " * 6
_WIDEST = 200


def _evidence(step: StepResult, width: int) -> list[str]:
    """What a step showed: on one line where it fits, else one below the other, aligned."""
    together = "  ".join(f"{name}={value}" for name, value in step.evidence.items())
    if len(together) <= width:
        return [together] if together else []
    longest = max(map(len, step.evidence))
    return [f"{name:<{longest}} = {value}" for name, value in step.evidence.items()]


class Progress:
    """Prints a journey's steps as they end, each with its evidence."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def heading(self, key: str, place: str) -> None:
        """Say which journey begins, and where."""
        self._line(Text.assemble((key, "bold"), (f"  {place}", "dim")))

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Show the running step, on a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(Text(name, style="dim")):
            yield

    def ended(self, step: StepResult) -> None:
        """Print an ended step: its mark, name and time, then its reason and what it showed."""
        line = Text.assemble("  ", mark(step.result, self._console), " ", step.name)
        if step.result != "not-run":
            line.append(f"  {step.seconds:.1f} s", style="dim")
        self._line(line)
        if step.reason is not None:
            self._line(Text(f"{_INDENT}{step.reason}", style=STYLES[step.result]))
        for shown in _evidence(step, self._console.width - len(_INDENT)):
            self._line(Text(f"{_INDENT}{shown}", style="dim"))

    def saved(self, path: Path) -> None:
        """Print where a file was put."""
        here = Path.cwd()
        short = path.relative_to(here) if path.is_relative_to(here) else path
        self._line(Text(f"{_INDENT}saved {short}", style="dim"))

    def table(self, table: Table) -> None:
        """Print a table as evidence, indented like it, and as wide as it is: cells that are cut tell nothing."""
        wide = Console(width=_WIDEST)
        for line in wide.render_lines(table, wide.options, pad=False):
            parts = [(segment.text, segment.style or "") for segment in line if not segment.control]
            self._line(Text.assemble(_INDENT, *parts))

    def _line(self, text: Text) -> None:
        # Never wrapped: a path or an id must be copied whole.
        self._console.print(text, soft_wrap=True)
