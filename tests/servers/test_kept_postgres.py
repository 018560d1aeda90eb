"""tests/kept_postgres.py: the tests' own PostgreSQL."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.localcloud.probes import eventually
from tests.servers.processes import ROOT

OWNER = """
from tests.servers import postgres
with postgres.running() as server:
    print(server.server.folder, *server._pids(), flush=True)
    input()
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_the_tests_die_no_database_is_left(how: signal.Signals) -> None:
    command = [sys.executable, "-c", OWNER]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as owner:
        assert owner.stdout
        folder, *pids = owner.stdout.readline().split()
        assert Path(folder).exists()
        assert len(pids) > 2, "the server and its own processes"
        owner.send_signal(how)
        owner.wait(30)
    assert eventually(lambda: not any(map(_lives, pids)))
    assert eventually(lambda: not Path(folder).exists())


def _lives(pid: str) -> bool:
    """Whether there is such a process; one that has ended may wait to be asked for its status."""
    said = subprocess.run(["/bin/ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False).stdout
    return said.strip()[:1] not in {"", "Z"}
