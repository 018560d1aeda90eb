"""localcloud/__main__.py: what the person at the command line is told, and the exit status."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from journeys._report import Resources, Result, ScenarioResult, StepResult, read
from localcloud import __main__ as command_line
from localcloud import cdk
from localcloud.errors import LocalCloudError
from tests.localcloud.test_inventory import READY

KEY = "order-queue"


class StubServers:
    """One server of each stack."""

    proxy_url = "http://127.0.0.1:3128"
    closed = False

    def of_stack(self, stack: str) -> list[Any]:
        return [SimpleNamespace(name=f"{stack}-1", target="127.0.0.1:8000", zone="us-east-1a")]

    def close(self) -> None:
        self.closed = True


class Stub:
    """A local cloud that does nothing; `wrong` is what its deploy raises, `dies` what it tells after the journey."""

    def __init__(self, wrong: BaseException | None = None, dies: LocalCloudError | None = None) -> None:
        self.wrong, self.dies = wrong, dies
        self.ready = READY
        self.outputs = {"OrderQueue": {"QueueUrl": "https://queue"}}
        self.environment = {"AWS_ENDPOINT_URL": "https://127.0.0.1:1"}
        self.given = StubServers()

    @contextmanager
    def start(self, *_state: Path, **_more: Any) -> Iterator["Stub"]:
        yield self

    def deploy(self, _names: list[str]) -> list[cdk.DeployableStack]:
        if self.wrong:
            raise self.wrong
        return [cdk.DeployableStack("OrderQueue", "OrderQueue", Path())]

    def servers(self) -> "StubServers":
        return self.given

    def world(self, key: str, **_more: Any) -> str:
        return key

    def resources(self, _key: str) -> Resources:
        return Resources(native=1)

    def check_alive(self) -> None:
        if self.dies:
            raise self.dies


def invoke(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stub: Stub, step: Result, *arguments: str
) -> tuple[int, str]:
    """Run the command line with a stub and a journey whose only step ends as `step`; status and what was said."""

    def journey(key: str, _world: str, **_more: Any) -> ScenarioResult:
        steps = (StepResult("proves something", step, reason=None if step == "passed" else "because"),)
        return ScenarioResult(key, step, 0.1, steps)

    monkeypatch.setattr(command_line, "LocalCloud", stub)
    monkeypatch.setattr(command_line, "run_journey", journey)
    monkeypatch.setattr(command_line, "BUILD", tmp_path)
    ended = CliRunner().invoke(command_line.cli, arguments)
    return ended.exit_code, ended.output


@pytest.mark.parametrize(("step", "status"), [("passed", 0), ("failed", 1), ("not-run", 1)])
def test_the_status_is_the_reports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: Result, status: int) -> None:
    code, said = invoke(monkeypatch, tmp_path, Stub(), step, "run", KEY)
    assert code == status, said
    assert "What differs from AWS" in said
    (scenario,) = read(tmp_path / "report.json").scenarios
    assert (scenario.key, scenario.result) == (KEY, step)


@pytest.mark.parametrize(
    ("wrong", "status", "told"),
    [
        (LocalCloudError("the emulator ended with status -9"), 1, "the emulator ended with status -9"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
@pytest.mark.parametrize("command", ["run", "up"])
def test_one_sentence_and_a_status(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, wrong: BaseException, status: int, told: str
) -> None:
    code, said = invoke(monkeypatch, tmp_path, Stub(wrong), "passed", command, KEY)
    assert code == status
    assert said.strip().splitlines()[-1].startswith(told)
    assert "Traceback" not in said
    assert not (tmp_path / "report.json").exists()


def test_an_emulator_that_dies_under_a_journey(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was found until then is reported all the same."""
    code, said = invoke(monkeypatch, tmp_path, Stub(dies=LocalCloudError("it died")), "failed", "run", KEY)
    assert code == 1
    assert said.strip().splitlines()[-1] == "it died"
    assert read(tmp_path / "report.json").scenarios[0].result == "failed"


def test_up_tells_what_to_export(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stub = Stub(dies=LocalCloudError("it died"))
    code, said = invoke(monkeypatch, tmp_path, stub, "passed", "up", KEY)
    assert code == 1
    assert "OrderQueue-1 at 127.0.0.1:8000 in us-east-1a" in said
    assert "--proxy http://127.0.0.1:3128" in said
    assert stub.given.closed
    assert "export AWS_ENDPOINT_URL=https://127.0.0.1:1" in said
    assert "OrderQueue.QueueUrl = https://queue" in said


@pytest.mark.parametrize("command", ["run", "up"])
def test_an_unknown_scenario_starts_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str) -> None:
    stub = Stub(wrong=AssertionError("it was started"))
    code, said = invoke(monkeypatch, tmp_path, stub, "passed", command, "order-quee")
    assert code == 2
    assert "no such scenario 'order-quee'; there are: " in said


def test_the_command_line_starts_no_node() -> None:
    """CDK's library would: its Node process costs a second at every command and dies badly at Ctrl-C."""
    source = "import sys, localcloud.__main__; sys.exit('aws_cdk' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", source], cwd=cdk.ROOT, check=False, capture_output=True)
    assert ended.returncode == 0
