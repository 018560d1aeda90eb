"""Servers fail while clients go on: what each drill costs, in requests lost and seconds."""

from collections import defaultdict
from collections.abc import Mapping

from journeys._load import Report, load
from journeys._servers import Server
from journeys._web_app import App, Clients
from journeys._world import World

# Longer than an instance needs to boot, and no more requests than a load may have.
_AT_MOST, _PER_SECOND = 480, 10
# Health checks take a server out after two failures, 5 seconds apart.
_NOTICED_WITHIN = 60


def server_killed(world: World, app: App) -> None:
    """One dies as in a crash."""
    with world.step(
        "a server is killed: some requests are lost until the checks take it out; another one starts"
    ) as step:
        victim, *others = app.find_servers()
        assert others, "there is no other server"
        clients = Clients(app)
        with load(clients, per_second=_PER_SECOND, at_most=_AT_MOST) as running:
            running.go_on(10)
            victim.kill()
            world.eventually(lambda: not _serves(world, victim), within=_NOTICED_WITHIN, what="it gets no requests")
            running.go_on(10)
            out = len(running.report.sent)
            successor = world.servers.start(victim)
            running.go_on(20)
        report = running.report
        late = Report(report.sent[out:])
        assert not late.lost, f"requests were lost after it was taken out: {late.by_answer}"
        assert len(report.lost) < len(report.sent) / 2, f"half of all requests were lost: {report.by_answer}"
        clients.promises_hold()
        step.show(killed=victim.target, started=successor.target, zone=successor.zone, **report.shown())


def zone_lost(world: World, app: App) -> None:
    """All servers of a zone are taken away in order, as before maintenance."""
    with world.step("a zone's servers are taken out of service: none is lost; they come back") as step:
        by_zone: Mapping[str, list[Server]] = _by_zone(app)
        assert len(by_zone) > 1, f"all servers are in one zone: {list(by_zone)}"
        zone, leaving = next(iter(by_zone.items()))
        clients = Clients(app)
        with load(clients, per_second=_PER_SECOND, at_most=_AT_MOST) as running:
            running.go_on(10)
            for server in leaving:
                server.stop()
            running.go_on(20)
            for server in leaving:
                world.servers.start(server)
            running.go_on(10)
        assert not running.report.lost, f"requests were lost: {running.report.by_answer}"
        clients.promises_hold()
        assert len(_by_zone(app)) == len(by_zone), "the zone has no servers again"
        step.show(zone=zone, servers=len(leaving), zones=len(by_zone), **running.report.shown())


def replaced(world: World, app: App) -> None:
    """A deployment: each server is replaced by a new one."""
    with world.step("every server is replaced by a new one, one after the other: no request is lost") as step:
        before = list(app.find_servers())
        clients = Clients(app)
        with load(clients, per_second=_PER_SECOND, at_most=_AT_MOST) as running:
            running.go_on(10)
            for server in before:
                world.servers.replace(server)
            running.go_on(20)
        assert not running.report.lost, f"requests were lost: {running.report.by_answer}"
        after = {server.target for server in app.find_servers()}
        assert not after & {server.target for server in before}, f"an old server is still there: {after}"
        clients.promises_hold()
        step.show(replaced=len(before), **running.report.shown())


def _by_zone(app: App) -> dict[str, list[Server]]:
    found: dict[str, list[Server]] = defaultdict(list)
    for server in app.find_servers():
        found[server.zone].append(server)
    return dict(found)


def _serves(world: World, server: Server) -> bool:
    """Whether the load balancer sends it requests."""
    health = world.client("elbv2").describe_target_health(TargetGroupArn=world.out["TargetGroupArn"])
    return any(
        one["TargetHealth"]["State"] == "healthy"
        and server.target in (one["Target"]["Id"], f"{one['Target']['Id']}:{one['Target'].get('Port')}")
        for one in health["TargetHealthDescriptions"]
    )
