"""Starting, stopping and dying: one clear sentence, and nothing left."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud import cdk, leftovers
from localcloud.cloud import EMULATOR_PYTHON, LocalCloud
from localcloud.errors import LocalCloudError
from tests.localcloud.probes import eventually
from tests.localcloud.test_process import group_lives

pytestmark = pytest.mark.cloud


def app(folder: Path, source: str) -> Path:
    """A CDK app that is one Python file."""
    folder.mkdir()
    (folder / "app.py").write_text(source)
    (folder / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    return folder


def test_without_its_environment(tmp_path: Path) -> None:
    with (
        pytest.raises(LocalCloudError, match=r"emulator's environment is not there .*: run make setup"),
        LocalCloud.start(tmp_path, python=tmp_path / "none"),
    ):
        pass


def test_an_emulator_that_cannot_start_says_why(tmp_path: Path) -> None:
    """This environment's Python has no emulator."""
    with (
        pytest.raises(LocalCloudError, match=r"ended with status 1: .*ministack.*; its log: .*emulator\.log"),
        LocalCloud.start(tmp_path, python=Path(sys.executable), bare=True),
    ):
        pass


def test_an_emulator_of_another_version_says_so(tmp_path: Path) -> None:
    """A stand-in for the interpreter pretends that we were written for another version."""
    source = (
        "import json, sys, localcloud.internals as i; i.VERSION = '0.1'; "
        "from localcloud.emulator import main, Settings; "
        "sys.exit(main(Settings(**json.loads(sys.argv[1]))))"
    )
    stand_in = tmp_path / "python"
    stand_in.write_text(f'#!/bin/sh\nexec {EMULATOR_PYTHON} -c "{source}" "$3"\n')
    stand_in.chmod(0o755)
    with (
        pytest.raises(
            LocalCloudError, match=r"^the emulator ministack is \S+, but .* written for 0\.1: run make setup$"
        ),
        LocalCloud.start(tmp_path / "state", python=stand_in, bare=True),
    ):
        pass


def test_one_at_a_time_in_a_state_folder(tmp_path: Path) -> None:
    with LocalCloud.start(tmp_path, bare=True) as first:
        with (
            pytest.raises(
                LocalCloudError, match=r"another local cloud \(process \d+\) runs from .*: stop it with make down"
            ),
            LocalCloud.start(tmp_path, bare=True),
        ):
            pass
        first.check_alive()
        assert first.client("sts").get_caller_identity()
        assert first.iam_log.exists(), "what the first one writes was left alone"
    assert eventually(lambda: not group_lives(first.ready.pid))


def test_an_emulator_that_dies_in_the_middle(tmp_path: Path) -> None:
    slow = app(tmp_path / "app", "import time; time.sleep(60)")
    with LocalCloud.start(tmp_path / "state", bare=True) as cloud:
        threading.Timer(0.5, os.kill, (cloud.ready.pid, signal.SIGKILL)).start()
        began = time.monotonic()
        with pytest.raises(
            LocalCloudError, match=r"the emulator died \(status -9\) in the middle; .* is in .*emulator\.log"
        ):
            cloud.deploy(app_folder=slow)
        assert time.monotonic() - began < 30
    assert eventually(lambda: not group_lives(cloud.ready.pid))


def test_a_synth_that_fails_tells_its_last_words(tmp_path: Path) -> None:
    broken = app(tmp_path / "app", "raise SystemExit('error: prefix: too long')")
    with (
        LocalCloud.start(tmp_path / "state", bare=True) as cloud,
        pytest.raises(LocalCloudError, match=r"synthesizing failed: error: prefix: too long; the whole log: .*synth"),
    ):
        cloud.deploy(app_folder=broken)


def test_what_an_interrupted_command_leaves_is_in_the_state_folder(tmp_path: Path) -> None:
    told = app(tmp_path / "app", "import tempfile; raise SystemExit(f'error: {tempfile.gettempdir()}')")
    with LocalCloud.start(tmp_path / "state", bare=True) as cloud:
        with pytest.raises(LocalCloudError, match=f"error: {tmp_path}/state/tmp;"):
            cloud.deploy(app_folder=told)
        assert cloud._cli_environment()["TMPDIR"] == str(tmp_path / "state" / "tmp")


