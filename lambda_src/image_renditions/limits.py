"""What is accepted: sizes, formats and the reasons for refusing."""

from dataclasses import dataclass
from typing import IO, Final

Size = tuple[int, int]
MIB: Final = 1024 * 1024

# Leading bytes of what is accepted, and of what people upload by mistake, which deserves a better reason than
# "not an image".
_ACCEPTED: Final = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"WEBP", "WEBP"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
)
_REFUSED: Final = (
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"BM", "BMP"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypavif", "AVIF"),
    (0, b"8BPS", "PSD"),
    (0, b"\0\0\x01\0", "ICO"),
    (0, b"<svg", "SVG"),
    (0, b"%PDF", "PDF"),
)


class RejectedError(Exception):
    """The upload cannot be rendered, now or on any retry.

    Args:
        code: Stable machine-readable reason, such as ``truncated``.
        rule: What was required, with its limit.
        message: One sentence for the person who uploaded.
    """

    def __init__(self, code: str, *, rule: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.rule = rule
        self.message = message


@dataclass(frozen=True)
class Limits:
    """Bounds of an accepted picture.

    Attributes:
        max_bytes: Size of the file. Default 40 MiB.
        max_pixels: Width times height of any picture, whatever memory would allow. Default 50 million.
        working_memory: Bytes that decoding and resizing may take at their peak, beside the interpreter. Formats that
            must be decoded whole are limited by it before ``max_pixels`` is reached. The default keeps a function's
            peak under 512 MB.
        max_metadata: Bytes before the first pixel (Exif, XMP, profile). Default 8 MiB.
        max_scans: Passes of a progressive JPEG, each of which costs time for the whole picture. Default 100; encoders
            write about ten.
    """

    max_bytes: int = 40 * MIB
    max_pixels: int = 50_000_000
    working_memory: int = 360 * MIB
    max_metadata: int = 8 * MIB
    max_scans: int = 100


def file_size(source: IO[bytes]) -> int:
    """Bytes in the file; leaves the position at the start."""
    size = source.seek(0, 2)
    source.seek(0)
    return size


def check_bytes(size: int, limits: Limits) -> None:
    """Refuse an empty or a too large file.

    Raises:
        RejectedError: ``empty`` or ``too-large``.
    """
    if size == 0:
        raise RejectedError("empty", rule="size: at least 1 byte", message="The file has no bytes.")
    if size > limits.max_bytes:
        raise RejectedError(
            "too-large",
            rule=f"size: at most {limits.max_bytes} bytes",
            message=f"The file has more than {limits.max_bytes} bytes ({size}); upload a smaller one.",
        )


def identify(head: bytes) -> str:
    """Name of the picture's format by its content; the file's name is not asked.

    Raises:
        RejectedError: ``unsupported-format`` or ``not-an-image``.
    """
    for offset, signature, name in _ACCEPTED:
        if head.startswith(signature, offset):
            return name
    for offset, signature, name in _REFUSED:
        if head.startswith(signature, offset):
            raise RejectedError(
                "unsupported-format",
                rule="format: JPEG, PNG, WebP or GIF",
                message=f"The file is {name}; upload a JPEG, PNG, WebP or GIF picture.",
            )
    raise RejectedError(
        "not-an-image",
        rule="format: JPEG, PNG, WebP or GIF",
        message="The file's content is not a JPEG, PNG, WebP or GIF picture, whatever its name says.",
    )


@dataclass(frozen=True)
class Memory:
    """What decoding takes at its peak: bytes for each pixel of the source, and bytes whatever their number."""

    per_pixel: float
    fixed: int


def check_pixels(size: Size, limits: Limits, memory: Memory, *, what: str, coarser: Memory | None = None) -> None:
    """Refuse a picture that has too many pixels, from its header alone.

    Args:
        size: Width and height.
        limits: The bounds.
        memory: What this picture takes.
        what: Kind of picture, for the message.
        coarser: What a somewhat smaller one would take, if that is more for each pixel; the limit that is stated holds
            for both. By default the same.

    Raises:
        RejectedError: ``too-many-pixels``.
    """
    pixels = size[0] * size[1]
    if pixels <= limits.max_pixels and memory.per_pixel * pixels + memory.fixed <= limits.working_memory:
        return
    stated = coarser or memory
    allowed = max(0, min(limits.max_pixels, int((limits.working_memory - stated.fixed) / stated.per_pixel)))
    raise RejectedError(
        "too-many-pixels",
        rule=f"pixels: at most {allowed} for a {what}",
        message=f"The picture is {size[0]} x {size[1]} = {pixels} pixels; a {what} may have {allowed}.",
    )
