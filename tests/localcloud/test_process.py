"""localcloud/process.py and leash.py: nothing outlives us."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from localcloud.errors import LocalCloudError
from localcloud.process import LEASH, Child, require
from tests.localcloud.probes import eventually

STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("up", flush=True)
time.sleep(60)
"""


def group_lives(group: int) -> bool:
    """Whether any process of the group is left (also one that only waits to be reaped, so ask `eventually`)."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def child(source: str, tmp_path: Path, *, leashed: bool = False) -> Child:
    """A Python child, whose log is `tmp_path / "log"`."""
    make: Callable[..., Child] = Child.leashed if leashed else Child
    return make([sys.executable, "-c", source], log=tmp_path / "log", env=dict(os.environ), cwd=tmp_path)


def test_the_status_and_the_log_are_kept(tmp_path: Path) -> None:
    with child("print('one'); print('two'); raise SystemExit(7)", tmp_path) as running:
        assert running.wait(10) == 7
        assert running.tail(1) == "two"


@pytest.mark.parametrize("leashed", [False, True])
def test_stopping_ends_a_stubborn_child_and_its_own_children(tmp_path: Path, leashed: bool) -> None:
    with child(STUBBORN, tmp_path, leashed=leashed) as running:
        assert eventually(lambda: "up" in running.log.read_text())
        running.stop(seconds=0.3)
        assert eventually(lambda: not group_lives(running.pid))


def test_a_child_that_ended_by_itself_leaves_nothing_either(tmp_path: Path) -> None:
    source = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    with child(source, tmp_path) as running:
        assert running.wait(10) == 0
        assert eventually(lambda: not group_lives(running.pid))


def test_waiting_gives_up_in_time(tmp_path: Path) -> None:
    with child("import time; time.sleep(60)", tmp_path) as running:
        began = time.monotonic()
        assert running.wait(0.2) is None
        assert time.monotonic() - began < 30


def test_killing_us_ends_what_is_on_a_leash(tmp_path: Path) -> None:
    owner_source = f"""
        import os, sys, time
        from pathlib import Path
        from localcloud.process import Child
        command, here = [sys.executable, "-c", {STUBBORN!r}], Path(".")
        running = Child.leashed(command, log=here / "log", env=dict(os.environ), cwd=here)
        print(running.pid, flush=True)
        time.sleep(60)
    """
    root = str(LEASH.parent.parent)
    env = os.environ | {"PYTHONPATH": root}
    command = [sys.executable, "-c", textwrap.dedent(owner_source)]
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        group = int(owner.stdout.readline())
        assert eventually(lambda: (tmp_path / "log").exists() and "up" in (tmp_path / "log").read_text())
        owner.send_signal(signal.SIGKILL)
        owner.wait(10)
    assert eventually(lambda: not group_lives(group))


def test_what_is_missing_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match=r"the thing is not there \(.*none\): run make setup"):
        require(tmp_path / "none", "the thing")
    assert require(tmp_path, "the thing") == tmp_path


POLITE = """
import signal, sys, time
def end(*_):
    print("finished", flush=True)
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(("gentle", "says"), [(True, "finished"), (False, "up")])
def test_a_gentle_leash_lets_a_command_finish(tmp_path: Path, gentle: bool, says: str) -> None:
    command, env = [sys.executable, "-c", POLITE], dict(os.environ)
    with Child.leashed(command, log=tmp_path / "log", env=env, cwd=tmp_path, gentle=gentle) as running:
        assert eventually(lambda: running.log.exists() and "up" in running.log.read_text())
        running.stop(seconds=5)
        assert running.tail(1) == says


def test_a_stubborn_command_on_a_gentle_leash_ends_too(tmp_path: Path) -> None:
    command, env = [sys.executable, "-c", STUBBORN], dict(os.environ)
    with Child.leashed(command, log=tmp_path / "log", env=env, cwd=tmp_path, gentle=True) as running:
        assert eventually(lambda: "up" in running.log.read_text())
        running.stop(seconds=0.3)
        assert eventually(lambda: not group_lives(running.pid))


def test_a_killed_command_finishes_nothing(tmp_path: Path) -> None:
    command, env = [sys.executable, "-c", POLITE], dict(os.environ)
    with Child.leashed(command, log=tmp_path / "log", env=env, cwd=tmp_path, gentle=True) as running:
        assert eventually(lambda: "up" in running.log.read_text())
        running.kill()
        assert running.status() is not None
        assert eventually(lambda: not group_lives(running.pid))
        assert running.tail(1) == "up"
