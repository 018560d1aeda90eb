"""An author brings photos: good ones become thumbnails, others are rejected with the reason, none is lost."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from journeys._blog import Blog
from journeys._gallery import Made, check
from journeys._http import Response
from journeys._pictures import broken, pictures
from journeys._world import World

EDGE = 640
TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif"}


@dataclass(frozen=True)
class Upload:
    """A photo that was sent, and what the API says became of it."""

    id: str
    status: str
    thumbnail: str | None
    reason: str | None


class Darkroom:
    """The author's photos: asked for, uploaded, looked at; they leave with the journey."""

    def __init__(self, world: World, blog: Blog) -> None:
        self._world = world
        self._blog = blog
        self.ids: list[str] = []
        world.cleanup(self.forget)

    def ticket(self, size: int, content_type: str = "image/jpeg") -> dict[str, Any]:
        """Ask where to upload."""
        answer = self._blog.post("/api/photos", {"contentType": content_type, "size": size}, self._blog.author)
        assert answer.status == 201, f"expected 201, got {answer.status}: {answer.text}"
        ticket: dict[str, Any] = answer.json()
        self.ids.append(ticket["id"])
        return ticket

    def put(self, ticket: Mapping[str, Any], data: bytes, headers: Mapping[str, str] | None = None) -> Response:
        """Upload, as a browser does."""
        return self._world.http(
            ticket["method"], ticket["url"], body=data, headers={**ticket["headers"], **(headers or {})}
        )

    def upload(self, data: bytes, content_type: str = "image/jpeg") -> str:
        """Ask and upload; the photo's id."""
        ticket = self.ticket(len(data), content_type)
        answer = self.put(ticket, data)
        assert answer.status == 200, f"expected 200, got {answer.status}: {answer.text}"
        return str(ticket["id"])

    def done(self, photo_id: str) -> Upload:
        """Wait until it is a thumbnail or rejected."""

        def settled() -> Any:
            answer = self._blog.author.http("GET", f"{self._blog.url}/api/photos/{photo_id}")
            assert answer.status == 200, f"expected 200, got {answer.status}: {answer.text}"
            return answer.json() if answer.json()["status"] != "pending" else None

        told = self._world.eventually(settled, within=60, what=f"photo {photo_id} done")
        return Upload(photo_id, told["status"], told.get("thumbnail"), told.get("reason"))

    def forget(self) -> None:
        """Remove uploads, in every version, and what came of them."""
        s3: Any = self._world.client("s3")
        uploads, renditions = self._world.out["UploadsBucketName"], self._world.out["RenditionsBucketName"]
        for photo in self.ids:
            key = f"photos/{photo}"
            versions = s3.list_object_versions(Bucket=uploads, Prefix=key)
            for version in (*versions.get("Versions", []), *versions.get("DeleteMarkers", [])):
                s3.delete_object(Bucket=uploads, Key=key, VersionId=version["VersionId"])
            for made in (f"thumbnail/{key}.jpg", f"thumbnail/{key}.webp", f"rejected/thumbnail/{key}.json"):
                s3.delete_object(Bucket=renditions, Key=made)


