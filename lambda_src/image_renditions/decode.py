"""From file to reduced pixels, within bounds: every check comes before the memory it guards."""

import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import IO, Final, NamedTuple

from PIL import Image, PngImagePlugin
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from image_renditions.limits import (
    MIB,
    Limits,
    Memory,
    RejectedError,
    Size,
    check_bytes,
    check_pixels,
    file_size,
    identify,
)
from image_renditions.structure import (
    check_gif,
    check_png,
    count_scans,
    damaged,
    metadata_too_large,
    truncated,
    webp_size,
)

# The plug-ins are called directly: Image.open would import forty of them to find WebP, and takes phones' JPEG with a
# second picture inside for another format.
_PLUGINS: Final[dict[str, Callable[[IO[bytes]], ImageFile]]] = {
    "GIF": GifImageFile,
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WEBP": WebPImageFile,
}
# Compressed texts of a PNG are inflated when it is opened: Pillow holds each to 1 MiB, this holds them all together.
PngImagePlugin.MAX_TEXT_MEMORY = 8 * MIB

# Pillow documents no closed list of what a decoder raises on damaged input; these are what its plug-ins do raise.
DAMAGE: Final = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    struct.error,
    zlib.error,
)
_STORED: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2}  # bytes per pixel in memory; 4 for every other mode
_WEBP: Final = 18  # two canvases of libwebp's animation decoder, its copy of the frame, Pillow's picture, some rows
_RESULT: Final = 16  # bytes per pixel of the result: reduced, upright, in sRGB, encoded
# JPEG's own scaling (by 2, 4 or 8 while decoding) leaves at least this factor to the better filter.
_LEFT_TO_FILTER: Final = 1.25
_REDUCING_GAP: Final = 3.0  # from here on, says Pillow, two-step resizing cannot be told from the plain one


class Decoded(NamedTuple):
    """The reduced picture (mode, profile and Exif as in the file), the file's format and its size in pixels."""

    picture: Image.Image
    format: str
    original: Size


@contextmanager
def content_errors(limits: Limits) -> Iterator[None]:
    """Turn a decoder's exceptions into a refusal; errors of the operating system stay what they are.

    Raises:
        RejectedError: ``truncated``, ``damaged``, ``metadata-too-large`` or ``too-many-pixels``.
    """
    with warnings.catch_warnings():
        # Pillow warns of odd metadata and of large pictures; the first is discarded anyway, the second checked here.
        warnings.simplefilter("ignore")
        try:
            yield
        except Image.DecompressionBombError as error:  # a GIF whose first frame is larger than its screen
            raise RejectedError(
                "too-many-pixels",
                rule=f"pixels: at most {limits.max_pixels}",
                message=f"The picture has far more than {limits.max_pixels} pixels; upload a smaller one.",
            ) from error
        except DAMAGE as error:
            text = str(error)
            if isinstance(error, OSError) and error.errno is not None:
                raise
            if "truncated" in text.lower():
                raise truncated() from error
            if "Decompressed data too large" in text or "Too much memory used in text" in text:
                raise metadata_too_large(limits) from error
            raise damaged() from error


def fit(size: Size, edge: int) -> Size:
    """The largest size of the same shape in a square of ``edge``: never larger than ``size``, no side under 1."""
    longest = max(size)
    if longest <= edge:
        return size
    return max(1, round(size[0] * edge / longest)), max(1, round(size[1] * edge / longest))


def decode(source: IO[bytes], edge: int, limits: Limits) -> Decoded:
    """Decode the first frame, reduced so that it fits a square of ``edge`` pixels.

    Raises:
        RejectedError: The content is refused.
    """
    file_bytes = file_size(source)
    check_bytes(file_bytes, limits)
    head = source.read(32)
    name = identify(head)
    with content_errors(limits):
        scans = 0
        if name == "JPEG":
            scans = count_scans(source, limits)
        elif name == "PNG":
            check_png(source, file_bytes, limits)
        elif name == "GIF":
            check_gif(source, limits)
        elif size := webp_size(head, file_bytes):
            _check_webp(size, fit(size, edge), file_bytes, limits)
        source.seek(0)
        with _PLUGINS[name](source) as picture:
            original = picture.size
            target = fit(original, edge)
            drafted = picture.draft(None, (ceil(target[0] * _LEFT_TO_FILTER), ceil(target[1] * _LEFT_TO_FILTER)))
            # A somewhat smaller picture may be drafted by half the step, to twice the sides.
            memory = _memory(picture, original, picture.size, target, scans)
            twice = (min(original[0], 2 * picture.width), min(original[1], 2 * picture.height))
            coarser = _memory(picture, original, twice, target, scans)
            check_pixels(original, limits, memory, coarser=coarser, what=f"{name} of mode {picture.mode}")
            picture.load()
            return Decoded(_reduced(picture, target, drafted[1] if drafted else None), name, original)


def _check_webp(size: Size, target: Size, file_bytes: int, limits: Limits) -> None:
    # The file itself is held up to three times: as read, in the decoder, and as metadata.
    memory = Memory(_WEBP, 3 * file_bytes + _RESULT * target[0] * target[1])
    check_pixels(size, limits, memory, what="WEBP")


def _memory(picture: ImageFile, original: Size, drafted: Size, target: Size, scans: int) -> Memory:
    """Need of a picture that is decoded to the size ``drafted``."""
    stored = _STORED.get(picture.mode, 4)
    if _keyed(picture):
        stored += 8  # to RGBA, then colours times alpha
    elif picture.mode in {"P", "LA", "RGBA"}:
        stored += 4  # to colours, or colours times alpha
    coefficients = 2 * len(picture.getbands()) if scans > 1 else 0  # of the whole picture, 16 bits each
    share = drafted[0] * drafted[1] / (original[0] * original[1])
    between_passes = 4 * target[0] * drafted[1]
    return Memory(stored * share + coefficients, between_passes + _RESULT * target[0] * target[1])


def _keyed(picture: Image.Image) -> bool:
    """Whether transparency is given beside the pixels: one colour, or the palette's."""
    return picture.mode in {"1", "L", "P", "RGB"} and picture.has_transparency_data


def _reduced(picture: ImageFile, target: Size, box: tuple[float, float, float, float] | None) -> Image.Image:
    frame: Image.Image = picture
    if _keyed(picture):
        frame = picture.convert("RGBA")
    elif picture.mode in {"1", "P"}:
        frame = picture.convert("L" if picture.mode == "1" else "RGB")
    if frame.size == target:
        return frame.copy() if frame is picture else frame
    # 16-bit pixels have no quick first step.
    gap = None if frame.mode == "I;16" else _REDUCING_GAP
    return frame.resize(target, Image.Resampling.LANCZOS, box=box, reducing_gap=gap)
