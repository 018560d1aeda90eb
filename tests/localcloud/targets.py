"""Small servers that stand behind load balancers, and requests to those."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from journeys._http import Http, Response
from localcloud.cloud import LocalCloud
from tests.localcloud import probes


class Behind(ThreadingHTTPServer):
    """A server on a free port. It says its name and what it was asked; `slow` waits until `go` is set.

    Args:
        name: what it answers in the header X-From.
    """

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name = name
        self.health = self.status = 200
        self.slow = "/slow"
        self.checks: list[str] = []
        self.asked: list[str] = []
        self.go = threading.Event()
        self.reached = threading.Event()
        self.headers = {"Content-Type": "text/plain"}

    @classmethod
    @contextmanager
    def serve(cls, name: str = "one") -> Iterator[Self]:
        made = cls(name)
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield made
        finally:
            made.go.set()
            made.shutdown()
            made.server_close()
            thread.join()

    @property
    def target(self) -> dict[str, Any]:
        """As RegisterTargets takes it."""
        return {"Id": "127.0.0.1", "Port": self.server_address[1], "AvailabilityZone": "us-east-1b"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Behind
    wbufsize = -1

    def answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = {name.lower(): value for name, value in self.headers.items()}
        if seen.get("user-agent") == "ELB-HealthChecker/2.0":
            self.server.checks.append(self.path)
            self.say(self.server.health, b"")
            return
        self.server.asked.append(self.path)
        if self.path == self.server.slow:
            self.server.reached.set()
            self.server.go.wait()
        if self.path == "/broken":
            self.close_connection = True
            return
        if self.path == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n")
            self.close_connection = True
            return
        seen |= {"path": self.path, "method": self.command, "body": sent.decode()}
        self.say(self.server.status, json.dumps(seen).encode())

    def say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        for name, value in {"X-From": self.server.name, **self.server.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_HEAD = answer  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


def group(**settings: Any) -> dict[str, Any]:
    """A target group that checks each second and drains for ten."""
    properties = {
        "Port": 80,
        "Protocol": "HTTP",
        "TargetType": "ip",
        "VpcId": "vpc-1",
        "HealthCheckPath": "/health",
        "HealthCheckIntervalSeconds": 1,
        "HealthCheckTimeoutSeconds": 3,  # a busy machine alone makes nobody unhealthy
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 2,
        "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "10"}],
    }
    return {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": properties | settings}


def forward(group_id: str) -> list[dict[str, Any]]:
    """The actions of a listener or rule that send to the group with this logical id."""
    return [{"Type": "forward", "TargetGroupArn": {"Ref": group_id}}]


def balancer() -> dict[str, Any]:
    """A load balancer."""
    return {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": {"Subnets": ["subnet-1", "subnet-2"]}}


def listener(port: int, actions: list[dict[str, Any]]) -> dict[str, Any]:
    """A listener of the load balancer `Balancer`, for https on 443."""
    properties: dict[str, Any] = {"LoadBalancerArn": {"Ref": "Balancer"}, "Port": port, "DefaultActions": actions}
    properties["Protocol"] = "HTTP"
    return {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": properties}


class Probe:
    """Registers targets, and asks as a client does."""

    def __init__(self, cloud: LocalCloud, group_arn: str, host: str) -> None:
        self._elb = cloud.client("elbv2")
        self._group, self._host = group_arn, host
        self._http = Http(
            endpoint_url=cloud.endpoint_url,
            plain_endpoint_url=cloud.plain_endpoint_url,
            ca_bundle=str(cloud.ca_bundle),
        )

    def register(self, *servers: Behind) -> None:
        """Register and wait until all are healthy."""
        self._elb.register_targets(TargetGroupArn=self._group, Targets=[one.target for one in servers])
        assert probes.eventually(lambda: all(self.state(one)[0] == "healthy" for one in servers)), self.states()

    def deregister(self, server: Behind) -> None:
        self._elb.deregister_targets(TargetGroupArn=self._group, Targets=[server.target])

    def states(self) -> list[tuple[str, str]]:
        """(state, reason) of every target."""
        found = self._elb.describe_target_health(TargetGroupArn=self._group)["TargetHealthDescriptions"]
        return [(one["TargetHealth"]["State"], one["TargetHealth"].get("Reason", "")) for one in found]

    def state(self, server: Behind) -> tuple[str, str]:
        """(state, reason) of one."""
        return self.state_of(f"127.0.0.1:{server.server_address[1]}")

    def state_of(self, target: str) -> tuple[str, str]:
        """(state, reason) of the one at address:port."""
        host, _, port = target.rpartition(":")
        targets = [{"Id": host, "Port": int(port)}]
        found = self._elb.describe_target_health(TargetGroupArn=self._group, Targets=targets)
        (one,) = found["TargetHealthDescriptions"]
        return one["TargetHealth"]["State"], one["TargetHealth"].get("Reason", "")

    def ask(
        self,
        path: str = "/",
        *,
        host: str | None = None,
        method: str = "GET",
        scheme: str = "https",
        body: bytes | None = None,
        **headers: str,
    ) -> Response:
        """One request; underscores in the names of headers stand for dashes."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._http.send(method, f"{scheme}://{host or self._host}{path}", headers=sent, body=body)

    def close(self) -> None:
        self._http.close()
