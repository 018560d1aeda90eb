"""The servers behind the edge: who reaches them, how often they are asked, and what happens when one is replaced."""

import json
import time
from collections.abc import Callable, Set
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from urllib3.exceptions import HTTPError

from journeys._http import Response
from journeys._load import load
from journeys._steps import NotRunError
from journeys._updates import Client, Release, sha256
from journeys._world import World

HEADER = "X-Origin-Verify"
_CLIENTS, _AT_ONCE, _PARTS = 24, 8, 4
_LOG_SECONDS = 60
_SAVED = 4


def closed(world: World, edge: Client, known: Release) -> None:
    """Nobody but the edge gets in."""
    name = next(iter(known.files))
    with world.step("the load balancer admits the addresses of CloudFront alone") as step:
        (group,) = world.client("ec2").describe_security_groups(GroupIds=[world.out["FrontSecurityGroupId"]])[
            "SecurityGroups"
        ]
        (rule,) = group["IpPermissions"]
        assert not rule.get("IpRanges"), f"addresses get in: {rule['IpRanges']}"
        assert not rule.get("UserIdGroupPairs"), f"groups get in: {rule['UserIdGroupPairs']}"
        (admitted,) = rule["PrefixListIds"]
        lists = world.client("ec2").describe_managed_prefix_lists(PrefixListIds=[admitted["PrefixListId"]])
        (found,) = lists["PrefixLists"]
        assert found["PrefixListName"] == "com.amazonaws.global.cloudfront.origin-facing", found["PrefixListName"]
        assert (rule["FromPort"], rule["ToPort"]) == (443, 443), f"other ports are open: {rule}"
        step.show(admitted=found["PrefixListName"], port=443)
    with world.step("and of what comes from there only the edge's own requests: others are answered 403") as step:
        strangers = {
            "no header": Client(world, world.out["OriginUrl"]),
            "a wrong one": Client(world, world.out["OriginUrl"], {HEADER: "0" * 48}),
            "an empty one": Client(world, world.out["OriginUrl"], {HEADER: ""}),
            "wildcards": Client(world, world.out["OriginUrl"], {HEADER: "*"}),
        }
        for what, stranger in strangers.items():
            answer = _reached(partial(stranger.get, f"{known.version}/{name}"))
            assert answer.status == 403, f"{what}: expected 403, got {answer.status}"
            assert known.files[name] not in answer.body, f"{what}: got the file"
        health = _reached(partial(world.http, "GET", f"{world.out['OriginUrl']}/health"))
        assert health.status == 403, f"/health: expected 403, got {health.status}"
        step.show(**dict.fromkeys((what.replace(" ", "_") for what in strangers), 403), health=403)
    with world.step("no answer of the edge tells the secret") as step:
        answer, secret = edge.get(f"{known.version}/{name}"), _secret(world)
        assert secret not in f"{dict(answer.headers)}", "a client gets to know the header"
        step.show(headers=len(answer.headers))


def direct(world: World) -> Client:
    """A client that knows the secret, as the edge does: what its requests cost is what it costs without an edge."""
    return Client(world, world.out["OriginUrl"], {HEADER: _secret(world)})


def unspared(world: World, client: Client, release: Release) -> None:
    """Many clients without an edge: what they cost the servers, to be compared with a run that has one."""
    with world.step(
        f"{_CLIENTS} clients fetch a new release without an edge, and each request is the servers'"
    ) as step:
        began = time.time()
        asked = _fetched(client, release)
        without = _at_the_origin(world, release, began, least=asked)
        step.show(asked=asked, at_the_origin=without)


