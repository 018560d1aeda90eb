"""The pictures of a journey, and the files that only claim to be one: made here, in real formats."""

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image, ImageCms, ImageDraw

Colour = tuple[int, int, int]
# Spots of the scene, as shares of width and height, whose colours tell it from any turned or mirrored one.
SPOTS = {"sun": (0.22, 0.24), "sky": (0.86, 0.07), "house": (0.765, 0.72), "meadow": (0.28, 0.93)}
SKY_TOP, SKY_LOW, SUN, HOUSE, ROOF, MEADOW, HILL, LAKE = (
    (38, 92, 196),
    (250, 196, 140),
    (255, 222, 60),
    (204, 44, 40),
    (74, 42, 38),
    (64, 152, 60),
    (96, 88, 140),
    (48, 120, 150),
)


@dataclass(frozen=True)
class Picture:
    """A file that has a picture, or claims to.

    Attributes:
        name: Its name; odd ones on purpose.
        what: What is special about it.
        data: The file.
        seen: What a person sees in it, upright and in sRGB; None when it is rejected.
        code: Why it is rejected; None when it is a picture.
    """

    name: str
    what: str
    data: bytes
    seen: Image.Image | None = None
    code: str | None = None

    @property
    def transparent(self) -> bool:
        """Whether some of it is."""
        return self.seen is not None and self.seen.mode == "RGBA"


def pictures() -> list[Picture]:
    """Pictures of the formats that people upload."""
    phone, cut, portrait, press = scene(3000, 2000), scene(1800, 1200), scene(1200, 1800), scene(1600, 1200)
    cut.putalpha(_rounded(cut.size))
    frames = [scene(480, 320, sun=(0.22 + 0.06 * step, 0.24)) for step in range(4)]
    stored = Image.merge("RGB", [phone.getchannel(name) for name in "GRB"]).transpose(Image.Transpose.ROTATE_90)
    return [
        Picture(
            "phone photo (1) + more.jpg",
            "a phone's JPEG, stored sideways in a colour space of its own, with GPS",
            _file(stored, "JPEG", quality=88, exif=_sideways_in_berlin(), icc_profile=_swapped_profile()),
            phone,
        ),
        Picture("Größe & Ω ☀ 湖.png", "a PNG with transparent corners", _file(cut, "PNG", compress_level=1), cut),
        Picture(
            "already%20encoded.webp", "a WebP in portrait", _file(portrait, "WEBP", quality=85, method=0), portrait
        ),
        Picture("for/the/press.jpg", "a CMYK JPEG", _file(press.convert("CMYK"), "JPEG", quality=90), press),
        Picture(
            "moving sun.gif",
            "a small animated GIF",
            _file(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=200, loop=0),
            frames[0],
        ),
    ]


def broken() -> list[Picture]:
    """What people upload that is no picture, or one that nobody should decode."""
    whole = _file(scene(1200, 800), "JPEG", quality=88)
    return [
        Picture("truncated.jpg", "half a JPEG", whole[: len(whole) // 2], code="truncated"),
        Picture("text.jpg", "a text named .jpg", b"Dear picture,\n" * 200, code="not-an-image"),
        Picture("bomb.png", "a bomb of 20 000 x 20 000 pixels", bomb(20_000), code="too-many-pixels"),
        Picture("empty.png", "a file of zero bytes", b"", code="empty"),
        Picture("scan.tiff", "a TIFF", _file(scene(600, 400), "TIFF"), code="unsupported-format"),
    ]


def scene(width: int, height: int, sun: tuple[float, float] = SPOTS["sun"]) -> Image.Image:
    """A lake in the evening: no turn or mirror image of it looks the same."""
    sky = Image.linear_gradient("L").resize((width, height)).point(lambda value: min(255, value * 8 // 5))
    picture = Image.composite(Image.new("RGB", sky.size, SKY_LOW), Image.new("RGB", sky.size, SKY_TOP), sky)
    draw = ImageDraw.Draw(picture)

    def shape(colour: Colour, *points: tuple[float, float]) -> None:
        draw.polygon([(x * width, y * height) for x, y in points], fill=colour)

    radius = 0.13 * min(width, height)
    centre = sun[0] * width, sun[1] * height
    draw.ellipse((centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius), fill=SUN)
    shape(HILL, (0, 0.62), (0.2, 0.46), (0.36, 0.57), (0.58, 0.36), (0.8, 0.55), (1, 0.44), (1, 0.7), (0, 0.7))
    shape(LAKE, (0, 0.62), (1, 0.62), (1, 0.85), (0, 0.85))
    shape(MEADOW, (0, 0.83), (0.35, 0.8), (0.6, 0.76), (1, 0.7), (1, 1), (0, 1))
    shape(HOUSE, (0.66, 0.6), (0.87, 0.6), (0.87, 0.86), (0.66, 0.86))
    shape(ROOF, (0.63, 0.61), (0.765, 0.46), (0.9, 0.61))
    return picture


def colours(picture: Image.Image) -> Iterator[tuple[str, Colour]]:
    """(spot, its colour) of the scene's spots."""
    plain = picture.convert("RGB")
    for name, (x, y) in SPOTS.items():
        found = plain.getpixel((int(x * plain.width), int(y * plain.height)))
        if isinstance(found, tuple):
            yield name, (found[0], found[1], found[2])


def bomb(side: int) -> bytes:
    """A PNG of about a megabyte that takes more than a gigabyte decoded (at a side of 20 000)."""
    rows = side // 100
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    hundredth = packer.compress(bytes(rows * (1 + 3 * side))) + packer.flush(zlib.Z_FULL_FLUSH)
    # All zeros, so after a full flush each hundredth is packed the same, and the checksum (RFC 1950) is known.
    checksum = (side * (1 + 3 * side) % 65521) << 16 | 1
    data = b"\x78\xda" + hundredth * 100 + packer.flush() + checksum.to_bytes(4, "big")
    header = side.to_bytes(4, "big") * 2 + bytes((8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def _file(picture: Image.Image, format_: str, **options: Any) -> bytes:
    output = io.BytesIO()
    picture.save(output, format_, **options)
    return output.getvalue()


def _rounded(size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), radius=min(size) // 6, fill=255)
    return mask


def _sideways_in_berlin() -> Image.Exif:
    data = Image.Exif()
    data[ExifTags.Base.Orientation] = 6
    data[ExifTags.Base.Make] = "PrivateCamera"
    latitude: dict[int, Any] = {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (52.0, 31.0, 12.0)}
    data.get_ifd(ExifTags.IFD.GPSInfo).update(latitude)
    return data


def _swapped_profile() -> bytes:
    """A display profile whose red is sRGB's green, and the other way round: ignoring it turns the house green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    renamed = profile.replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be"))
    return renamed.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
