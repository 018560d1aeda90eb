"""A picture in, smaller pictures out: pure rules, no AWS.

- Accepted: JPEG, PNG, WebP and GIF, told by content; of an animation the first frame.
- Output: JPEG, or WebP when a pixel is really transparent; sRGB, upright, without any metadata.
- Never enlarged, same shape, at least one pixel a side.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Final

from PIL import ExifTags, Image
from PIL.Image import Transpose

from image_renditions.colour import to_srgb
from image_renditions.decode import DAMAGE, content_errors, decode, fit
from image_renditions.limits import Limits, RejectedError

__all__ = ["EXTENSIONS", "Limits", "RejectedError", "Rendition", "render", "render_many"]

# Exif orientation (CIPA DC-008, tag 0x0112): how to turn the stored picture upright.
_UPRIGHT: Final = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_TURNED: Final = {Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90}
EXTENSIONS: Final = {"JPEG": ".jpg", "WEBP": ".webp"}
_CONTENT_TYPES: Final = {"JPEG": "image/jpeg", "WEBP": "image/webp"}
_DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True)
class Rendition:
    """A finished picture.

    Attributes:
        data: The encoded file.
        format: ``JPEG`` or ``WEBP``.
        width: Pixels.
        height: Pixels.
        source_format: ``JPEG``, ``PNG``, ``WEBP`` or ``GIF``.
        source_pixels: Width times height of the source.
    """

    data: bytes
    format: str
    width: int
    height: int
    source_format: str
    source_pixels: int

    @property
    def extension(self) -> str:
        """File name extension with its dot."""
        return EXTENSIONS[self.format]

    @property
    def content_type(self) -> str:
        """Media type."""
        return _CONTENT_TYPES[self.format]


def render(source: bytes | IO[bytes], edge: int, *, quality: int = 82, limits: Limits = _DEFAULT_LIMITS) -> Rendition:
    """Make one rendition that fits a square of ``edge`` pixels.

    Args:
        source: The uploaded file: bytes, or a seekable binary file, which need not fit in memory.
        edge: Longest side in pixels, at least 1. A smaller picture keeps its size.
        quality: Of JPEG and WebP, 1 to 95. Default 82.
        limits: What is accepted.

    Raises:
        RejectedError: The content is refused; no retry can help.
        ValueError: ``edge`` is below 1.
    """
    return render_many(source, [edge], quality=quality, limits=limits)[0]


def render_many(
    source: bytes | IO[bytes], edges: Sequence[int], *, quality: int = 82, limits: Limits = _DEFAULT_LIMITS
) -> list[Rendition]:
    """Make several renditions from one decoding, in the order of ``edges``.

    The largest is made from the picture, each next from the one before. See ``render`` for the arguments and errors.
    """
    if not edges or min(edges) < 1:
        raise ValueError(f"edges: each must be at least 1 pixel, got {list(edges)}")
    decoded = decode(io.BytesIO(source) if isinstance(source, bytes) else source, max(edges), limits)
    with content_errors(limits):
        orientation = _orientation(decoded.picture)
        picture = decoded.picture if orientation is None else decoded.picture.transpose(orientation)
        picture = to_srgb(picture, decoded.picture.info.get("icc_profile"))
    original = decoded.original[::-1] if orientation in _TURNED else decoded.original
    made: dict[int, Rendition] = {}
    for edge in sorted(set(edges), reverse=True):
        size = fit(original, edge)
        if size != picture.size:
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        data, name = _encode(picture, quality)
        pixels = decoded.original[0] * decoded.original[1]
        made[edge] = Rendition(data, name, *size, source_format=decoded.format, source_pixels=pixels)
    return [made[edge] for edge in edges]


def _orientation(picture: Image.Image) -> Transpose | None:
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation)
    except DAMAGE:  # unreadable Exif is no reason to refuse a picture that can be seen
        return None
    return _UPRIGHT.get(value) if isinstance(value, int) else None


def _encode(picture: Image.Image, quality: int) -> tuple[bytes, str]:
    picture.info.clear()  # what is not here cannot be written: comment, Exif, XMP, profile
    output = io.BytesIO()
    if picture.mode == "RGBA":
        picture.save(output, "WEBP", quality=quality, method=4)
        return output.getvalue(), "WEBP"
    picture.save(output, "JPEG", quality=quality, optimize=True)
    return output.getvalue(), "JPEG"
