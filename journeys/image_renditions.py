"""A person uploads pictures once and gets each in three sizes; what is no picture is rejected, with the reason."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from journeys._contact_sheet import contact_sheet
from journeys._gallery import QUEUES, SIZES, Gallery, Made, check
from journeys._pictures import Picture, broken, pictures
from journeys._world import World

READS = (
    "UploadsBucketName",
    "RenditionsBucketName",
    "UploaderRoleArn",
    "ViewerRoleArn",
    *(f"{size.capitalize()}{kind}" for size in SIZES for kind in QUEUES),
)
DENIED = "AccessDenied"
# Keys that are uploaded twice: as what, then as what.
AGAIN, SPOILT, MENDED = "again.jpg", "spoilt.jpg", "mended.jpg"


def run(world: World) -> None:
    gallery = Gallery(world)
    world.cleanup(gallery.forget)
    before = gallery.left()
    good, bad = pictures(), broken()
    _upload(world, gallery, good, bad)
    made = {picture.name: _rendered(world, gallery, picture) for picture in good}
    reasons = [(picture, _rejected(world, gallery, picture)) for picture in bad]
    world.save("contact-sheet.png", contact_sheet(made, good, reasons))
    _upload_again(world, gallery, good[1], good[3], bad[0])
    _strangers(world, gallery)
    _late(world, gallery, before)
    _quiet(world, gallery, len(good) + len(bad) + 3)


def _upload(world: World, gallery: Gallery, good: list[Picture], bad: list[Picture]) -> None:
    with world.step(f"{len(good)} pictures and {len(bad)} files that are none are uploaded at once") as step:
        files = {picture.name: picture.data for picture in (*good, *bad)}
        files |= {AGAIN: good[1].data, SPOILT: good[1].data, MENDED: bad[0].data}
        started = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(gallery.upload, files, files.values()))
        megabytes = sum(map(len, files.values())) / 1e6
        step.show(bucket=gallery.uploads, objects=len(files), megabytes=round(megabytes, 1))
        step.show(seconds=round(time.monotonic() - started, 2))


def _rendered(world: World, gallery: Gallery, picture: Picture) -> Mapping[str, Made]:
    with world.step(f"{picture.what}: upright, in sRGB, without metadata, in three sizes") as step:
        step.show(key=gallery.key(picture.name))
        made = {}
        for size, edge in SIZES.items():
            one = gallery.rendition(size, picture.name, transparent=picture.transparent)
            check(one, picture, edge)
            made[size] = one
            step.show(**{size: one.text})
    for size, one in made.items():
        world.save(f"{size}/{one.key.split('/', 2)[2]}", one.data)
    return made


def _rejected(world: World, gallery: Gallery, picture: Picture) -> str:
    with world.step(f"{picture.what}: rejected for every size, {picture.code}") as step:
        records = [gallery.rejection(size, picture.name) for size in SIZES]
        codes = {record["code"] for record in records}
        assert codes == {picture.code}, f"{picture.name}: must be rejected as {picture.code}, got {codes}"
        sources = {(record["source"]["key"], record["source"]["size"]) for record in records}
        assert sources == {(gallery.key(picture.name), len(picture.data))}, f"the records name others: {sources}"
        step.show(message=records[0]["message"], rule=records[0]["rule"])
        return str(records[0]["message"])


def _upload_again(world: World, gallery: Gallery, first: Picture, other: Picture, none: Picture) -> None:
    with world.step("the same key uploaded again with another picture has its new renditions") as step:
        for size in SIZES:
            gallery.rendition(size, AGAIN, transparent=first.transparent)
        etag = gallery.upload(AGAIN, other.data)
        for size, edge in SIZES.items():
            check(gallery.rendition(size, AGAIN, etag=etag), other, edge)
        wanted = {f"{size}/{gallery.key(AGAIN)}.jpg" for size in SIZES}
        _only(world, gallery, AGAIN, wanted)
        step.show(before=".webp, with alpha", now=".jpg", source_etag=etag)

    with world.step("a picture replaced by a file that is none loses its renditions, and the reason is there") as step:
        for size in SIZES:
            gallery.rendition(size, SPOILT, transparent=first.transparent)
        gallery.upload(SPOILT, none.data)
        _only(world, gallery, SPOILT, {f"rejected/{size}/{gallery.key(SPOILT)}.json" for size in SIZES})
        step.show(renditions=0, code=gallery.rejection("web", SPOILT)["code"])

    with world.step("a rejected file replaced by a picture has renditions, and the rejection is gone") as step:
        gallery.rejection("web", MENDED)
        gallery.upload(MENDED, other.data)
        _only(world, gallery, MENDED, {f"{size}/{gallery.key(MENDED)}.jpg" for size in SIZES})
        step.show(rejections=0, **{size: gallery.rendition(size, MENDED).text for size in SIZES})


def _only(world: World, gallery: Gallery, name: str, wanted: set[str]) -> None:
    """Wait until these are all results of an upload."""

    def settled() -> bool:
        found = gallery.results(name=name)
        assert found == wanted, f"results of {name} are {sorted(found)}"
        return True

    world.eventually(settled, within=60, what=f"{name} with {sorted(wanted)} alone")


def _strangers(world: World, gallery: Gallery) -> None:
    upload = {"Bucket": gallery.uploads, "Key": gallery.key(AGAIN)}
    rendition = {"Bucket": gallery.renditions, "Key": f"web/{gallery.key(AGAIN)}.jpg"}
    uploads = {"Bucket": gallery.uploads}
    with world.step("the uploader can upload, and nothing else") as step:
        s3: Any = gallery.uploader.client("s3")
        for what, call, where in (
            ("read an upload", s3.get_object, upload),
            ("delete an upload", s3.delete_object, upload),
            ("list uploads", s3.list_objects_v2, uploads),
            ("read a rendition", s3.get_object, rendition),
            ("write a rendition", s3.put_object, rendition),
        ):
            world.refused(DENIED, call, **where)
            step.show(**{what: DENIED})

    with world.step("the viewer can look at renditions, and nothing else") as step:
        s3 = gallery.viewer.client("s3")
        for what, call, where in (
            ("write a rendition", s3.put_object, rendition),
            ("delete a rendition", s3.delete_object, rendition),
            ("upload", s3.put_object, upload),
            ("read an upload", s3.get_object, upload),
            ("list uploads", s3.list_objects_v2, uploads),
        ):
            world.refused(DENIED, call, **where)
            step.show(**{what: DENIED})

    with world.step("without TLS even they are refused, and without credentials everybody") as step:
        world.refused(DENIED, gallery.uploader.client("s3", tls=False).put_object, **upload)
        world.refused(DENIED, gallery.viewer.client("s3", tls=False).get_object, **rendition)
        signed = world.client("s3").generate_presigned_url("get_object", Params=rendition)
        anybody = world.http("GET", signed.partition("?")[0])
        assert anybody.status == 403, f"expected 403 without credentials, got {anybody.status}"
        step.show(url=world.plain_http("s3"), upload=DENIED, look=DENIED, without_credentials=anybody.status)


def _late(world: World, gallery: Gallery, before: Mapping[str, int]) -> None:
    with world.step(
        "nothing crashes or is retried, not even for events that come after their upload was deleted"
    ) as step:
        gallery.tell("deleted.jpg")
        quiet: list[float] = []

        def settled() -> bool:
            more = gallery.more_than(before)
            quiet[:] = [] if more else quiet or [time.monotonic()]
            assert not more, f"messages left in queues or among dead letters: {more}"
            return time.monotonic() - quiet[0] > 2

        # Counts are approximate, so that they must hold for a while.
        world.eventually(settled, within=60, what="two seconds without a message")
        assert not gallery.results("deleted.jpg"), "something was made of nothing"
        step.show(events=len(SIZES), results=0, left_in_queues=0, dead_letters=0)


def _quiet(world: World, gallery: Gallery, uploads: int) -> None:
    with world.step("renditions start nothing: one result for each upload and size, and no more") as step:
        told = world.client("s3").get_bucket_notification_configuration(Bucket=gallery.renditions)
        listeners = [name for name in told if name.endswith(("Configuration", "Configurations"))]
        assert not listeners, f"the renditions' bucket notifies {listeners}"
        results = gallery.results()
        nested = [key for key in results if key.split(world.token)[0].count("/") > 1 + key.startswith("rejected/")]
        assert not nested, f"renditions were rendered: {nested}"
        assert len(results) == uploads * len(SIZES), f"{uploads} uploads have {len(results)} results"
        step.show(notifications="none", uploads=uploads, sizes=len(SIZES), results=len(results))
