"""A small, bounded load: so many requests a second while something happens, and what became of each.

The load is open: a request is sent when it is due, whether or not those before it have been answered, as people do. A
server that hangs is thus seen as late answers, and not as fewer requests.
"""

import itertools
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from urllib3.exceptions import HTTPError

from journeys._http import Response

_MOST_REQUESTS = 5000
_MOST_THREADS = 32


@dataclass(frozen=True)
class Sent:
    """One request.

    Attributes:
        at: When it was due, in seconds since the load began.
        seconds: How long it took from then on, waiting for its turn included.
        status: The answer's status; None when there was no answer.
        error: Why there was none.
    """

    at: float
    seconds: float
    status: int | None
    error: str = ""

    @property
    def lost(self) -> bool:
        """Whether the client did not get what it asked for: no answer, or one that is not 2xx."""
        return self.status is None or self.status // 100 != 2


@dataclass(frozen=True)
class Report:
    """What became of a load.

    Attributes:
        sent: Its requests, in the order in which they were due.
    """

    sent: Sequence[Sent]

    @property
    def lost(self) -> list[Sent]:
        """The requests whose client did not get what it asked for."""
        return [one for one in self.sent if one.lost]

    @property
    def by_answer(self) -> Mapping[str, int]:
        """Status, or why there was none -> how many."""
        return Counter(one.error or str(one.status) for one in self.sent)

    @property
    def outage(self) -> float:
        """Seconds between the first and the last request that was lost."""
        return self.lost[-1].at - self.lost[0].at if self.lost else 0.0

    @property
    def slowest(self) -> float:
        """Seconds that the slowest request took."""
        return max((one.seconds for one in self.sent), default=0.0)

    def percentile(self, percent: float) -> float:
        """Seconds within which this part of the requests were over (nearest rank)."""
        times = sorted(one.seconds for one in self.sent)
        return times[max(math.ceil(len(times) * percent / 100) - 1, 0)] if times else 0.0

    def shown(self) -> dict[str, object]:
        """For ``step.show(**report.shown())``."""
        return {
            "sent": len(self.sent),
            "lost": len(self.lost),
            "answers": ", ".join(f"{count} x {answer}" for answer, count in sorted(self.by_answer.items())),
            "outage_s": round(self.outage, 1),
            "p50_ms": round(self.percentile(50) * 1000),
            "p99_ms": round(self.percentile(99) * 1000),
        }


@dataclass
class Load:
    """A running load.

    Attributes:
        sent: What was over so far.
    """

    sent: list[Sent] = field(default_factory=list)
    _over: threading.Condition = field(default_factory=threading.Condition)
    _stop: threading.Event = field(default_factory=threading.Event)

    def go_on(self, count: int, *, within: float = 60) -> None:
        """Wait until so many more requests are over.

        Raises:
            AssertionError: They are not, in time.
        """
        with self._over:
            wanted = len(self.sent) + count
            if not self._over.wait_for(lambda: len(self.sent) >= wanted, within):
                message = f"{count} more requests: not over within {within:g} s; {len(self.sent)} were over so far"
                raise AssertionError(message)

    @property
    def report(self) -> Report:
        """What became of the requests that were over so far, in the order in which they were due."""
        with self._over:
            return Report(sorted(self.sent, key=lambda one: one.at))

    def run(self, send: Callable[[int], Response], per_second: float, at_most: float, threads: int) -> None:
        """Send until it is stopped or the time is over."""
        began = time.monotonic()
        running: list[Future[None]] = []
        with ThreadPoolExecutor(threads, thread_name_prefix="load") as pool:
            for number in itertools.count():
                due = number / per_second
                if due >= at_most or self._stop.wait(max(began + due - time.monotonic(), 0)):
                    break
                running.append(pool.submit(self._send, send, number, began + due, due))
        for one in running:
            one.result()  # a mistake of the journey's own is raised, not counted

    def stop(self) -> None:
        """Send no more; what is under way is waited for."""
        self._stop.set()

    def _send(self, send: Callable[[int], Response], number: int, when: float, due: float) -> None:
        status, error = None, ""
        try:
            status = send(number).status
        except HTTPError as failed:
            error = type(failed).__name__
        with self._over:
            self.sent.append(Sent(due, time.monotonic() - when, status, error))
            self._over.notify_all()


@contextmanager
def load(
    send: Callable[[int], Response], *, per_second: float = 20, at_most: float = 60, threads: int = 16
) -> Iterator[Load]:
    """Keep up a load while the body runs; afterwards ``running.report`` says what became of it.

    Args:
        send: Sends the request of that number (0, 1, ...) and returns its answer; called by several threads at once.
        per_second: How many are sent, at most 100 a second.
        at_most: Seconds after which it ends by itself.
        threads: How many may be under way at once, at most 32; when all are busy, requests wait their turn.

    Raises:
        ValueError: It would be more than 5000 requests, 100 a second or 32 at once: this is no benchmark.
    """
    bounds = ("per_second", per_second, 100), ("threads", threads, _MOST_THREADS)
    for name, value, most in (*bounds, ("requests", per_second * at_most, _MOST_REQUESTS)):
        if not 0 < value <= most:
            message = f"{name}: must be above 0 and at most {most}, got {value:g}"
            raise ValueError(message)
    running = Load()
    with ThreadPoolExecutor(1, thread_name_prefix="load-clock") as clock:
        whole = clock.submit(running.run, send, per_second, at_most, threads)
        try:
            yield running
        finally:
            running.stop()
        whole.result()
