"""The steps of a journey: each is recorded, timed and printed as it ends."""

import math
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from botocore.exceptions import ClientError

from journeys._progress import Progress
from journeys._results import Result, Scalar, StepResult

_LONGEST_REASON = 600


class NotRunError(Exception):
    """Something cannot be done on this target. The step around it is recorded as not-run, with this reason."""


class Step:
    """A running step."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.evidence: dict[str, Scalar] = {}

    def show(self, **evidence: object) -> None:
        """Put what was seen into the output and the report. Several calls add up.

        Args:
            **evidence: Texts, numbers, truth values or None; anything else is shown as its text.
        """
        self.evidence.update({name: _scalar(value) for name, value in evidence.items()})


class Steps:
    """Records a journey's steps.

    Args:
        progress: Where ended steps are printed.
        log: The file that takes the tracebacks; it is started anew.
        clock: Seconds that only go forward.
    """

    def __init__(self, progress: Progress, log: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress = progress
        self._log = log
        self._clock = clock
        self._running: Step | None = None
        self._results: list[StepResult] = []
        self._recorded: BaseException | None = None
        log.unlink(missing_ok=True)

    @property
    def results(self) -> tuple[StepResult, ...]:
        """The ended steps."""
        return tuple(self._results)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Run a step: it passes when its body ends, fails and raises on when its body raises."""
        if self._running is not None:
            message = f"step {name!r} begins inside step {self._running.name!r}: end that one first"
            raise RuntimeError(message)
        self._running = step = Step(name)
        started = self._clock()
        result: Result = "passed"
        reason: str | None = None
        try:
            with self._progress.running(name):
                yield step
        except NotRunError as error:
            result, reason = "not-run", one_line(error)
        except BaseException as error:
            result, reason = "failed", one_line(error)
            self._recorded = error
            self._write(name, error)
            raise
        finally:
            self._running = None
            self._end(StepResult(name, result, reason, self._clock() - started, step.evidence))

    def not_run(self, name: str, reason: str) -> None:
        """Record a step that this target cannot run."""
        if not reason.strip():
            message = f"step {name!r}: not run without a reason; say why"
            raise ValueError(message)
        self._end(StepResult(name, "not-run", reason))

    def failed(self, name: str, reason: str) -> None:
        """Record a failure that has no traceback to read."""
        self._end(StepResult(name, "failed", reason))

    def guard(self, name: str) -> "Guard":
        """Record under this name what escapes from the body, unless a step recorded it already, and carry on."""
        return Guard(self, name)

    def escaped(self, name: str, error: Exception) -> None:
        """Record an exception that no step recorded."""
        if error is self._recorded:
            return
        if isinstance(error, NotRunError):
            self.not_run(name, one_line(error))
            return
        self._write(name, error)
        self.failed(name, one_line(error))

    def _end(self, result: StepResult) -> None:
        self._results.append(result)
        self._progress.ended(result)

    def _write(self, name: str, error: BaseException) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{name}\n{''.join(traceback.format_exception(error))}\n")


class Guard:
    """Turns an exception into a recorded step. Ctrl-C and the like pass through."""

    def __init__(self, steps: Steps, name: str) -> None:
        self._steps = steps
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self._steps.escaped(self._name, error)
        return True


def one_line(error: BaseException) -> str:
    """Why something failed, on one line: the message, and the kind of error where the message says too little."""
    text = " ".join(str(error.args[0] if isinstance(error, KeyError) and error.args else error).split())
    if isinstance(error, AssertionError) and not text:
        text = _source_line(error)
    elif not isinstance(error, (AssertionError, ClientError, NotRunError)):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 1]}…"


def _source_line(error: BaseException) -> str:
    """The line that raised, for an assert without a message."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    last = frames[-1]
    return f"{last.line} ({Path(last.filename).name}:{last.lineno})"


def _scalar(value: object) -> Scalar:
    # NaN and infinity are not JSON.
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
