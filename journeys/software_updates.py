"""Releases are published whole, and handed out in ranges by servers that an edge spares; nothing else gets out."""

from collections.abc import Sequence
from functools import partial

from journeys import _updates_origin, _updates_refusals
from journeys._updates import SECONDS, Client, Publisher, Release, noise, sha256
from journeys._world import World

# And DistributionId, where there is an edge.
READS = (
    "Url",
    "OriginUrl",
    "ReleasesBucketName",
    "UploaderRoleArn",
    "DeadLetterQueueUrl",
    "GroupName",
    "LogGroupName",
    "FrontSecurityGroupId",
)
_LARGE, _SMALL = 1_500_000, 20_000


def run(world: World) -> None:
    with world.step("servers are there, and publish nothing by themselves") as step:
        servers = world.servers.of_group(world.out["GroupName"])
        assert len({server.zone for server in servers}) > 1, "they are all in one zone"
        step.show(servers=len(servers), zones=", ".join(sorted(server.zone for server in servers)))
    client, publisher = Client(world, world.out["Url"]), Publisher(world)
    first = _release(world, publisher, 1)
    _publish(world, publisher, client, first)
    _download(world, client, first)
    _resume(world, client, first)
    second = _release(world, publisher, 2)
    _publish(world, publisher, client, second)
    _another(world, client, first, second)
    _updates_refusals.unknown(world, client, second)
    _updates_refusals.traversal(world, client, second)
    has_edge = "DistributionId" in world.out
    if has_edge:
        _updates_origin.closed(world, client, second)
    third, fourth = (_release(world, publisher, minor) for minor in (3, 4))
    many = Release(publisher.version(5), {f"part-{n}.bin": noise(f"{world.token}-{n}", _SMALL) for n in range(50)})
    _publish_all(world, publisher, client, (third, fourth, many))
    if has_edge:
        _updates_origin.stampede(world, client, third, fourth)
    else:
        _updates_origin.unspared(world, client, third)
    _updates_origin.replaced(world, client, many)
    _updates_refusals.bad_releases(world, publisher, client, many)
    _updates_refusals.others_may_not_publish(world, publisher)
    _not_run(world, has_edge=has_edge)


def _release(world: World, publisher: Publisher, minor: int) -> Release:
    version = publisher.version(minor)
    notes = f"What is new in {version}".encode()
    return Release(version, {"app.bin": noise(f"{world.token}-{minor}", _LARGE), "notes.txt": notes})


def _publish(world: World, publisher: Publisher, client: Client, release: Release) -> None:
    with world.step(f"release {release.version.partition('.')[2]} is uploaded, and is the latest") as step:
        key = publisher.upload(release)

        def told() -> bool:
            reason = publisher.rejection(key)
            assert reason is None, f"rejected: {reason}"
            return bool(client.manifest().json() == release.manifest)

        world.eventually(told, within=SECONDS, what=f"latest.json names {release.version}")
        step.show(version=release.version, files=len(release.files), bytes=sum(map(len, release.files.values())))


def _publish_all(world: World, publisher: Publisher, client: Client, releases: Sequence[Release]) -> None:
    with world.step("three more are published, and found without waiting for the latest to be asked for anew") as step:
        for release in releases:
            publisher.upload(release)
        for release in releases:
            # The last file: what the clients will ask for is not at the edge yet.
            path = f"{release.version}/{list(release.files)[-1]}"
            world.eventually(partial(_is_there, client, path), within=SECONDS, what=f"{path} is there")
        step.show(releases=len(releases), files=sum(len(release.files) for release in releases))


def _is_there(client: Client, path: str) -> bool:
    return client.get(path).status == 200


def _download(world: World, client: Client, release: Release) -> None:
    with world.step("a file comes whole, with its digest, and may be kept for ever; the manifest for a moment") as step:
        data = release.files["app.bin"]
        answer = client.get(f"{release.version}/app.bin")
        assert answer.status == 200, f"expected 200, got {answer.status}: {answer.text[:200]}"
        assert sha256(answer.body) == sha256(data), "other bytes than were released"
        assert answer.headers["ETag"] == f'"{sha256(data)}"', answer.headers["ETag"]
        assert "immutable" in answer.headers["Cache-Control"], answer.headers["Cache-Control"]
        assert answer.headers["Accept-Ranges"] == "bytes", "it cannot be resumed"
        assert answer.headers["X-Content-Type-Options"] == "nosniff", "no security headers"
        latest = client.manifest()
        assert latest.headers["Cache-Control"] == "public, max-age=30", latest.headers["Cache-Control"]
        step.show(bytes=len(answer.body), kept=answer.headers["Cache-Control"], digest=answer.headers["Repr-Digest"])
    with world.step("who has it already is told so, and gets nothing") as step:
        again = client.get(f"{release.version}/app.bin", If_None_Match=answer.headers["ETag"])
        assert (again.status, again.body) == (304, b""), f"expected 304 without a body, got {again.status}"
        step.show(status=304)


def _resume(world: World, client: Client, release: Release) -> None:
    data, path = release.files["app.bin"], f"{release.version}/app.bin"
    cut = len(data) // 3
    with world.step("a download that was cut in the middle goes on from there, and is what was released") as step:
        begun = client.get(path, Range=f"bytes=0-{cut - 1}")
        rest = client.get(path, Range=f"bytes={cut}-", If_Range=begun.headers["ETag"])
        assert (begun.status, rest.status) == (206, 206), f"expected 206 twice, got {begun.status}, {rest.status}"
        assert rest.headers["Content-Range"] == f"bytes {cut}-{len(data) - 1}/{len(data)}", rest.headers[
            "Content-Range"
        ]
        assert sha256(begun.body + rest.body) == sha256(data), "the parts do not make the file"
        step.show(cut_at=cut, then=rest.headers["Content-Range"], sha256=sha256(data)[:16])
    with world.step("ranges are taken from either end and in many parts; behind the end there is nothing") as step:
        last = client.get(path, Range="bytes=-1000")
        assert (last.status, last.body) == (206, data[-1000:]), f"the end: got {last.status}"
        assert client.in_parts(release.version, "app.bin", len(data), 7) == data, "seven parts do not make the file"
        behind = client.get(path, Range=f"bytes={len(data)}-")
        assert behind.status == 416, f"behind the end: expected 416, got {behind.status}"
        step.show(suffix=206, parts=7, behind=416)


def _another(world: World, client: Client, old: Release, new: Release) -> None:
    with world.step("a download begun with the former release is not continued with the new one") as step:
        data = new.files["app.bin"]
        former = f'"{sha256(old.files["app.bin"])}"'
        answer = client.get(f"{new.version}/app.bin", Range=f"bytes={len(data) // 2}-", If_Range=former)
        assert answer.status == 200, f"expected the whole file with 200, got {answer.status}"
        assert sha256(answer.body) == sha256(data), "halves of two releases were mixed"
        step.show(status=200, bytes=len(answer.body))
    with world.step("the former release is still there for who is in the middle of it") as step:
        answer = client.get(f"{old.version}/app.bin")
        assert sha256(answer.body) == sha256(old.files["app.bin"]), "it changed"
        step.show(version=old.version, status=answer.status)


def _not_run(world: World, *, has_edge: bool) -> None:
    if not has_edge:
        world.not_run("the edge keeps requests from the servers", "the stack was deployed with offload=false")
    world.not_run(
        "a new server boots from its image, and CloudFormation waits for its signal",
        "here processes are started instead of instances; on AWS it was over before the journey could begin",
    )