def stampede(world: World, edge: Client, first: Release, second: Release) -> None:
    """The same clients, asking by the edge and asking the load balancer itself; requests are counted at the servers."""
    with world.step(f"{_CLIENTS} clients fetch a new release by the edge, each whole and right") as step:
        began = time.time()
        asked = _fetched(edge, first)
        with_edge = _at_the_origin(world, first, began, least=1)
        cached = edge.get(f"{first.version}/{next(iter(first.files))}").headers.get("X-Cache", "none")
        seconds = round(time.time() - began, 1)
        step.show(
            asked=asked, at_the_origin=with_edge, edge=f"that of the {world.place}", x_cache=cached, seconds=seconds
        )
    with world.step("as many ask the load balancer itself, and the edge had kept most of it away") as step:
        began = time.time()
        client = direct(world)
        _reached(client.manifest)
        asked = _fetched(client, second)
        without = _at_the_origin(world, second, began, least=asked)
        assert with_edge * _SAVED <= without, f"the edge saves too little: {with_edge} requests instead of {without}"
        step.show(asked=asked, at_the_origin=without, with_the_edge=with_edge, kept_away=without - with_edge)


def _fetched(client: Client, release: Release) -> int:
    """Many clients fetch the manifest, and the first file in ranges; how many requests that is."""
    name = next(iter(release.files))

    def fetch(_: int) -> int:
        told = client.manifest(release.version)
        assert told.status == 200, f"the manifest: expected 200, got {told.status}: {told.text[:200]}"
        (wanted,) = [one for one in told.json()["files"] if one["name"] == name]
        got = client.in_parts(release.version, name, wanted["size"], _PARTS)
        assert sha256(got) == wanted["sha256"], "the file is not what the manifest says"
        return 1 + _PARTS

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return sum(pool.map(fetch, range(_CLIENTS)))


def _at_the_origin(world: World, release: Release, began: float, *, least: int) -> int:
    """How many requests for a release's manifest and first file the servers' own log has, once no more come."""
    paths = {f"/releases/{release.version}/{name}" for name in ("manifest.json", next(iter(release.files)))}
    seen = -1

    def settled() -> int:
        nonlocal seen
        before, seen = seen, _logged(world, paths, began)
        return seen if seen == before and seen >= least else 0

    return world.eventually(settled, within=_LOG_SECONDS, what=f"at least {least} requests in the servers' log")


def _logged(world: World, paths: Set[str], began: float) -> int:
    pages = (
        world.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=world.out["LogGroupName"], startTime=int(began * 1000) - 1000, filterPattern='"request"')
    )
    lines = [json.loads(event["message"]) for page in pages for event in page["events"]]
    return sum(line.get("event") == "request" and line.get("path") in paths for line in lines)


def replaced(world: World, edge: Client, release: Release) -> None:
    """A server goes while clients download; each asks for a file that the edge does not have yet."""
    names = list(release.files)
    with world.step("a server is replaced while clients download, and no request is lost") as step:
        servers = world.servers.of_group(world.out["GroupName"])
        client = _straight(world, edge)

        def send(number: int) -> Response:
            return client.get(f"{release.version}/{names[number % len(names)]}")

        # Instances take minutes; the load is bounded all the same.
        per_second, at_most = (10, 60) if client is not edge else (5, 1000)
        with load(send, per_second=per_second, at_most=at_most) as running:
            running.go_on(10)
            new = world.servers.replace(servers[0])
            running.go_on(10)
        report = running.report
        assert not report.lost, f"lost: {[(one.status, one.error) for one in report.lost][:5]}"
        assert new.target != servers[0].target, "it is still the old one"
        step.show(old=servers[0].name, new=new.name, **report.shown())


def _straight(world: World, edge: Client) -> Client:
    """Round the edge where there is one and one gets there, so that each request reaches a server."""
    if "DistributionId" not in world.out:
        return edge
    client = direct(world)
    try:
        client.manifest()
    except HTTPError:
        return edge
    return client


def _reached(ask: Callable[[], Response]) -> Response:
    """The answer of the load balancer, where its security group lets this machine knock.

    Raises:
        NotRunError: It does not, as it should be.
    """
    try:
        return ask()
    except HTTPError as error:
        reason = f"the load balancer's security group lets nobody knock from here: {type(error).__name__}"
        raise NotRunError(reason) from error


def _secret(world: World) -> str:
    found = world.client("cloudfront").get_distribution_config(Id=world.out["DistributionId"])["DistributionConfig"]
    (origin,) = found["Origins"]["Items"]
    (header,) = origin["CustomHeaders"]["Items"]
    assert header["HeaderName"] == HEADER, header["HeaderName"]
    return str(header["HeaderValue"])
