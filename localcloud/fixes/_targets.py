"""The targets of target groups: who is registered, who is healthy, whose turn it is, who is finishing."""

import asyncio
import functools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from localcloud.fixes._target_checks import Verdict, check
from localcloud.internals import need

Key = tuple[str, int]
"""A target's address and port."""
_STARTING = ("Elb.RegistrationInProgress", "Target registration is in progress")
_DRAINING = ("Target.DeregistrationInProgress", "Target deregistration is in progress")
_UNUSED = ("Target.NotInUse", "Target group is not configured to receive traffic from the load balancer")
_LOOK_AGAIN = 0.5
"""Seconds after which a target group that no listener uses is looked at anew."""


@dataclass(eq=False)
class Target:
    """One registered target, or one that finishes what it has."""

    host: str
    port: int
    zone: str
    state: str = "initial"
    why: tuple[str, str] = _STARTING
    in_a_row: int = 0
    """Checks passed in a row; below zero: failed in a row."""
    in_flight: int = 0
    drained_at: float = 0.0
    """When it is forgotten though it still works on something."""
    idle: list[Any] = field(default_factory=list)
    """Connections that wait for their next request."""

    def judge(self, verdict: Verdict, rises: int, falls: int) -> None:
        """Take the result of a check. A target that is new must pass one; later the thresholds of its group hold."""
        if verdict.passed:
            self.in_a_row = max(self.in_a_row, 0) + 1
            if self.state == "initial" or self.in_a_row >= rises:
                self.state, self.why = "healthy", ("", "")
            return
        self.in_a_row = min(self.in_a_row, 0) - 1
        if -self.in_a_row >= falls:
            self.state, self.why = "unhealthy", (verdict.reason, verdict.description)
        elif self.state == "initial":
            self.why = ("Elb.InitialHealthChecking", "Initial health checks in progress")


class Group:
    """The targets of one target group, kept in step with the emulator's own list of them."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self._alb = need("services.alb", "_tgs", "_targets", "_tg_attrs", "_rules", "_listeners")
        self._targets: dict[Key, Target] = {}
        self._draining: list[Target] = []
        self._turn = 0

    @property
    def config(self) -> Any:
        """The group as the emulator has it; None once it is deleted."""
        return self._alb._tgs.get(self.arn)

    def sync(self) -> None:
        """Begin to check who is new, and to drain who is gone."""
        listed = {
            (entry["Id"], int(entry.get("Port") or self.config["Port"])): entry
            for entry in (self._alb._targets.get(self.arn) or [])
        }
        for key in self._targets.keys() - listed.keys():
            self._drain(self._targets.pop(key))
        for key in listed.keys() - self._targets.keys():
            target = Target(*key, zone=listed[key].get("AvailabilityZone", ""))
            self._targets[key] = target
            _on_loop(functools.partial(self._watch, key, target))

    def described(self) -> Iterable[Target]:
        """Registered targets, then those that finish."""
        self.sync()
        now = time.monotonic()
        self._draining = [one for one in self._draining if one.in_flight and now < one.drained_at]
        return [*self._targets.values(), *self._draining]

    def choose(self) -> Target | None:
        """Whose turn it is among the healthy; among all that are not when none is, as AWS fails open."""
        self.sync()
        ready = [one for one in self._targets.values() if one.state == "healthy"]
        ready = ready or [one for one in self._targets.values() if one.state == "unhealthy"]
        if not ready:
            return None
        self._turn += 1
        return ready[self._turn % len(ready)]

    def _drain(self, target: Target) -> None:
        delay = next(
            (
                float(each["Value"])
                for each in self._alb._tg_attrs.get(self.arn, [])
                if each["Key"] == "deregistration_delay.timeout_seconds"
            ),
            300.0,
        )
        target.state, target.why = "draining", _DRAINING
        target.drained_at = time.monotonic() + delay
        while target.idle:
            target.idle.pop().close()
        self._draining.append(target)

    def _is_used(self) -> bool:
        every = [*self._alb._rules.values(), *self._alb._listeners.values()]
        actions = (action for one in every for action in one.get("Actions") or one.get("DefaultActions") or [])
        return any(action.get("TargetGroupArn") == self.arn for action in actions)

    async def _watch(self, key: Key, target: Target) -> None:
        while self._targets.get(key) is target and (config := self.config):
            pause = _LOOK_AGAIN
            if not self._is_used():
                target.state, target.why = "unused", _UNUSED
            else:
                if target.state == "unused":
                    target.state, target.why = "initial", _STARTING
                verdict = await check(target.host, target.port, config)
                if target.state != "draining":
                    target.judge(verdict, config["HealthyThresholdCount"], config["UnhealthyThresholdCount"])
                pause = config["HealthCheckIntervalSeconds"]
            await asyncio.sleep(pause)


_groups: dict[str, Group] = {}
_tasks: set[asyncio.Task[None]] = set()


def group(arn: str) -> Group:
    """The group with this ARN, which must exist in the emulator."""
    if arn not in _groups:
        _groups[arn] = Group(arn)
    return _groups[arn]


def _on_loop(begin: Callable[[], Any]) -> None:
    """Run a coroutine on the emulator's loop, from whichever thread."""
    loop = need("app", "_MAIN_LOOP")._MAIN_LOOP

    def start() -> None:
        task = loop.create_task(begin())
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)

    loop.call_soon_threadsafe(start)
