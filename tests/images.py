"""Real pictures for tests and journeys, made by Pillow; nothing binary is kept in the repository."""

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from PIL import ExifTags, Image, ImageCms, ImageDraw

RED, GREEN, BLUE, YELLOW = (220, 20, 20), (20, 200, 20), (20, 20, 220), (230, 220, 20)
CORNERS = ("top left", "top right", "bottom left", "bottom right")
# How a camera stores an upright picture under each Exif orientation: the inverse of what a viewer does.
_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def corners(width: int = 640, height: int = 480, mode: str = "RGB") -> Image.Image:
    """Four quarters, red, green / blue, yellow: no turn or mirror image of it looks the same."""
    picture = Image.new("RGB", (width, height), RED)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((width // 2, 0, width, height // 2 - 1), fill=GREEN)
    draw.rectangle((0, height // 2, width // 2 - 1, height), fill=BLUE)
    draw.rectangle((width // 2, height // 2, width, height), fill=YELLOW)
    return picture.convert(mode)


def photo(width: int, height: int) -> Image.Image:
    """A picture with soft areas, edges and some grain, that compresses about as a photograph does."""
    base = Image.radial_gradient("L").resize((width, height), Image.Resampling.BICUBIC)
    grain = Image.effect_noise((width // 4 + 1, height // 4 + 1), 40).resize((width, height), Image.Resampling.BICUBIC)
    slope = Image.linear_gradient("L").resize((width, height), Image.Resampling.BICUBIC)
    picture = Image.merge("RGB", (base, Image.blend(slope, grain, 0.3), Image.blend(base, grain, 0.5)))
    draw = ImageDraw.Draw(picture)
    for step in range(0, width, max(width // 24, 1)):
        draw.line((step, 0, width - step, height), fill=(step % 256, 40, 90), width=max(width // 400, 1))
    return picture


def encode(picture: Image.Image, format_: str, **options: Any) -> bytes:
    """The picture as a file's bytes."""
    output = io.BytesIO()
    picture.save(output, format_, **options)
    return output.getvalue()


def opened(data: bytes) -> Image.Image:
    """The decoded picture."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def exif(orientation: int = 1) -> Image.Exif:
    """Exif as a phone writes it: orientation, maker, and where the picture was taken."""
    data = Image.Exif()
    data[ExifTags.Base.Orientation] = orientation
    data[ExifTags.Base.Make] = "PrivateCamera"
    data.get_ifd(ExifTags.IFD.GPSInfo).update(
        {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (52.0, 31.0, 12.0)}
    )
    return data


def oriented(orientation: int, format_: str = "JPEG", size: tuple[int, int] = (640, 480)) -> bytes:
    """``corners`` as a camera held another way stores it."""
    method = _STORED[orientation]
    picture = corners(*size)
    stored = picture if method is None else picture.transpose(method)
    options: dict[str, Any] = {"quality": 95} if format_ != "PNG" else {}
    return encode(stored, format_, exif=exif(orientation), **options)


def jpeg(width: int = 640, height: int = 480, **options: Any) -> bytes:
    """A plain JPEG of ``corners``."""
    return encode(corners(width, height), "JPEG", **({"quality": 92} | options))


def with_alpha(mode: str = "RGBA", width: int = 640, height: int = 480) -> Image.Image:
    """``corners`` whose left half is transparent; mode RGBA, LA, or P with its palette's transparency."""
    picture = corners(width, height, "RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, width // 2, height))
    return picture.quantize(16) if mode == "P" else picture.convert(mode)


def animation(format_: str = "GIF", frames: Sequence[tuple[int, int, int]] = (RED, GREEN, BLUE)) -> bytes:
    """Three frames of one colour each."""
    first, *others = [Image.new("RGB", (320, 200), colour) for colour in frames]
    options: dict[str, Any] = {"lossless": True} if format_ == "WEBP" else {}
    return encode(first, format_, save_all=True, append_images=others, duration=100, **options)


def png(
    width: int,
    height: int,
    *,
    colour_type: int = 2,
    depth: int = 8,
    chunks: Sequence[tuple[bytes, bytes]] = (),
) -> bytes:
    """A PNG of zeros; a huge one takes neither memory nor time."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    data = _zeros(height * (1 + (width * channels * depth + 7) // 8))
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    palette = [(b"PLTE", bytes(range(48)))] if colour_type == 3 else []
    parts = [(b"IHDR", header), *palette, *chunks, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


def _zeros(count: int) -> bytes:
    """``zlib.compress(bytes(count))`` (RFC 1950) for counts that are too many to have: one packed block is repeated."""
    size = 1024 * 1024
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(size)) + packer.flush(zlib.Z_FULL_FLUSH)
    rest = packer.compress(bytes(count % size)) + packer.flush()
    checksum = count % 65521 << 16 | 1  # Adler-32 of zeros
    return b"\x78\xda" + block * (count // size) + rest + struct.pack(">I", checksum)


def bomb() -> bytes:
    """A 20 000 x 20 000 PNG of about 1 MB that would take 1.6 GB decoded."""
    return png(20_000, 20_000)


def text_bomb(kind: bytes = b"zTXt") -> bytes:
    """A small PNG with a text, or profile (``iCCP``), of 64 MB packed into a few kilobytes."""
    return png(64, 64, chunks=[(kind, b"Comment\0\0" + zlib.compress(bytes(64 * 1024 * 1024), 9))])


def red_green_swapped_profile() -> bytes:
    """A display profile whose red is sRGB's green and the other way round: ignoring it is plain to see."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    renamed = profile.replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be"))
    return renamed.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


def cmyk_profile(lab: tuple[int, int, int] = (136, 40, 128)) -> bytes:
    """A press profile (ICC.1:2001 lut8) that prints every mixture of inks in one Lab colour, given as bytes."""
    ramp = bytes(range(256))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + matrix + ramp * 4 + bytes(lab) * 16 + ramp * 3
    text = b"text" + bytes(4) + b"public domain\0"
    description = b"desc" + bytes(4) + struct.pack(">I", 6) + b"Press\0" + bytes(78)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags = [(b"desc", description), (b"cprt", text), (b"wtpt", white), (b"A2B0", lut)]
    table, body, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags:
        padded = data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += padded
    size = offset + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def scan_bomb(scans: int, width: int = 64, height: int = 64) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    data = encode(corners(width, height), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + data[-2:]