def test_a_resource_type_that_nobody_knows(tmp_path: Path) -> None:
    source = """
import aws_cdk as cdk

app = cdk.App()
cdk.CfnResource(cdk.Stack(app, "S"), "R", type="AWS::GroundStation::X")
app.synth()
"""
    with (
        LocalCloud.start(tmp_path / "state", bare=True) as cloud,
        pytest.raises(LocalCloudError, match=r"does not know 1 resource type.*: AWS::GroundStation::X \(S\); add"),
    ):
        cloud.deploy(app_folder=app(tmp_path / "app", source))


def test_a_deployment_that_fails_tells_its_first_failure(cloud: LocalCloud, tmp_path: Path) -> None:
    source = """
import aws_cdk as c
app = c.App()
stack = c.Stack(app, "Failing")
topic = c.CfnResource(stack, "Topic", type="AWS::SNS::Topic", properties={"TopicName": "x", "FifoTopic": True})
app.synth()
"""
    with pytest.raises(
        LocalCloudError,
        match=r"deploying Failing failed: Failing: Topic \(AWS::SNS::Topic\) CREATE_FAILED: .*\.fifo; the",
    ):
        cloud.deploy(app_folder=app(tmp_path / "app", source))


def test_down_stops_what_runs_and_nobody_else(tmp_path: Path) -> None:
    stale = tmp_path / "old" / "emulator.lock"
    stale.parent.mkdir()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as innocent:
        stale.write_text(str(innocent.pid))
        with LocalCloud.start(tmp_path / "state", bare=True) as cloud:
            assert leftovers.stop(tmp_path) == [tmp_path / "state"]
            with pytest.raises(LocalCloudError, match="the emulator was stopped in the middle"):
                cloud.check_alive()
            assert leftovers.stop(tmp_path) == []
        assert innocent.poll() is None
        innocent.kill()


@pytest.fixture
def up() -> Iterator[subprocess.Popen[str]]:
    """`python -m localcloud up` in a group of its own, once it is up."""
    with subprocess.Popen(
        [sys.executable, "-m", "localcloud", "up"],
        cwd=cdk.ROOT,
        text=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout
        said: list[str] = []
        while not said or "Up." not in said[-1]:
            said.append(process.stdout.readline())
            assert said[-1], said
        assert any(line.startswith("export AWS_ENDPOINT_URL=https://127.0.0.1:") for line in said)
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_however_it_is_ended_nothing_is_left(up: subprocess.Popen[str], number: int, status: int) -> None:
    emulator = int(json.loads((cdk.ROOT / "build" / "local" / "up" / "emulator.json").read_text())["pid"])
    os.killpg(up.pid, number)  # as a terminal does: to everybody in the foreground
    rest, _none = up.communicate(timeout=20)
    assert up.returncode == status
    assert ("interrupted" in rest) == (number == signal.SIGINT)
    assert eventually(lambda: not group_lives(emulator))


def test_images_are_asked_for_and_not_built(tmp_path: Path) -> None:
    source = """
from pathlib import Path
import aws_cdk as cdk
from aws_cdk import aws_ecr_assets as assets
folder = Path("image")
folder.mkdir(exist_ok=True)
(folder / "Dockerfile").write_text("FROM scratch")
app = cdk.App()
stack = cdk.Stack(app, "Images")
image = assets.DockerImageAsset(stack, "Image", directory=str(folder), platform=assets.Platform.LINUX_ARM64)
cdk.CfnResource(stack, "Topic", type="AWS::SNS::Topic")
cdk.CfnOutput(stack, "Uri", value=image.image_uri)
app.synth()
"""
    with LocalCloud.start(tmp_path / "state") as cloud:
        cloud.deploy(app_folder=app(tmp_path / "app", source))
        repository, _, tag = cloud.outputs["Images"]["Uri"].partition("/")[2].partition(":")
        assert [one["repositoryName"] for one in cloud.client("ecr").describe_repositories()["repositories"]] == [
            repository
        ]
        asked = (cloud.state / "logs" / "images.log").read_text().splitlines()
    verbs = [line.split()[0] for line in asked]
    assert {"login", "build", "tag", "push"} <= set(verbs), asked
    assert asked[-1].startswith("push ")
    assert asked[-1].endswith(f"/{repository}:{tag}")
