"""localcloud/stores: the servers' home, their keepers, and what PostgreSQL is told."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from localcloud import cdk, certificates, environment
from localcloud.certificates import Certificates
from localcloud.cloud import EMULATOR_PYTHON, LocalCloud
from localcloud.stores import postgres_settings as settings
from localcloud.stores.home import PORTS, Home, StoreError, free_port, once
from tests.localcloud import databases, probes

POSTGRES = Path(environment.of_emulator(Path("/none"), Certificates.below(Path("/none")))["STORES_POSTGRES"])
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")


@pytest.fixture
def home() -> Iterator[Home]:
    """A home that is gone after the test."""
    made = Home()
    yield made
    made.close()
    assert not made.root.exists()


def test_postgresql_is_used_where_it_is(home: Home) -> None:
    assert home.reachable(POSTGRES) == POSTGRES or not _others_may_enter(POSTGRES)


@AS_ROOT
def test_postgresql_below_a_closed_folder_is_copied(home: Home, tmp_path: Path) -> None:
    """As when the checkout is below the home folder of root."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "postgres").symlink_to(POSTGRES)
    with pytest.raises(StoreError, match="Permission denied"):
        home.run(closed / "postgres" / "bin" / "initdb", "--version")
    usable = home.reachable(closed / "postgres")
    assert usable.is_relative_to(home.root)
    data = home.folder("test") / "data"
    home.run(usable / "bin" / "initdb", "--pgdata", data, "--username", "x", "--no-sync")
    assert data.joinpath("PG_VERSION").exists()


def test_what_fails_says_why(home: Home) -> None:
    with pytest.raises(StoreError, match=r"initdb: .*no data directory"):
        home.run(POSTGRES / "bin" / "initdb")


def test_a_server_ends_in_order_or_at_once(home: Home, tmp_path: Path) -> None:
    says = "trap 'echo in order; exit' INT; echo up; while :; do sleep 0.1; done"
    for orderly, said in ((True, "up\nin order\n"), (False, "up\n")):
        log = tmp_path / f"{orderly}.log"
        server = home.serve(["/bin/sh", "-c", says], log)
        assert probes.eventually(partial(_says_up, log))
        lives = [server.lives]
        server.end(orderly=orderly)
        assert [*lives, server.lives] == [True, False]
        assert log.read_text() == said


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_however_the_owner_dies_servers_and_folder_are_gone(tmp_path: Path, how: signal.Signals) -> None:
    """The owner is a process as the emulator: it has a home, and a server in it that ends at nothing but KILL."""
    deaf = "trap '' INT QUIT TERM; echo up; while :; do sleep 0.1; done"
    source = f"""
import sys, time
from pathlib import Path
from localcloud.stores import home
made = home.Home()
server = made.serve(["/bin/sh", "-c", {deaf!r}], Path({str(tmp_path / "log")!r}))
print(made.root, server._keeper.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        root, keeper = owner.stdout.readline().split()
        assert probes.eventually(partial(_says_up, tmp_path / "log"))
        assert Path(root).exists()
        owner.send_signal(how)
    assert probes.eventually(lambda: not Path(root).exists(), seconds=20)
    assert probes.eventually(partial(_has_ended, keeper))


def test_what_is_made_once_is_made_once() -> None:
    made: list[int] = []

    def make() -> object:
        made.append(1)
        threading.Event().wait(0.05)
        return object()

    get = once(make)
    with ThreadPoolExecutor() as pool:
        assert len(set(pool.map(lambda _: id(get()), range(8)))) == 1
    assert made == [1]


def test_ports_are_below_those_that_connections_take() -> None:
    assert free_port() in PORTS
    bounds = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if bounds.exists():
        assert max(PORTS) < int(bounds.read_text().split()[0])


def test_a_group_cannot_take_what_is_ours_nor_what_means_nothing_here(home: Home) -> None:
    known = settings.known(home, home.reachable(POSTGRES))
    group = {"listen_addresses": "*", "work_mem": "64MB", "shared_buffers": "9", "rds.force_ssl": "1", "nonsense": "1"}
    group |= {"maintenance_work_mem": "{DBInstanceClassMemory/1}", "Search_Path": "it's"}
    lines = settings.configuration(Path("/x"), 1, group, known).splitlines()
    told = dict(line.split(" = ") for line in lines)
    assert (told["listen_addresses"], told["shared_buffers"]) == ("'127.0.0.1'", "'16MB'")
    assert (told["work_mem"], told["rds.force_ssl"], told["search_path"]) == ("'64MB'", "'1'", "'it''s'")
    assert not {"nonsense", "maintenance_work_mem"} & told.keys()
    assert settings.takes_restart("max_connections", known)
    assert not settings.takes_restart("work_mem", known)


def test_a_port_that_somebody_took_is_given_up(tmp_path: Path) -> None:
    """In the emulator's interpreter, which has the driver."""
    source = """
import socket
from localcloud.fixes import _database_servers as servers
instance = {"DBInstanceIdentifier": "a", "DbiResourceId": "db-A", "DBInstanceArn": "arn:a", "EngineVersion": "17"}
instance |= {"MasterUsername": "owner", "_MasterUserPassword": "first-one", "DBName": "app", "AvailabilityZone": "x-a"}
server = servers.give(instance)
with socket.socket() as other:
    other.bind(("127.0.0.1", server.port))
    other.listen()
    servers.launch(instance)
    print(instance["Endpoint"]["Port"] == server.port != other.getsockname()[1], server.sql("SELECT 1"))
"""
    given = dict(environment.of_emulator(tmp_path, certificates.ensure(tmp_path / "tls", "us-east-1")))
    command = [str(EMULATOR_PYTHON), "-c", source]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cdk.ROOT, env=given, check=False)
    assert done.stdout.splitlines()[-1:] == ["True [(1,)]"], done.stderr


@pytest.mark.cloud
def test_databases_end_with_the_emulator_that_is_killed(tmp_path: Path) -> None:
    with LocalCloud.start(tmp_path / "state") as cloud:
        plain = databases.instance(MasterUsername="owner", MasterUserPassword="first-one")
        probes.deploy(cloud, {"Database": plain})
        servers = _servers_of(cloud.ready.pid)
        assert len(servers) >= 2, "a keeper of the folder, a keeper of the server"
        os.killpg(cloud.ready.pid, signal.SIGKILL)
        assert probes.eventually(lambda: all(map(_has_ended, servers)))


def _says_up(log: Path) -> bool:
    return log.exists() and "up" in log.read_text()


def _servers_of(pid: int) -> list[str]:
    """The keepers of an emulator, and their servers."""
    listed = subprocess.run(
        ["/bin/ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    keepers = [row[0] for row in rows if row[1] == str(pid) and "keeper.py" in row[-1]]
    return keepers + [row[0] for row in rows if row[1] in keepers]


def _has_ended(pid: str) -> bool:
    """Whether a process has; nobody may have asked for its status yet."""
    return _ps("-o", "stat=", "-p", pid).strip()[:1] in {"", "Z"}


def _ps(*arguments: str) -> str:
    return subprocess.run(["/bin/ps", "-ww", *arguments], capture_output=True, text=True, check=False).stdout


def _others_may_enter(folder: Path) -> bool:
    real = folder.resolve()
    return all(each.stat().st_mode & 0o005 for each in (real, *real.parents))
