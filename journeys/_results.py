"""What a journey found: steps, scenarios, resources. Plain values, also the shape of the JSON report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Result = Literal["passed", "failed", "not-run"]
RESULTS: tuple[Result, ...] = get_args(Result)

Scalar = str | int | float | bool | None
"""What evidence may be in JSON; anything else is shown as its text."""


@dataclass(frozen=True)
class StepResult:
    """One step of a journey.

    Attributes:
        name: What the step proves, as a sentence.
        result: ``passed``, ``failed`` or ``not-run``.
        reason: Why it failed or was not run, on one line; None when it passed.
        seconds: How long it took.
        evidence: What was seen (statuses, ids, counts).
    """

    name: str
    result: Result
    reason: str | None = None
    seconds: float = 0.0
    evidence: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Resources:
    """How many of the stack's resources were created, and by what.

    Attributes:
        native: By the cloud's own CloudFormation (on AWS: all of them).
        adapter: By the local cloud, through the emulator's API of that service.
        recorded: Only written down by the local cloud; nothing runs behind them.
    """

    native: int = 0
    adapter: int = 0
    recorded: int = 0


@dataclass(frozen=True)
class ScenarioResult:
    """One scenario's journey.

    Attributes:
        key: The scenario, ``order-queue``.
        result: See :func:`judge`.
        seconds: The whole journey with its clean-up.
        steps: In the order in which they ended.
        resources: What was deployed.
        reason: Why the scenario as a whole was not run; None otherwise.
    """

    key: str
    result: Result
    seconds: float = 0.0
    steps: tuple[StepResult, ...] = ()
    resources: Resources = field(default_factory=Resources)
    reason: str | None = None

    def count(self, result: Result) -> int:
        """How many steps ended like this."""
        return sum(step.result == result for step in self.steps)


@dataclass(frozen=True)
class Report:
    """Everything one run found.

    Attributes:
        scenarios: One per journey, in the order in which they ran.
        target: ``local`` or ``aws``.
        region: The region of the run.
    """

    scenarios: tuple[ScenarioResult, ...]
    target: str | None = None
    region: str | None = None

    @property
    def exit_status(self) -> int:
        """0 when something passed and nothing failed, else 1: a run that proved nothing is not a success."""
        results = [scenario.result for scenario in self.scenarios]
        return 0 if "passed" in results and "failed" not in results else 1


def judge(steps: tuple[StepResult, ...]) -> Result:
    """The result of a scenario from its steps.

    Failed when a step failed or when there is none (a journey that proves nothing), passed when at least one step
    passed, not-run when no step could be run.
    """
    results = {step.result for step in steps}
    if not results or "failed" in results:
        return "failed"
    return "passed" if "passed" in results else "not-run"
