"""Waiting for conditions: cloud services answer in their own time, so a journey polls and never sleeps for luck."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from botocore.exceptions import ClientError

from journeys._steps import one_line

T = TypeVar("T")

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.5
_GROWTH = 1.5
_LONGEST_VALUE = 300


@dataclass(frozen=True)
class Waiting:
    """Polls a probe, quickly at first and then every half second.

    Attributes:
        clock: Seconds that only go forward.
        sleep: Waits for some seconds.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def eventually(self, probe: Callable[[], T], *, within: float = 30, what: str = "the condition") -> T:
        """Call the probe until it answers something truthy.

        Args:
            probe: Asks the cloud. AssertionError and botocore's ClientError mean "not yet"; anything else is raised.
            within: Seconds to wait at most; the last call is made when they are over.
            what: What is waited for, for the failure's message.

        Returns:
            The first truthy answer.

        Raises:
            AssertionError: Nothing truthy in time. Names what was waited for and what was seen last.
        """
        last = "never asked"
        cause: Exception | None = None
        for _ in self._moments(within):
            try:
                value = probe()
            except (AssertionError, ClientError) as error:
                last, cause = f"the last try raised {type(error).__name__}: {one_line(error)}", error
            else:
                if value:
                    return value
                last, cause = f"the last value was {_short(value)}", None
        message = f"{what}: not within {within:g} s; {last}"
        raise AssertionError(message) from cause

    def never(self, probe: Callable[[], object], *, during: float = 3, what: str = "the condition") -> None:
        """Call the probe for some seconds and see that it never answers something truthy.

        Args:
            probe: Asks the cloud. An exception is raised on: a probe that cannot see proves nothing.
            during: Seconds to watch; the last call is made when they are over.
            what: What must not happen, for the failure's message.

        Raises:
            AssertionError: It happened. Names what, when, and the value.
        """
        started = self.clock()
        for _ in self._moments(during):
            if value := probe():
                message = f"{what}: must not happen, but did after {self.clock() - started:.1f} s: {_short(value)}"
                raise AssertionError(message)

    def _moments(self, seconds: float) -> Iterator[None]:
        """Yield at growing intervals, and for the last time when the seconds are over."""
        ends = self.clock() + seconds
        pause = _FIRST_PAUSE
        while (left := ends - self.clock()) > 0:
            yield
            self.sleep(min(pause, max(left, 0)))
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)
        yield


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
