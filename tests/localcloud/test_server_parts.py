"""The parts of localcloud/servers that need no cloud: proxy, names, logs, environments, user data."""

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.progress import Progress
from localcloud.servers import packages
from localcloud.servers.groups import plan_of_group
from localcloud.servers.logs import LogSender
from localcloud.servers.names import Names
from localcloud.servers.proxy import Proxy
from tests.localcloud.probes import eventually


@pytest.fixture
def echo() -> Iterator[int]:
    """A port that sends back what it gets, in capitals."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection:
                    while data := connection.recv(100):
                        connection.sendall(data.upper())

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def ask(proxy: Proxy, head: str) -> socket.socket:
    host, _, port = proxy.url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=5)
    connection.sendall(f"{head}\r\nHost: x\r\n\r\n".encode())
    return connection


def test_the_proxy_leads_known_names_to_the_port(echo: int) -> None:
    proxy = Proxy(echo, lambda name: name == "orders.example.com")
    with ask(proxy, "CONNECT ORDERS.example.com:443 HTTP/1.1") as tunnel:
        assert tunnel.recv(100) == b"HTTP/1.1 200 Connection established\r\n\r\n"
        tunnel.sendall(b"hello")
        assert tunnel.recv(100) == b"HELLO"
        proxy.close()
        assert tunnel.recv(100) == b"", "it ends with the proxy"


@pytest.mark.parametrize(
    "head",
    [
        "CONNECT www.example.com:443 HTTP/1.1",
        "CONNECT orders.example.com:22 HTTP/1.1",
        "CONNECT orders.example.com HTTP/1.1",
        "GET http://orders.example.com/ HTTP/1.1",
    ],
)
def test_the_proxy_refuses_everything_else(echo: int, head: str) -> None:
    proxy = Proxy(echo, lambda name: name == "orders.example.com")
    with ask(proxy, head) as refused:
        assert refused.recv(100).startswith(b"HTTP/1.1 502 ")
    proxy.close()


class Route53:
    """One zone with the given records."""

    def __init__(self, *names: str) -> None:
        self.names, self.asked = list(names), 0

    def get_paginator(self, call: str) -> "Route53":
        self._call = call
        return self

    def paginate(self, **_more: str) -> list[Any]:
        if self._call == "list_hosted_zones":
            self.asked += 1
            return [{"HostedZones": [{"Id": "Z1"}]}]
        kinds = {"A": self.names, "TXT": ["text.example.com."]}
        return [{"ResourceRecordSets": [{"Name": name, "Type": kind} for kind in kinds for name in kinds[kind]]}]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("orders.example.com", True),
        ("Orders.Example.com.", True),
        ("text.example.com", False),
        ("other.example.com", False),
        ("lb-1.us-east-1.elb.amazonaws.com", True),
        ("d123.cloudfront.net", True),
        ("abc.execute-api.us-east-1.amazonaws.com", True),
        ("s3.us-east-1.amazonaws.com", False),
        ("abc.execute-api.us-east-1.amazonaws.com.evil.net", False),
    ],
)
def test_names(name: str, known: bool) -> None:
    assert (name in Names(Route53("orders.example.com."))) is known


def test_unknown_names_are_looked_up_anew_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("localcloud.servers.names.time.monotonic", lambda: now[0])
    route53 = Route53()
    names = Names(route53)
    assert "late.example.com" not in names
    route53.names.append("late.example.com.")
    assert "late.example.com" not in names
    now[0] += 2
    assert "late.example.com" in names
    assert "late.example.com" in names
    assert route53.asked == 2


class Logs:
    """Keeps what is written; refuses once it is told to."""

    def __init__(self, refuses: bool = False) -> None:
        self.refuses = refuses
        self.streams: list[str] = []
        self.lines: list[str] = []

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> None:  # noqa: N803
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "CreateLogStream")
        self.streams.append(f"{logGroupName} {logStreamName}")

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: list[Any]) -> None:  # noqa: N803
        self.lines += [event["message"] for event in logEvents]


def test_whole_lines_are_sent_once_and_the_rest_at_the_end(tmp_path: Path) -> None:
    sender, logs, file = LogSender(), Logs(), tmp_path / "log"
    sender.follow(file, logs, "group", "stream")
    file.write_text("one\n\ntwo\nhal")
    assert eventually(lambda: logs.lines == ["one", "two"])
    with file.open("a") as more:
        more.write("f\n")
    sender.close()
    assert (logs.lines, logs.streams) == (["one", "two", "half"], ["group stream"])
    assert sender.refusals() == []


def test_a_refusal_is_kept_and_stops_nobody_else(tmp_path: Path) -> None:
    sender, refused, taken = LogSender(), Logs(refuses=True), Logs()
    for name, logs in (("a", refused), ("b", taken)):
        (tmp_path / name).write_text("line\n")
        sender.follow(tmp_path / name, logs, "group", name)
    sender.close()
    assert taken.lines == ["line"]
    (why,) = sender.refusals()
    assert "not you" in why


def test_an_environment_is_made_once_per_requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def make(folder: Path, _requirements: Path | None) -> None:
        folder.mkdir()
        made.append(folder)

    monkeypatch.setattr(packages, "_make", make)
    package = tmp_path / "orders"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "requirements.txt").write_text("a==1")

    def python(_number: int = 0) -> Path:
        return packages.python_of(package, Progress.silent(), kept=tmp_path / "kept")

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(python, range(4)))) == 1
    assert len(made) == 1
    (package / "requirements.txt").write_text("a==2")
    python()
    assert len(set(made)) == 2


class Template:
    """A cloud with one group, whose launch template has this user data."""

    ca_bundle, endpoint_url = Path("/ca"), "https://127.0.0.1:1"

    def __init__(self, script: str) -> None:
        self._data = {"UserData": base64.b64encode(script.encode()).decode()}

    def client(self, _service: str) -> Any:
        return self

    def describe_auto_scaling_groups(self, **_asked: Any) -> Any:
        template = {"LaunchTemplateId": "lt-1", "Version": "1"}
        return {"AutoScalingGroups": [{"LaunchTemplate": template, "DesiredCapacity": 1}]}

    def describe_launch_template_versions(self, **_asked: Any) -> Any:
        return {"LaunchTemplateVersions": [{"LaunchTemplateData": self._data}]}


GOOD = """cat > /etc/web.env <<'ENVIRONMENT'
A=1
ENVIRONMENT
ExecStart=/usr/bin/python3.13 -m web
"""


def test_user_data_is_read() -> None:
    plan = plan_of_group(Template(GOOD), "web")
    assert (plan.package, plan.environment, plan.role, plan.zones) == ("web", {"A": "1"}, None, ("us-east-1a",))


@pytest.mark.parametrize("script", ["", GOOD.replace("-m web", "-m other"), GOOD.replace("ENVIRONMENT", "OTHER")])
def test_other_user_data_is_named(script: str) -> None:
    with pytest.raises(Exception, match="the user data of web starts no Python package with an environment of its own"):
        plan_of_group(Template(script), "web")
