"""What is not handed out, and what is not published."""

import json
from collections.abc import Mapping
from typing import Any

from journeys._updates import SECONDS, Client, Publisher, Release, noise
from journeys._world import World

# Ways to say "two folders up", of which a server or something before it may understand one.
TRAVERSALS = (
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%252f..%252fetc%252fpasswd",
    "..%5c..%5cetc%5cpasswd",
    "....//....//etc/passwd",
    "..%c0%af..%c0%afetc%c0%afpasswd",
    "%00/etc/passwd",
    "//etc/passwd",
)


def unknown(world: World, client: Client, known: Release) -> None:
    with world.step("what is not released is not found, and is told so") as step:
        name = next(iter(known.files))
        paths = ("9.9.9/app.bin", "9.9.9/manifest.json", f"{known.version}/other.bin", f"{known.version}/", "1.2/x")
        answers = {path: client.get(path) for path in paths}
        for path, answer in answers.items():
            assert answer.status == 404, f"{path}: expected 404, got {answer.status}: {answer.text[:200]}"
        told = answers["9.9.9/app.bin"]
        assert told.headers["Content-Type"] == "application/problem+json", told.headers["Content-Type"]
        assert client.get(f"{known.version}/{name}", Range="bytes=0-0").status == 206, "the known one is gone"
        step.show(asked=len(paths), status=404, detail=told.json()["detail"])


def traversal(world: World, client: Client, known: Release) -> None:
    with world.step("no path leads out of the releases, however it is written") as step:
        inside = f"{known.version}/"
        seen = {}
        for path in (*TRAVERSALS, *(f"{inside}{one}" for one in TRAVERSALS), f"{inside}..%2flatest.json"):
            answer = client.get(path)
            assert answer.status in {400, 403, 404}, f"{path}: got {answer.status}: {answer.text[:200]}"
            assert "root:" not in answer.text, f"{path}: got a file of the server"
            seen[path] = answer.status
        step.show(tried=len(seen), statuses=", ".join(map(str, sorted(set(seen.values())))))


def bad_releases(world: World, publisher: Publisher, client: Client, latest: Release) -> None:
    good = noise(f"{world.token}-bad", 4096)

    def entry(name: str, **other: Any) -> dict[str, Any]:
        (listed,) = Release("", {name: good}).manifest["files"]
        return {**listed, **other}

    number = iter(range(100, 200))
    bad: dict[str, tuple[str, Mapping[str, bytes], list[dict[str, Any]] | None, str]] = {
        "another checksum": ("", {"app.bin": good}, [entry("app.bin", sha256="0" * 64)], "must have the SHA-256"),
        "another size": ("", {"app.bin": good}, [entry("app.bin", size=5)], "must have 5 bytes"),
        "a missing file": ("", {"app.bin": good}, [entry("app.bin"), entry("gone.bin")], "but not in the bucket"),
        "a name that leads elsewhere": ("", {}, [entry("../../evil.bin")], "name must be a plain one"),
        "no file at all": ("", {}, [], "List should have at least 1 item"),
        "a bad version": ("v1.two", {"app.bin": good}, None, "must be a semantic one"),
        "a version that leads elsewhere": ("../1.0.0", {"app.bin": good}, None, "must be a semantic one"),
        "too many bytes": ("", {}, [entry("app.bin", size=2**40)], "must have at most"),
    }
    for what, (version, files, listed, says) in bad.items():
        with world.step(f"a release with {what} is rejected, and nothing of it is published") as step:
            release = Release(version or publisher.version(next(number)), files)
            manifest = release.manifest if listed is None else {"version": release.version, "files": listed}
            reason = _rejected(world, publisher, publisher.upload(release, manifest))
            assert says in reason, f"expected a reason with {says!r}, got {reason!r}"
            for name in (*files, "manifest.json"):
                status = client.get(f"{release.version}/{name}").status
                assert status in {400, 403, 404}, f"{name} is published: {status}"
            step.show(reason=reason)
    with world.step("a manifest that is no JSON is rejected") as step:
        key = publisher.upload(Release(publisher.version(next(number)), {}), b"{")
        step.show(reason=_rejected(world, publisher, key))
    with world.step("a release that is out never changes") as step:
        name = next(iter(latest.files))
        other = Release(latest.version, {**latest.files, name: good})
        reason = _rejected(world, publisher, publisher.upload(other))
        assert "a release never changes" in reason, reason
        kept = client.get(f"{latest.version}/{name}")
        assert kept.body == latest.files[name], "its files changed"
        step.show(reason=reason)
    with world.step("after all this the latest is what it was, and nothing is left to work on") as step:
        world.eventually(
            lambda: client.manifest().json() == latest.manifest, within=SECONDS, what=f"the latest is {latest.version}"
        )
        left = world.client("sqs").get_queue_attributes(
            QueueUrl=world.out["DeadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]["ApproximateNumberOfMessages"]
        assert left == "0", f"{left} messages are dead letters: rejections are no failures"
        step.show(latest=latest.version, dead_letters=0)


def _rejected(world: World, publisher: Publisher, key: str) -> str:
    what = f"the rejection of {key}"
    return str(world.eventually(lambda: publisher.rejection(key), within=SECONDS, what=what))


def others_may_not_publish(world: World, publisher: Publisher) -> None:
    with world.step("whoever uploads may not read releases, nor write rejections or delete anything") as step:
        key, bucket = f"releases/{publisher.version(0)}/manifest.json", publisher.bucket
        denied = [
            world.refused("AccessDenied", publisher.s3.get_object, Bucket=bucket, Key=key),
            world.refused("AccessDenied", publisher.s3.put_object, Bucket=bucket, Key=f"rejected/{key}", Body=b"{}"),
            world.refused("AccessDenied", publisher.s3.put_object, Bucket=bucket, Key="latest.json", Body=b"{}"),
            world.refused("AccessDenied", publisher.s3.delete_object, Bucket=bucket, Key=key),
        ]
        step.show(refused=len(denied), said=json.dumps(denied[0])[:120])
