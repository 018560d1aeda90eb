"""`journeys._servers.Servers` on this machine."""

import itertools
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from journeys._servers import Server
from journeys._waiting import Waiting
from localcloud import cdk
from localcloud.errors import LocalCloudError
from localcloud.process import Child
from localcloud.progress import Progress
from localcloud.servers.environment import Surroundings
from localcloud.servers.groups import plan_of_group
from localcloud.servers.logs import LogSender
from localcloud.servers.names import Names
from localcloud.servers.packages import python_of
from localcloud.servers.plan import Plan
from localcloud.servers.proxy import Proxy
from localcloud.servers.registration import Registration
from localcloud.servers.roles import Cloud, under
from localcloud.servers.running import RunningServer
from localcloud.servers.services import plan_of_service
from localcloud.stores.home import free_port

SOURCES = cdk.ROOT / "container_src"
_numbers = itertools.count(1)
"""One in all of this process: log streams of one journey are not continued by the next."""


class LocalServers:
    """Starts what is deployed when it is first asked for; `close` ends all.

    Args:
        cloud: the local cloud.
        port: its TLS port.
        state: its state folder.
        progress: where it says that it installs packages.
        sources: the folder of the server packages.

    Attributes:
        proxy_url: A proxy through which the names of the cloud are reached.
    """

    def __init__(
        self, cloud: Cloud, *, port: int, state: Path, progress: Progress | None = None, sources: Path = SOURCES
    ) -> None:
        self._cloud, self._state, self._sources = cloud, state, sources
        self._progress = progress or Progress.silent()
        self._ending = ExitStack()
        names = Names(cloud.client("route53"))
        proxy = Proxy(port, names.__contains__)
        self._ending.callback(proxy.close)
        self.proxy_url = proxy.url
        self._logs = LogSender()
        self._ending.callback(self._logs.close)
        self._surroundings = Surroundings(cloud, proxy_url=proxy.url, state=state, sources=sources)
        self._running: dict[str, list[RunningServer]] = {}
        self._starting = threading.Lock()

    def of_service(self, cluster: str, service: str) -> list[Server]:
        """See journeys._servers.Servers."""
        return self._of(f"service {cluster} {service}", lambda: plan_of_service(self._cloud, cluster, service))

    def of_group(self, group: str) -> list[Server]:
        """See journeys._servers.Servers."""
        return self._of(f"group {group}", lambda: plan_of_group(self._cloud, group))

    def of_stack(self, stack: str) -> list[Server]:
        """Those of every service and group of a stack by its name."""
        pages = self._cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        found: list[Server] = []
        for resource in (one for page in pages for one in page["StackResourceSummaries"]):
            if resource["ResourceType"] == "AWS::ECS::Service":
                cluster, service = resource["PhysicalResourceId"].split("/")[-2:]
                found += self.of_service(cluster, service)
            elif resource["ResourceType"] == "AWS::AutoScaling::AutoScalingGroup":
                found += self.of_group(resource["PhysicalResourceId"])
        return found

    def start(self, like: Server) -> Server:
        """See journeys._servers.Servers. In the zone of `like`."""
        plan, siblings = self._family(like)
        (made,) = self._start(plan, [like.zone])
        siblings.append(made)
        return made

    def replace(self, server: Server) -> Server:
        """See journeys._servers.Servers."""
        made = self.start(like=server)
        server.stop()
        return made

    def close(self) -> None:
        """End all: TERM to each at once, then the logs and the proxy."""
        with self._ending:
            everyone = [one for group in self._running.values() for one in group]
            self._running.clear()
            with ThreadPoolExecutor(max(len(everyone), 1)) as threads:
                for done in [threads.submit(one.leave) for one in everyone]:
                    done.result()

    def _of(self, key: str, plan: Callable[[], Plan]) -> list[Server]:
        with self._starting:
            if key not in self._running:
                found = plan()
                zones = [found.zones[number % len(found.zones)] for number in range(found.count)]
                self._running[key] = self._start(found, zones)
        return [one for one in self._running[key] if one.is_up]

    def _family(self, server: Server) -> tuple[Plan, list[RunningServer]]:
        for siblings in self._running.values():
            if server in siblings and isinstance(server, RunningServer):
                return server.plan, siblings
        message = f"server: must be one of of_service or of_group, got {server!r}"
        raise TypeError(message)

    def _start(self, plan: Plan, zones: Iterable[str]) -> list[RunningServer]:
        python = python_of(self._sources / plan.package, self._progress)
        made: list[RunningServer] = []
        try:
            for zone in zones:
                begun = self._begin(plan, zone, python)
                made.append(begun)
            for one in made:
                one.join()
        except BaseException:
            for one in made:
                one.leave()
            raise
        return made

    def _begin(self, plan: Plan, zone: str, python: Path) -> RunningServer:
        name, port = f"{plan.package}-{next(_numbers)}", free_port()
        role = under(self._cloud, plan.role, name) if plan.role else None
        log = self._state / "logs" / "servers" / f"{name}.log"
        if plan.log_group:
            if not plan.log_role:
                raise LocalCloudError(f"{plan.name} has the log group {plan.log_group}, but no role that writes to it")
            writer = under(self._cloud, plan.log_role, name).client("logs")
            self._logs.follow(log, writer, plan.log_group, f"{plan.log_prefix}{name}")
        child = Child.leashed(
            [str(python), "-m", plan.package],
            log=log,
            env=self._surroundings.of(plan, port, role),
            cwd=self._state,
            gentle=True,
        )
        registration = Registration(self._cloud.client("elbv2"), plan.groups, port, zone)
        return RunningServer(name, plan, child, registration, Waiting())
