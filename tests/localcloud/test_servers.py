"""localcloud/servers: what is deployed runs, as processes of this machine."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from journeys._servers import Server
from localcloud.cloud import LocalCloud
from localcloud.environment import REGION
from localcloud.errors import LocalCloudError
from localcloud.servers.local import LocalServers
from localcloud.stores.home import PORTS
from tests.localcloud import probes
from tests.localcloud.server_stack import HOST, package, resources
from tests.localcloud.targets import Probe

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def made(cloud: LocalCloud) -> dict[str, str]:
    return probes.deploy(cloud, resources(), Dns=("Balancer", "DNSName"))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout") / "container_src"
    package(folder)
    return folder


@pytest.fixture
def servers(cloud: LocalCloud, sources: Path) -> Iterator[LocalServers]:
    made = LocalServers(cloud, port=cloud.ready.port, state=cloud.state, sources=sources)
    yield made
    made.close()


@pytest.fixture
def tasks(cloud: LocalCloud, made: dict[str, str], servers: LocalServers) -> list[Server]:
    return servers.of_service(made["Cluster"], made["Service"])


@pytest.fixture
def probe(cloud: LocalCloud, made: dict[str, str]) -> Iterator[Probe]:
    probe = Probe(cloud, made["Tasks"], HOST)
    yield probe
    probe.close()


def ports(probe: Probe, times: int = 8) -> set[str]:
    """Who answered."""
    return {f"127.0.0.1:{probe.ask('/who').json()['port']}" for _ in range(times)}


def writers(cloud: LocalCloud) -> set[str]:
    """Who has written logs, as IAM decided it."""
    decisions = [json.loads(line) for line in cloud.iam_log.read_text().splitlines()]
    return {one["principal"] for one in decisions if one["action"] == "logs:PutLogEvents"}


def caller(cloud: LocalCloud, environment: dict[str, str]) -> str:
    """Whose credentials these are."""
    make: Any = boto3.client
    sts = make(
        "sts",
        region_name=REGION,
        endpoint_url=cloud.endpoint_url,
        verify=str(cloud.ca_bundle),
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environment["AWS_SESSION_TOKEN"],
    )
    return str(sts.get_caller_identity()["Arn"])


def test_a_service_runs_as_it_is_deployed(
    cloud: LocalCloud, made: dict[str, str], servers: LocalServers, tasks: list[Server], probe: Probe
) -> None:
    assert [one.zone for one in tasks] == ["us-east-1a", "us-east-1b"]
    # Not a port that somebody's connection may have taken before the server listens.
    assert all(int(one.target.rpartition(":")[2]) in PORTS for one in tasks)
    assert servers.of_service(made["Cluster"], made["Service"]) == tasks
    assert ports(probe) == {one.target for one in tasks}
    environment = probe.ask("/environment").json()
    assert (environment["GREETING"], environment["PASSWORD"]) == ("hello", "open")
    assert f":assumed-role/{made['TaskRole']}/tiny-" in caller(cloud, environment)
    assert "VIRTUAL_ENV" not in environment
    assert probe.ask("/who").json()["h11"] == "0.16.0"


def test_its_output_is_in_the_log_group(
    servers: LocalServers, cloud: LocalCloud, made: dict[str, str], tasks: list[Server], probe: Probe
) -> None:
    asked = f"/{time.monotonic_ns()}"
    probe.ask(asked)
    logs = cloud.client("logs")

    def found() -> list[Any]:
        events = logs.filter_log_events(logGroupName=made["Logs"], filterPattern="request")["events"]
        return [one for one in events if json.loads(one["message"]).get("path") == asked]

    assert probes.eventually(lambda: bool(found())), servers._logs.refusals()
    assert found()[0]["logStreamName"] in {f"shop/tiny/{one.name}" for one in tasks}
    assert probes.eventually(lambda: any(made["ExecutionRole"] in one for one in writers(cloud))), writers(cloud)


def test_servers_reach_the_names_of_this_cloud_and_no_others(tasks: list[Server], probe: Probe) -> None:
    assert json.loads(probe.ask(f"/fetch/{HOST}/other").text)["h11"] == "0.16.0"
    for stranger in ("www.example.com/", f"{HOST}:8443/", "other.my-blog.example.com/"):
        assert probe.ask(f"/fetch/{stranger}").text.startswith("refused: "), stranger


def test_stop_lets_it_finish(tasks: list[Server], probe: Probe, cloud: LocalCloud) -> None:
    first, second = tasks
    log = cloud.state / "logs" / "servers" / f"{first.name}.log"
    with ThreadPoolExecutor(3) as threads:
        # In turn: one of the two is at the first.
        slow = [threads.submit(probe.ask, "/slow") for _ in range(2)]
        assert probes.eventually(lambda: '"slow"' in log.read_text())
        stopping = threads.submit(first.stop)
        assert probes.eventually(lambda: probe.state_of(first.target)[0] == "draining")
        assert ports(probe) == {second.target}
        assert not stopping.done()
        assert probe.ask("/go").status == 200
    assert [one.result().status for one in slow] == [200, 200]
    assert stopping.result() is None
    assert log.read_text().splitlines()[-1] == '{"event": "ended in order"}'


def test_replacing_loses_no_request(servers: LocalServers, tasks: list[Server], probe: Probe) -> None:
    over: list[bool] = []
    statuses: list[int] = []

    def load() -> None:
        while not over:
            statuses.append(probe.ask("/who").status)

    with ThreadPoolExecutor(2) as threads:
        loads = [threads.submit(load) for _ in range(2)]
        try:
            new = [servers.replace(one) for one in tasks]
        finally:
            over.append(True)
        for one in loads:
            one.result()
    assert set(statuses) == {200}
    assert [one.zone for one in new] == [one.zone for one in tasks]
    assert ports(probe) == {one.target for one in new}


def test_a_killed_one_is_taken_out_and_another_started(
    servers: LocalServers, made: dict[str, str], tasks: list[Server], probe: Probe
) -> None:
    first, second = tasks
    first.kill()
    assert 502 in {probe.ask("/who").status for _ in range(4)}
    assert probes.eventually(lambda: probe.states() == [("healthy", "")], seconds=15)
    assert ports(probe) == {second.target}
    another = servers.start(first)
    assert servers.of_service(made["Cluster"], made["Service"]) == [second, another]
    assert ports(probe) == {second.target, another.target}


def test_a_group_runs_as_its_user_data_says(cloud: LocalCloud, made: dict[str, str], servers: LocalServers) -> None:
    probe = Probe(cloud, made["Instances"], HOST)
    one, other = servers.of_group(made["Group"])
    assert {one.zone, other.zone} == {"us-east-1a", "us-east-1b"}
    environment = probe.ask("/environment", scheme="http").json()
    assert environment["GREETING"] == "hello=there"
    assert environment["PORT"] in {one.target.rpartition(":")[2], other.target.rpartition(":")[2]}
    assert environment["FILES_ROOT"] == str(cloud.state / "data/file-systems" / made["Files"] / "shared/releases")
    assert f":assumed-role/{made['InstanceRole']}/" in caller(cloud, environment)
    probe.close()


def test_all_of_a_stack(cloud: LocalCloud, made: dict[str, str], servers: LocalServers) -> None:
    pages = cloud.client("cloudformation").get_paginator("describe_stacks").paginate()
    (name,) = (
        stack["StackName"]
        for page in pages
        for stack in page["Stacks"]
        if made["Vpc"] in {output["OutputValue"] for output in stack.get("Outputs", [])}
    )
    everyone = servers.of_stack(name)
    both = servers.of_service(made["Cluster"], made["Service"].split("/")[-1]) + servers.of_group(made["Group"])
    assert sorted(one.name for one in everyone) == sorted(one.name for one in both)
    assert len(everyone) == 4


def test_closing_ends_every_process(cloud: LocalCloud, made: dict[str, str], sources: Path, probe: Probe) -> None:
    servers = LocalServers(cloud, port=cloud.ready.port, state=cloud.state, sources=sources)
    servers.of_service(made["Cluster"], made["Service"])
    pids = {probe.ask("/who").json()["pid"] for _ in range(4)}
    servers.close()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert probe.ask("/who").status == 503


def test_what_is_not_there_is_named(cloud: LocalCloud, made: dict[str, str], servers: LocalServers) -> None:
    with pytest.raises(LocalCloudError, match="there is no ECS service nobody in the cluster"):
        servers.of_service(made["Cluster"], "nobody")
    with pytest.raises(LocalCloudError, match="there is no Auto Scaling group nobody"):
        servers.of_group("nobody")


def test_a_server_that_does_not_start_is_named_with_what_it_said(cloud: LocalCloud, sources: Path) -> None:
    broken = probes.deploy(cloud, resources(BROKEN="1"))
    servers = LocalServers(cloud, port=cloud.ready.port, state=cloud.state, sources=sources)
    with pytest.raises(
        LocalCloudError, match=r"the server tiny-\d+ ended with status 1: this server is broken; its log"
    ):
        servers.of_service(broken["Cluster"], broken["Service"])
    servers.close()
    probes.destroy(cloud)


def test_a_package_that_is_not_there_is_named(cloud: LocalCloud, made: dict[str, str], tmp_path: Path) -> None:
    servers = LocalServers(cloud, port=cloud.ready.port, state=cloud.state, sources=tmp_path)
    with pytest.raises(LocalCloudError, match="there is no server package tiny in"):
        servers.of_service(made["Cluster"], made["Service"])
    servers.close()


def test_requirements_that_cannot_be_had_are_named(cloud: LocalCloud, made: dict[str, str], tmp_path: Path) -> None:
    requirements = package(tmp_path / "container_src") / "requirements.txt"
    requirements.write_text(requirements.read_text().partition(" ")[0])
    servers = LocalServers(cloud, port=cloud.ready.port, state=cloud.state, sources=tmp_path / "container_src")
    with pytest.raises(LocalCloudError, match=r"the environment of a server could not be made: .*h11"):
        servers.of_service(made["Cluster"], made["Service"])
    servers.close()