def photos(world: World, blog: Blog) -> None:
    """Upload what people upload, see what comes of it, and what does not."""
    sqs, url = world.client("sqs"), world.out["ThumbnailDeadLetterQueueUrl"]

    def dead() -> str:
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return found["Attributes"]["ApproximateNumberOfMessages"]

    before, room = dead(), Darkroom(world, blog)
    # All are uploaded first: they are rendered meanwhile.
    good = [(one, room.upload(one.data, TYPES[one.name.rsplit(".", 1)[1]])) for one in pictures()]
    bad = [(one, room.upload(one.data)) for one in broken() if one.data]
    for picture, photo in good:
        with world.step(f"{picture.what}, becomes a thumbnail behind the site's name: upright, sRGB, bare") as step:
            made = room.done(photo)
            assert made.thumbnail, f"{picture.name}: {made}"
            answer = blog.get(made.thumbnail)
            assert answer.status == 200, f"{made.thumbnail}: expected 200, got {answer.status}"
            picture_made = Image.open(io.BytesIO(answer.body))
            check(Made(made.thumbnail, answer.body, picture_made), picture, EDGE)
            kind = answer.headers["content-type"]
            assert kind == Image.MIME[picture_made.format or ""], f"{made.thumbnail} is served as {kind}"
            step.show(thumbnail=made.thumbnail, size=f"{picture_made.width} x {picture_made.height}", type=kind)

    for picture, photo in bad:
        with world.step(f"{picture.what}, is rejected and the author is told why") as step:
            made = room.done(photo)
            assert made.status == "rejected", f"{picture.name}: {made}"
            assert made.reason, f"{picture.name} has no reason"
            step.show(status=made.status, reason=made.reason)

    _refused(world, blog, room, good[0][0].data)
    _shown(world, blog, room, good[0][1], bad[0][1])
    _gone(world)
    with world.step("nothing crashed: no dead letters from all this") as step:
        assert dead() == before, f"dead letters before: {before}, now: {dead()}"
        step.show(dead_letters=before)


def _refused(world: World, blog: Blog, room: Darkroom, data: bytes) -> None:
    with world.step(
        "a file of zero bytes, one that is too large and one of another type: 400 before any upload"
    ) as step:
        wrong = ({"contentType": "image/png", "size": 0}, {"contentType": "image/png", "size": 21_000_000},
                 {"contentType": "image/tiff", "size": 9})  # fmt: skip
        rules = []
        for body in wrong:
            answer = blog.post("/api/photos", body, blog.author)
            assert answer.status == 400, f"{body}: expected 400, got {answer.status}: {answer.text}"
            rules.append(f"{answer.json()['errors'][0]['field']}: {answer.json()['errors'][0]['rule']}")
        step.show(**{f"rule {number}": rule for number, rule in enumerate(rules, start=1)})

    with world.step("the signed URL takes this many bytes of this type, and nothing else") as step:
        ticket = room.ticket(len(data))
        found = {
            "more bytes": room.put(ticket, data + b"x").status,
            "another type": room.put(ticket, data, {"Content-Type": "text/html"}).status,
            "another key": room.put({**ticket, "url": ticket["url"].replace(ticket["id"], "0" * 24)}, data).status,
            "no signature": room.put({**ticket, "url": ticket["url"].partition("?")[0]}, data).status,
        }
        assert set(found.values()) == {403}, found
        step.show(**found)


def _shown(world: World, blog: Blog, room: Darkroom, photo: str, rejected: str) -> None:
    with world.step("a post shows its photo once that is ready, and is refused before or when it was rejected") as step:
        post = blog.publish(f"With a photo {world.token}", photo=photo)
        assert post["photo"] == room.done(photo).thumbnail, post
        for one in (rejected, "0" * 24):
            answer = blog.post("/api/posts", {"title": "x", "text": "x", "photo": one}, blog.author)
            assert answer.status == 409, f"expected 409, got {answer.status}: {answer.text}"
        step.show(photo=post["photo"], refused=answer.json()["detail"])


def _gone(world: World) -> None:
    sqs = world.client("sqs")
    with world.step("a photo that is gone before its turn is nobody's error") as step:
        gone = {"bucket": {"name": world.out["UploadsBucketName"]}, "object": {"key": f"photos/{'0' * 24}"}}
        event = {"Records": [{"eventName": "ObjectCreated:Put", "s3": gone}]}
        queue = world.out["ThumbnailQueueUrl"]
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(event))
        kinds: Any = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible")]

        def waiting() -> int:
            found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=kinds)["Attributes"]
            return sum(map(int, found.values()))

        world.eventually(lambda: not waiting(), what="the queue drained")
        step.show(waiting=0)
