"""The report: what is written is what is read, whole, and as the table shows it."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from journeys._report import (
    Report,
    Resources,
    Result,
    ScenarioResult,
    StepResult,
    from_json,
    judge,
    read,
    render,
    to_json,
    write,
)

results = st.sampled_from(("passed", "failed", "not-run"))
seconds = st.floats(0, 1e6)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
counts = st.integers(0, 5000)
steps = st.builds(
    StepResult,
    name=st.text(),
    result=results,
    reason=st.none() | st.text(),
    seconds=seconds,
    evidence=st.dictionaries(st.text(), scalars, max_size=4),
)
scenarios = st.builds(
    ScenarioResult,
    key=st.text(),
    result=results,
    seconds=seconds,
    steps=st.lists(steps, max_size=4).map(tuple),
    resources=st.builds(Resources, counts, counts, counts),
    reason=st.none() | st.text(),
)
reports = st.builds(
    Report, st.lists(scenarios, max_size=4).map(tuple), st.sampled_from(("local", "aws", None)), st.none() | st.text()
)

WHOLE = Report(
    (
        ScenarioResult(
            "order-queue",
            "failed",
            12.34,
            (
                StepResult("a burst is stored once", "passed", None, 3.21, {"orders": 50}),
                StepResult("a [poison] message", "failed", "dead letters: not within 30 s; the last was 0", 30.0),
                StepResult("a text arrives", "not-run", "texts cannot be read back on AWS"),
            ),
            Resources(34, 2, 1),
        ),
        ScenarioResult("sns-fanout", "not-run", reason="SnsFanout is not deployed in eu-west-1"),
    ),
    "local",
    "eu-west-1",
)


@given(reports)
def test_what_is_written_is_what_is_read(report: Report) -> None:
    assert from_json(to_json(report)) == report


def test_the_agreed_shape() -> None:
    (first, second) = json.loads(to_json(WHOLE))["scenarios"]
    assert {"key", "result", "seconds", "steps", "resources"} <= first.keys()
    assert (first["key"], first["result"], first["seconds"]) == ("order-queue", "failed", 12.34)
    assert first["resources"] == {"native": 34, "adapter": 2, "recorded": 1}
    agreed = [{name: step[name] for name in ("name", "result", "reason")} for step in first["steps"]]
    assert agreed[0] == {"name": "a burst is stored once", "result": "passed", "reason": None}
    assert agreed[2]["reason"] == "texts cannot be read back on AWS"
    assert (second["result"], second["steps"]) == ("not-run", [])


def test_a_report_of_the_agreed_fields_alone_is_read() -> None:
    text = """{"scenarios": [{"key": "a", "result": "passed", "seconds": 1, "steps": [{"name": "s", "result": "passed",
        "reason": null}], "resources": {"native": 1, "adapter": 0, "recorded": 0}}]}"""
    assert from_json(text) == Report(
        (ScenarioResult("a", "passed", 1, (StepResult("s", "passed"),), Resources(native=1)),)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expecting value"),
        ("[]", "not a report: TypeError"),
        ("{}", "not a report: KeyError: 'scenarios'"),
        ('{"scenarios": [{"key": "a"}]}', "not a report: KeyError: 'result'"),
        (
            '{"scenarios": [{"key": "a", "result": "green"}]}',
            "result: must be one of passed, failed, not-run, got 'green'",
        ),
    ],
)
def test_what_is_no_report(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_json(text)


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "build" / "report.json"
    write(WHOLE, path)
    assert read(path) == WHOLE
    assert path.stat().st_mode & 0o777 == 0o644
    write(Report(()), path)
    assert read(path) == Report(())
    assert list(path.parent.iterdir()) == [path]


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    write(WHOLE, path)

    def full(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write(Report(()), path)
    assert read(path) == WHOLE
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("given_results", "expected"),
    [
        ((), "failed"),
        (("passed",), "passed"),
        (("passed", "not-run"), "passed"),
        (("not-run", "not-run"), "not-run"),
        (("passed", "not-run", "failed"), "failed"),
        (("not-run", "failed"), "failed"),
    ],
)
def test_a_scenario_is_judged_by_its_steps(given_results: tuple[Result, ...], expected: Result) -> None:
    assert judge(tuple(StepResult("s", result) for result in given_results)) == expected


@pytest.mark.parametrize(
    ("given_results", "expected"),
    [
        (("passed",), 0),
        (("passed", "not-run"), 0),
        (("passed", "failed"), 1),
        (("not-run",), 1),
        ((), 1),
    ],
)
def test_exit_status(given_results: tuple[Result, ...], expected: int) -> None:
    assert Report(tuple(ScenarioResult("k", result) for result in given_results)).exit_status == expected


def shown(report: Report, *, width: int = 120, colour: bool = False) -> str:
    file = io.StringIO()
    render(report, Console(file=file, width=width, force_terminal=colour or None))
    return file.getvalue()


def test_the_table_says_it_all() -> None:
    text = shown(WHOLE)
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert "order-queue ✗ failed 1 passed, 1 failed, 1 not-run 12.3 34 native, 2 adapter, 1 recorded" in rows
    assert "sns-fanout – not-run 0.0" in rows
    lines = text[text.index("\nFailed\n") :].splitlines()
    assert [line.rstrip() for line in lines if line.strip()] == [
        "Failed",
        "  order-queue  a [poison] message",
        "      dead letters: not within 30 s; the last was 0",
        "Not run",
        "  order-queue  a text arrives",
        "      texts cannot be read back on AWS",
        "  sns-fanout",
        "      SnsFanout is not deployed in eu-west-1",
    ]
    assert "\x1b" not in text
    assert "\x1b" in shown(WHOLE, colour=True)


def test_what_went_well_lists_no_reasons() -> None:
    text = shown(Report((ScenarioResult("a", "passed", 1.0, (StepResult("s", "passed"),)),)))
    assert "Failed" not in text
    assert "Not run" not in text


@given(reports)
def test_every_report_can_be_shown(report: Report) -> None:
    shown(report, width=80)
