"""What is refused, with which reason, before it costs memory or time."""

import io
import tracemalloc
from dataclasses import replace

import pytest

from image_renditions.limits import Limits, RejectedError
from image_renditions.rules import render
from image_renditions.structure import count_scans
from tests import images

JPEG, PNG = images.jpeg(), images.encode(images.corners(), "PNG")
WEBP, GIF = images.encode(images.corners(), "WEBP"), images.encode(images.corners(), "GIF")
EMPTY_COMMENTS = JPEG[:2] + b"\xff\xfe\x00\x02" * 40_000 + JPEG[2:]
GIF_START = 13 + (3 << (GIF[10] & 7) + 1)  # behind header and palette
MANY_COMMENTS = GIF[:GIF_START] + b"!\xfe" + b"\x01a" * 40_000 + b"\0" + GIF[GIF_START:]
JFIF = 20  # bytes of a JPEG up to the end of its first segment
TEXT = "content is not a JPEG, PNG, WebP or GIF picture"

REFUSED: dict[str, tuple[bytes, str, str]] = {
    "zero bytes": (b"", "empty", "no bytes"),
    "text named .jpg": (b"Dear customer, attached is my photo.", "not-an-image", TEXT),
    "html": (b"<html><body>404</body></html>", "not-an-image", TEXT),
    "one byte": (b"\xff", "not-an-image", TEXT),
    "tiff": (images.encode(images.corners(), "TIFF"), "unsupported-format", "is TIFF"),
    "bmp": (images.encode(images.corners(), "BMP"), "unsupported-format", "is BMP"),
    "avif": (images.encode(images.corners(), "AVIF"), "unsupported-format", "is AVIF"),
    "heic": (b"\0\0\0\x18ftypheic" + bytes(100), "unsupported-format", "is HEIC"),
    "pdf": (b"%PDF-1.7\n" + bytes(100), "unsupported-format", "is PDF"),
    "bomb": (images.bomb(), "too-many-pixels", "20000 x 20000 = 400000000 pixels"),
    "webp bomb": (WEBP[:26] + b"\xff\x3f\xff\x3f" + WEBP[30:], "too-many-pixels", "16383 x 16383"),
    "jpeg bomb": (
        JPEG.replace(b"\xff\xc0\x00\x11\x08\x01\xe0\x02\x80", b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff"),
        "too-many-pixels",
        "65535 x 65535",
    ),
    "gif bomb": (GIF[:6] + b"\xff\xff\xff\xff" + GIF[10:], "too-many-pixels", "65535 x 65535"),
    "text bomb": (images.text_bomb(), "metadata-too-large", "too much metadata"),
    "profile bomb": (images.text_bomb(b"iCCP"), "metadata-too-large", "too much metadata"),
    "many empty jpeg segments": (EMPTY_COMMENTS, "metadata-too-large", "too much metadata"),
    "many empty png chunks": (images.png(8, 8, chunks=[(b"prVt", b"")] * 40_000), "metadata-too-large", "metadata"),
    "many gif comments": (MANY_COMMENTS, "metadata-too-large", "too much metadata"),
    "many scans": (images.scan_bomb(101), "too-many-scans", "more than 100 times"),
    "junk after the start": (JPEG[:JFIF] + b"\0" * 70_000 + JPEG[JFIF:], "damaged", "cannot be decoded"),
    "jpeg header only": (JPEG[:300], "truncated", "ends before the picture does"),
    "half jpeg": (JPEG[: len(JPEG) // 2], "truncated", "ends before"),
    "half progressive jpeg": (images.jpeg(progressive=True)[:1400], "truncated", "ends before"),
    "half png": (PNG[: len(PNG) // 2], "truncated", "ends before"),
    "half webp": (WEBP[: len(WEBP) // 2], "truncated", "ends before"),
    "half gif": (GIF[: len(GIF) // 2], "truncated", "ends before"),
    "png with a wrong checksum": (PNG.replace(PNG[29:33], b"\0\0\0\0"), "damaged", "cannot be decoded"),
}


@pytest.mark.parametrize(("data", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_rendered_is_refused_with_its_reason(data: bytes, code: str, message: str) -> None:
    with pytest.raises(RejectedError, match=message) as refused:
        render(data, 256)
    assert refused.value.code == code
    assert refused.value.rule.split(":")[0] in {"size", "format", "content", "pixels", "metadata", "scans"}


def test_the_refused_ones_are_small_so_nobody_has_to_work_for_them() -> None:
    assert max(len(data) for data, _, _ in REFUSED.values()) < 2 * 1024 * 1024


ACCEPTED = {
    "a hundred scans": images.scan_bomb(90),
    "metadata of 4 MiB": images.png(64, 64, chunks=[(b"prVt", bytes(4 * 1024 * 1024))]),
    "a long text": images.png(64, 64, chunks=[(b"tEXt", b"Comment\0" + b"a" * 100_000)]),
    "some junk after the start": JPEG[:JFIF] + b"\0" * 1000 + JPEG[JFIF:],
    "a comment that holds an end marker": JPEG[:2] + b"\xff\xfe\x00\x06\xff\xd9\xff\xda" + JPEG[2:],
    "a second picture behind the first": JPEG + JPEG,
    "restart intervals": images.jpeg(restart_marker_rows=1),
}


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
def test_what_only_looks_odd_is_rendered(data: bytes) -> None:
    assert render(data, 64).width == 64


def test_each_scan_counts_although_a_comment_between_them_says_the_picture_is_over() -> None:
    data = images.scan_bomb(101)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(RejectedError, match="more than 100 times"):
        render(data[:last] + b"\xff\xfe\x00\x04\xff\xd9" + data[last:], 256)


@pytest.mark.parametrize("size", range(256 * 1024 - 3, 256 * 1024 + 3))
def test_a_marker_between_two_reads_is_not_missed(size: int) -> None:
    scan = b"\xff\xda\x00\x03\x01"
    data = b"\xff\xd8" + scan + b"\xff\x00" * (size // 2) + b"\0" * (size % 2) + scan + b"\xff\xd3\xff\xff\xd9" + scan
    assert count_scans(io.BytesIO(data), Limits()) == 2


def test_entropy_coded_data_is_followed_across_the_chunks_it_is_read_in() -> None:
    big = images.encode(images.photo(1600, 1200), "JPEG", quality=95, progressive=True)
    assert len(big) > 512 * 1024
    scans = big.count(b"\xff\xda")
    assert render(big, 256, limits=replace(Limits(), max_scans=scans)).width == 256
    with pytest.raises(RejectedError, match=f"more than {scans - 1} times"):
        render(big, 256, limits=replace(Limits(), max_scans=scans - 1))


@pytest.mark.parametrize("data", [JPEG, PNG, WEBP, GIF], ids=["jpeg", "png", "webp", "gif"])
def test_the_limits_are_exact(data: bytes) -> None:
    pixels = 640 * 480
    assert render(data, 64, limits=Limits(max_bytes=len(data), max_pixels=pixels))
    with pytest.raises(RejectedError, match="more than") as refused:
        render(data, 64, limits=Limits(max_bytes=len(data) - 1))
    assert (refused.value.code, refused.value.rule) == ("too-large", f"size: at most {len(data) - 1} bytes")
    with pytest.raises(RejectedError, match=f"640 x 480 = {pixels} pixels") as refused:
        render(data, 64, limits=Limits(max_pixels=pixels - 1))
    assert refused.value.rule.startswith(f"pixels: at most {pixels - 1} for a ")


def test_a_format_that_needs_more_memory_gets_a_lower_limit() -> None:
    tight = Limits(working_memory=4_000_000)
    assert render(images.encode(images.corners(1000, 800, "L"), "PNG"), 64, limits=tight)
    with pytest.raises(RejectedError, match="1000 x 800 = 800000 pixels; a PNG of mode RGBA may have"):
        render(images.encode(images.corners(1000, 800, "RGBA"), "PNG"), 64, limits=tight)


def test_a_bomb_is_refused_without_being_decoded() -> None:
    bomb = io.BytesIO(images.bomb())
    tracemalloc.start()
    try:
        with pytest.raises(RejectedError, match="20000 x 20000"):
            render(bomb, 256)
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_an_error_of_the_disk_is_not_the_uploads_fault() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 400:
                raise OSError(5, "Input/output error")
            return super().read(size)

    with pytest.raises(OSError, match="Input/output error"):
        render(Broken(JPEG), 256)
