"""``python -m journeys``, with a made-up account behind it."""

import json
from collections.abc import Callable
from pathlib import Path
from unittest.mock import create_autospec

import boto3
import pytest
import typer
from typer.testing import CliRunner, Result

from journeys import __main__ as command
from journeys._account import AccountError, Deployed, NotDeployedError
from journeys._report import Resources, read
from journeys._runner import Journey, UnknownJourneyError
from journeys._world import World

ACCOUNT = "123456789012"
Run = Callable[..., Result]


def works(world: World) -> None:
    with world.step("works"):
        pass


def fails(world: World) -> None:
    with world.step("works not"):
        raise AssertionError("two orders")


def is_interrupted(world: World) -> None:
    with world.step("long"):
        raise KeyboardInterrupt


JOURNEYS = {"order-queue": works, "sns-fanout": works, "broken": fails, "long": is_interrupted, "absent": works}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command; every stack but Absent is deployed, with and without the prefix ``my-``."""
    session = create_autospec(boto3.Session, instance=True)

    def deployed(_client: object, name: str, region: str, *, deploy: str) -> Deployed:
        if name.endswith("Absent"):
            raise NotDeployedError(f"{name} is not deployed in {region}: {deploy}")
        return Deployed({"StackName": name}, Resources(native=7))

    def select(names: list[str]) -> list[str]:
        chosen = list(JOURNEYS) if "all" in names else names
        unknown = [name for name in chosen if name not in JOURNEYS]
        if unknown:
            raise UnknownJourneyError(f"there is no journey {unknown[0]!r}")
        return chosen

    monkeypatch.setattr(command, "caller", lambda region: (session, ACCOUNT, region or "eu-central-1"))
    monkeypatch.setattr(command, "deployed", deployed)
    monkeypatch.setattr(command, "select", select)
    monkeypatch.setattr(command, "load", lambda key: Journey(key, ("StackName",), JOURNEYS[key]))
    app = typer.Typer()
    app.command()(command.main)

    def invoke(*arguments: str, answer: str | None = None) -> Result:
        return CliRunner().invoke(app, [*arguments, "--build", str(tmp_path)], input=answer)

    return invoke


def test_a_journey_that_passes(run: Run, tmp_path: Path) -> None:
    result = run("order-queue", "--yes", "--region", "eu-west-1")
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"account {ACCOUNT}, eu-west-1" in result.stdout
    assert "✓ works" in result.stdout
    report = read(tmp_path / "report.json")
    assert (report.target, report.region, report.exit_status) == ("aws", "eu-west-1", 0)
    assert json.loads((tmp_path / "report.json").read_text())["scenarios"][0]["resources"] == {
        "native": 7,
        "adapter": 0,
        "recorded": 0,
    }


def test_a_journey_that_fails(run: Run, tmp_path: Path) -> None:
    result = run("broken", "order-queue", "--yes")
    assert result.exit_code == 1
    assert "two orders" in result.stdout
    assert [scenario.result for scenario in read(tmp_path / "report.json").scenarios] == ["failed", "passed"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("absent",), "Absent is not deployed in eu-central-1: cdk deploy Absent\n"),
        (("absent", "--prefix", "my-"), "my-Absent is not deployed in eu-central-1: cdk deploy Absent -c prefix=my-\n"),
        (("order-queue", "absent"), "Absent is not deployed in eu-central-1: cdk deploy Absent\n"),
        (("nope",), "there is no journey 'nope'\n"),
    ],
)
def test_wrong_use_runs_nothing(run: Run, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments, "--yes")
    assert (result.exit_code, result.stderr, result.stdout) == (2, message, "")
    assert list(tmp_path.iterdir()) == []


def test_no_credentials(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_region: str | None) -> None:
        raise AccountError("no usable AWS credentials: none")

    monkeypatch.setattr(command, "caller", nobody)
    result = run("order-queue", "--yes")
    assert (result.exit_code, result.stderr) == (2, "no usable AWS credentials: none\n")


def test_of_all_those_that_are_not_deployed_are_not_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(JOURNEYS, "broken")
    monkeypatch.delitem(JOURNEYS, "long")
    result = run("all", "--yes")
    assert result.exit_code == 0
    last = read(tmp_path / "report.json").scenarios[-1]
    assert (last.key, last.result) == ("absent", "not-run")
    assert last.reason == "Absent is not deployed in eu-central-1: cdk deploy Absent"
    assert last.reason in result.stdout


def test_the_prefix_names_the_stack(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setitem(JOURNEYS, "order-queue", lambda world: seen.append(world.out["StackName"]))
    run("order-queue", "--prefix", "my-", "--yes")
    assert seen == ["my-OrderQueue"]


def test_nobody_to_ask(run: Run, tmp_path: Path) -> None:
    result = run("order-queue")
    assert result.exit_code == 2
    assert result.stderr == (
        f"journeys write to account {ACCOUNT}, eu-central-1: pass --yes to agree, as there is nobody to ask\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 2), ("\n", 2)])
def test_somebody_is_asked(run: Run, monkeypatch: pytest.MonkeyPatch, answer: str, status: int) -> None:
    monkeypatch.setattr(command, "_asks", lambda: True)
    result = run("order-queue", answer=answer)
    assert result.exit_code == status
    assert f"Journeys write to account {ACCOUNT}, eu-central-1. Go on? [y/N]" in result.stdout


def test_ctrl_c_reports_what_was_run(run: Run, tmp_path: Path) -> None:
    result = run("order-queue", "long", "sns-fanout", "--yes")
    assert result.exit_code == 130
    assert result.stderr == "interrupted: the journey was cleaned up after, later ones were not run\n"
    assert [scenario.key for scenario in read(tmp_path / "report.json").scenarios] == ["order-queue"]
