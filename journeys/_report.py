"""The report of a run: ``build/report.json`` and a table for people."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from journeys._progress import STYLES, mark
from journeys._results import RESULTS, Report, Resources, Result, Scalar, ScenarioResult, StepResult, judge

__all__ = [
    "Report",
    "Resources",
    "Result",
    "Scalar",
    "ScenarioResult",
    "StepResult",
    "from_json",
    "judge",
    "read",
    "render",
    "to_json",
    "write",
]


def to_json(report: Report) -> str:
    """The report as JSON text.

    ``{"scenarios": [{"key", "result", "seconds", "steps": [{"name", "result", "reason", …}],
    "resources": {"native", "adapter", "recorded"}, …}], …}``
    """
    return json.dumps(asdict(report), indent=2, allow_nan=False) + "\n"


def from_json(text: str) -> Report:
    """The report of a JSON text.

    Raises:
        ValueError: It is no report. Names the field.
    """
    data = json.loads(text)
    try:
        scenarios = tuple(_scenario(scenario) for scenario in data["scenarios"])
        return Report(scenarios, data.get("target"), data.get("region"))
    except (KeyError, TypeError, AttributeError) as error:
        message = f"not a report: {type(error).__name__}: {error}"
        raise ValueError(message) from error


def write(report: Report, path: Path) -> None:
    """Write the report whole or not at all: nobody reads half of one, and an old one stays when this fails."""
    text = to_json(report)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read(path: Path) -> Report:
    """The report in a file.

    Raises:
        ValueError: It is no report.
        OSError: It cannot be read.
    """
    return from_json(path.read_text(encoding="utf-8"))


def render(report: Report, console: Console) -> None:
    """Print a row per scenario, then every failure and everything that was not run, with its reason."""
    table = Table(
        Column("scenario", no_wrap=True),
        Column("result", no_wrap=True),
        "steps",
        Column("seconds", justify="right"),
        "resources",
        box=SIMPLE_HEAD,
    )
    for scenario in report.scenarios:
        steps = [_count(scenario.count(result), result) for result in RESULTS]
        resources = [_count(count, name) for name, count in asdict(scenario.resources).items()]
        table.add_row(
            Text(scenario.key, style="bold"),
            Text.assemble(mark(scenario.result, console), " ", (scenario.result, STYLES[scenario.result])),
            Text(", ").join(filter(None, steps)),
            f"{scenario.seconds:.1f}",
            Text(", ").join(filter(None, resources)),
        )
    console.print(table)
    _reasons(report, "failed", "Failed", console)
    _reasons(report, "not-run", "Not run", console)


def _reasons(report: Report, result: Result, title: str, console: Console) -> None:
    lines = [(scenario.key, name, reason) for scenario in report.scenarios for name, reason in _ended(scenario, result)]
    if not lines:
        return
    console.print(Text(title, style=STYLES[result]))
    for key, name, reason in lines:
        console.print(Text.assemble("  ", (key, "bold"), f"  {name}" if name else ""), soft_wrap=True)
        console.print(Text(f"      {reason}"), soft_wrap=True)


def _ended(scenario: ScenarioResult, result: Result) -> list[tuple[str, str]]:
    """Names and reasons of what ended like this: the scenario itself, then its steps."""
    own = [("", scenario.reason)] if scenario.result == result and scenario.reason else []
    return [*own, *((step.name, step.reason or "") for step in scenario.steps if step.result == result)]


def _count(count: int, name: str) -> Text:
    """``3 passed``, in the colour of a result; nothing for none."""
    return Text(f"{count} {name}", style=STYLES.get(name, "")) if count else Text()


def _scenario(data: Mapping[str, Any]) -> ScenarioResult:
    return ScenarioResult(
        key=data["key"],
        result=_result(data["result"]),
        seconds=data["seconds"],
        steps=tuple(
            StepResult(
                name=step["name"],
                result=_result(step["result"]),
                reason=step["reason"],
                seconds=step.get("seconds", 0.0),
                evidence=dict(step.get("evidence", {})),
            )
            for step in data["steps"]
        ),
        resources=Resources(**data["resources"]),
        reason=data.get("reason"),
    )


def _result(value: object) -> Result:
    for result in RESULTS:
        if result == value:
            return result
    message = f"result: must be one of {', '.join(RESULTS)}, got {value!r}"
    raise ValueError(message)
