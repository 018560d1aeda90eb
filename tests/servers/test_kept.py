"""tests/kept_postgres.py and tests/servers/processes.py: what tests start ends with them."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.localcloud.probes import eventually
from tests.servers.processes import ROOT

DATABASE = """
from tests.servers import postgres
with postgres.running() as server:
    print(*server._pids(), flush=True)
    input()
"""
FROZEN = DATABASE.replace("    input()", "    with server.frozen():\n        input()")
SERVER = """
import sys
from pathlib import Path
from pathlib import Path
from tests.servers import processes
with processes.running("update_server", {"RELEASES_ROOT": sys.argv[1]}) as server:
    leash = server._process.pid
    print(leash, Path(f"/proc/{leash}/task/{leash}/children").read_text(), flush=True)
    input()
"""


OWNERS = {"database": DATABASE, "frozen database": FROZEN, "server": SERVER}
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


@pytest.mark.parametrize(
    ("owner_of", "how"),
    [*((one, how) for one in ("database", "server") for how in ENDS), ("frozen database", signal.SIGKILL)],
)
def test_however_the_tests_die_nothing_of_theirs_is_left(owner_of: str, how: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNERS[owner_of], str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as owner:
        assert owner.stdout
        pids = owner.stdout.readline().split()
        assert len(pids) > 1
        owner.send_signal(how)
        owner.wait(30)
    assert eventually(lambda: not any(map(_lives, pids)), seconds=20)


def _lives(pid: str) -> bool:
    """Whether there is such a process; one that has ended may wait to be asked for its status."""
    said = subprocess.run(["/bin/ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False).stdout
    return said.strip()[:1] not in {"", "Z"}
