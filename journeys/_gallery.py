"""The two sides of the pictures' journey: who uploads them, and who looks at what came of them."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from PIL import Image

from journeys._pictures import Picture, colours
from journeys._world import World

SIZES: Mapping[str, int] = {"thumbnail": 256, "web": 1600, "mobile": 800}
QUEUES = ("QueueUrl", "DeadLetterQueueUrl", "UndeliveredQueueUrl")
# Of 255, for each channel: JPEG, CMYK's formula and a GIF's palette are not exact; a wrong picture is far off.
_TOLERANCE = 28


@dataclass(frozen=True)
class Made:
    """A rendition, as its viewer got it."""

    key: str
    data: bytes
    picture: Image.Image

    @property
    def text(self) -> str:
        return f"{self.picture.width} x {self.picture.height} {self.picture.format}, {len(self.data) / 1000:.1f} kB"


class Gallery:
    """Uploads under the uploader's role, looks under the viewer's."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.uploads = world.out["UploadsBucketName"]
        self.renditions = world.out["RenditionsBucketName"]
        self.uploader = world.as_role(world.out["UploaderRoleArn"])
        self.viewer = world.as_role(world.out["ViewerRoleArn"])

    def key(self, name: str) -> str:
        return f"{self._world.token}/{name}"

    def upload(self, name: str, data: bytes) -> str:
        """Put an object, and return its ETag, which names this content."""
        answer = self.uploader.client("s3").put_object(Bucket=self.uploads, Key=self.key(name), Body=data)
        return answer["ETag"].strip('"')

    def rendition(self, size: str, name: str, *, transparent: bool = False, etag: str | None = None) -> Made:
        """Wait for a rendition, of this very content if an ETag is given."""
        key = f"{size}/{self.key(name)}{'.webp' if transparent else '.jpg'}"

        def made() -> Any:
            answer = self.viewer.client("s3").get_object(Bucket=self.renditions, Key=key)
            return answer if etag in {None, answer["Metadata"].get("source-etag")} else None

        answer = self._world.eventually(made, within=60, what=key)
        data = answer["Body"].read()
        return Made(key, data, Image.open(io.BytesIO(data)))

    def rejection(self, size: str, name: str) -> dict[str, Any]:
        """Wait for the record of a rejection."""
        key = f"rejected/{size}/{self.key(name)}.json"

        def record() -> Any:
            return self.viewer.client("s3").get_object(Bucket=self.renditions, Key=key)["Body"].read()

        found: dict[str, Any] = json.loads(self._world.eventually(record, within=60, what=key))
        return found

    def results(self, name: str = "") -> set[str]:
        """Keys of all results of this run, or of its uploads whose names begin so."""
        pages = self.viewer.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.renditions)
        found = (item["Key"] for page in pages for item in page.get("Contents", []))
        return {key for key in found if self.key(name) in key}

    def tell(self, name: str) -> None:
        """Put the event of an upload into every size's queue, as S3 and SNS may do late and more than once."""
        # Keys are form-encoded in events.
        s3 = {"bucket": {"name": self.uploads}, "object": {"key": quote_plus(self.key(name))}}
        event = json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": s3}]})
        for size in SIZES:
            self._world.client("sqs").send_message(
                QueueUrl=self._world.out[f"{size.capitalize()}QueueUrl"], MessageBody=event
            )

    def left(self) -> dict[str, int]:
        """Size -> messages that are in its queue, in flight, or among its dead letters."""
        return {size: sum(self._messages(f"{size.capitalize()}{kind}") for kind in QUEUES) for size in SIZES}

    def more_than(self, before: Mapping[str, int]) -> dict[str, int]:
        """Size -> how many more such messages there are now; others' may have left meanwhile."""
        now = self.left()
        return {size: now[size] - before[size] for size in SIZES if now[size] > before[size]}

    def forget(self) -> None:
        """Remove what this run uploaded, in every version, and what came of it."""
        s3: Any = self._world.client("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=self.uploads, Prefix=self.key("")):
            for version in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                s3.delete_object(Bucket=self.uploads, Key=version["Key"], VersionId=version["VersionId"])
        for key in self.results():
            s3.delete_object(Bucket=self.renditions, Key=key)

    def _messages(self, queue: str) -> int:
        url = self._world.out[queue]
        names: Any = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        found = self._world.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(value) for value in found["Attributes"].values())


def check(made: Made, picture: Picture, edge: int) -> None:
    """Raise AssertionError unless a rendition is what a person must see: whole, upright, in its colours, and bare."""
    assert picture.seen
    shape = picture.seen.size
    scale = min(1, edge / max(shape))
    wanted = (round(shape[0] * scale), round(shape[1] * scale))
    assert made.picture.size == wanted, f"{made.key}: must be {wanted}, got {made.picture.size}"
    expected = dict(colours(picture.seen))
    for spot, found in colours(made.picture):
        far = max(abs(one - other) for one, other in zip(found, expected[spot], strict=True))
        assert far <= _TOLERANCE, f"{made.key}: the {spot} must be {expected[spot]}, got {found}"
    told = {"exif", "icc_profile", "xmp", "comment", "XML:com.adobe.xmp"} & made.picture.info.keys()
    assert not told, f"{made.key}: must have no metadata, got {sorted(told)}"
    assert b"PrivateCamera" not in made.data, f"{made.key}: names the camera"
    if picture.transparent:
        alpha = made.picture.convert("RGBA").getchannel("A")
        centre = alpha.getpixel((alpha.width // 2, alpha.height // 2))
        assert (alpha.getpixel((0, 0)), centre) == (0, 255), f"{made.key}: its corners must be transparent alone"
