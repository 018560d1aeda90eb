"""A small real video, made here: VP8 in WebM, of a ball that crosses the picture.

Pillow writes each frame as a lossy WebP, whose picture data is a VP8 key frame (RFC 9649, section 2.5); the frames are
put into a WebM container (the WebM Project's container guidelines, RFC 9559). Browsers and ffmpeg play it.
"""

import io
import struct
from collections.abc import Sequence

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 320, 180
FRAMES_PER_SECOND = 12
CONTENT_TYPE = "video/webm"
_RADIUS = 22
# EBML ids of the elements that a WebM of one video track needs.
_EBML, _SEGMENT, _INFO, _TRACKS, _TRACK, _VIDEO = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0
_CLUSTER, _TIMECODE, _SIMPLE_BLOCK = 0x1F43B675, 0xE7, 0xA3
_KEY_FRAME = 0x80


def video(seconds: int = 4, seed: int = 0) -> bytes:
    """A WebM file.

    Args:
        seconds: How long it lasts.
        seed: Another number gives another background, and so another file.
    """
    count = seconds * FRAMES_PER_SECOND
    return webm([vp8(_picture(number / count, seed)) for number in range(count)], WIDTH, HEIGHT, FRAMES_PER_SECOND)


def vp8(picture: Image.Image) -> bytes:
    """A picture as a VP8 key frame."""
    output = io.BytesIO()
    picture.save(output, "WEBP", quality=70, method=0)
    data = output.getvalue()
    # RIFF: "RIFF" size "WEBP", then chunks of a name, a size and data.
    if data[8:16] != b"WEBPVP8 ":
        message = f"frame: must be a plain lossy WebP, got {data[8:16]!r}"
        raise ValueError(message)
    (size,) = struct.unpack("<I", data[16:20])
    return data[20 : 20 + size]


def webm(frames: Sequence[bytes], width: int, height: int, rate: int) -> bytes:
    """Key frames as a WebM file, a cluster per second."""
    header = _element(
        _EBML,
        _number(0x4286, 1), _number(0x42F7, 1), _number(0x42F2, 4), _number(0x42F3, 8),
        _element(0x4282, b"webm"), _number(0x4287, 4), _number(0x4285, 2),
    )  # fmt: skip
    length = struct.pack(">d", len(frames) * 1000 / rate)
    info = _element(
        _INFO, _number(0x2AD7B1, 1_000_000), _element(0x4489, length), _element(0x4D80, b"journey"),
        _element(0x5741, b"journey"),
    )  # fmt: skip
    size = _element(_VIDEO, _number(0xB0, width), _number(0xBA, height))
    track = _element(_TRACK, _number(0xD7, 1), _number(0x73C5, 1), _number(0x83, 1), _element(0x86, b"V_VP8"), size)
    clusters = [_cluster(frames[first : first + rate], first, rate) for first in range(0, len(frames), rate)]
    return header + _element(_SEGMENT, info, _element(_TRACKS, track), *clusters)


def _cluster(frames: Sequence[bytes], first: int, rate: int) -> bytes:
    begins = first * 1000 // rate
    blocks = (
        _element(_SIMPLE_BLOCK, struct.pack(">BhB", 0x81, (first + number) * 1000 // rate - begins, _KEY_FRAME), frame)
        for number, frame in enumerate(frames)
    )
    return _element(_CLUSTER, _number(_TIMECODE, begins), *blocks)


def _element(name: int, *content: bytes) -> bytes:
    body = b"".join(content)
    # The size as eight bytes, whose first one says so.
    return name.to_bytes((name.bit_length() + 7) // 8) + (len(body) | 1 << 56).to_bytes(8) + body


def _number(name: int, value: int) -> bytes:
    return _element(name, value.to_bytes(max((value.bit_length() + 7) // 8, 1)))


def _picture(progress: float, seed: int) -> Image.Image:
    picture = Image.linear_gradient("L").resize((WIDTH, HEIGHT)).convert("RGB")
    picture = Image.blend(picture, Image.new("RGB", picture.size, (seed * 53 % 256, seed * 97 % 256, 120)), 0.5)
    x, y = progress * (WIDTH + 2 * _RADIUS) - _RADIUS, HEIGHT / 2
    ImageDraw.Draw(picture).ellipse((x - _RADIUS, y - _RADIUS, x + _RADIUS, y + _RADIUS), fill=(250, 210, 60))
    return picture
