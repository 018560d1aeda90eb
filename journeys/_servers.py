"""The servers of a stack: who serves a container service or an Auto Scaling group, and what is done to them.

On AWS they boot by themselves; a journey sees who is there, takes them away and waits for the next one. Where servers
are started for the journey, as on the local cloud, the same interface is given from outside.
"""

from collections.abc import Callable
from typing import Protocol

from journeys._fleets import Cloud, Fleet, ScalingGroup, Service

SECONDS = 900
"""How long instances may take to boot and to be found healthy."""


class Server(Protocol):
    """One running server.

    Attributes:
        name: For people.
        target: What the load balancer knows it by: ``127.0.0.1:41234``, an instance's or a task's id.
        zone: Its availability zone.
    """

    @property
    def name(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def zone(self) -> str: ...

    def stop(self) -> None:
        """End it in order: it gets no new requests, finishes what it has, and is told to end."""

    def kill(self) -> None:
        """End it at once, as a crash does."""


class Servers(Protocol):
    """The servers of the deployed stack."""

    def of_service(self, cluster: str, service: str) -> list[Server]:
        """Those of an ECS service that serve now: as many as it wants, when nobody has ended one.

        Args:
            cluster: Name or ARN.
            service: Name or ARN.
        """

    def of_group(self, group: str) -> list[Server]:
        """Those of an Auto Scaling group by its name, likewise."""

    def replace(self, server: Server) -> Server:
        """A rolling replacement: the new one is healthy before the old one is stopped; the new one."""

    def start(self, like: Server) -> Server:
        """One more of the same, as ECS and Auto Scaling do when one is gone; returns when it is healthy."""

    def close(self) -> None:
        """End what was started for the journey."""


class _Member:
    """A task or an instance."""

    def __init__(self, fleet: Fleet, target: str, zone: str) -> None:
        self.fleet, self.target, self.zone = fleet, target, zone
        self.name = f"{fleet.name} {target}"

    def stop(self) -> None:
        self.fleet.stop(self.target)

    def kill(self) -> None:
        self.fleet.kill(self.target)


class AwsServers:
    """The servers as AWS runs them.

    Args:
        cloud: The journey's world.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._known: dict[str, dict[str, _Member]] = {}
        self._successors: dict[str, str] = {}

    def of_service(self, cluster: str, service: str) -> list[Server]:
        """See Servers."""
        return list(self._serving(Service(self._cloud, cluster, service)))

    def of_group(self, group: str) -> list[Server]:
        """See Servers."""
        return list(self._serving(ScalingGroup(self._cloud, group)))

    def replace(self, server: Server) -> Server:
        """ECS and Auto Scaling replace all at once, one after the other: each server's successor is known then.

        So replacing every server of a list costs one deployment.
        """
        fleet, known = self._fleet(server)
        if server.target not in self._successors:
            before = sorted(fleet.members())
            fleet.roll()
            self._await(fleet, lambda: not set(fleet.members()) & set(before), "all servers are replaced")
            new = [member.target for member in self._serving(fleet)]
            self._successors |= dict(
                zip([server.target, *(one for one in before if one != server.target)], new, strict=False)
            )
        return known[self._successors[server.target]]

    def start(self, like: Server) -> Server:
        """Wait for the one that ECS or Auto Scaling starts by itself."""
        fleet, known = self._fleet(like)
        before = set(known)
        self._await(fleet, lambda: set(self._healthy(fleet)) - before, "another server is healthy")
        return next(member for member in self._serving(fleet) if member.target not in before)

    def close(self) -> None:
        """Nothing was started here."""

    def _fleet(self, server: Server) -> tuple[Fleet, dict[str, _Member]]:
        if not isinstance(server, _Member):
            message = f"server: must be one of of_service or of_group, got {server!r}"
            raise TypeError(message)
        return server.fleet, self._known[server.fleet.name]

    def _serving(self, fleet: Fleet) -> list[_Member]:
        """The healthy members, once there are as many as wanted."""
        self._await(fleet, lambda: len(self._healthy(fleet)) >= fleet.wanted(), "as many healthy servers as wanted")
        known = self._known.setdefault(fleet.name, {})
        healthy = self._healthy(fleet)
        for target, zone in sorted(healthy.items()):
            known.setdefault(target, _Member(fleet, target, zone))
        return [known[target] for target in sorted(healthy)]

    def _healthy(self, fleet: Fleet) -> dict[str, str]:
        return {target: zone for target, zone in fleet.members().items() if fleet.is_healthy(target)}

    def _await(self, fleet: Fleet, probe: Callable[[], object], what: str) -> None:
        self._cloud.eventually(lambda: bool(probe()), within=SECONDS, what=f"{fleet.name}: {what}")
