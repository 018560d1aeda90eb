"""Walk a file's blocks before a decoder sees them: what it would have to keep in memory, how often it would repaint.

Decoders keep every metadata block they pass on the way to the first pixel, each with an object's overhead, so ten
million empty blocks in a 40 MB file take more than a gigabyte. A damaged structure ends a walk quietly: decoding
reports it.
"""

import re
from dataclasses import dataclass
from typing import IO, Final

from image_renditions.limits import Limits, RejectedError

_OVERHEAD: Final = 256  # bytes of objects per block, generously
_CHUNK: Final = 256 * 1024
_MAX_JUNK: Final = 64 * 1024  # decoders look for the next block byte by byte

_SEQUENTIAL: Final = frozenset({0xC0, 0xC1})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_COMPONENTS: Final = 5  # offset of their number in a frame header
_SOS: Final = 0xDA
_EOI: Final = 0xD9
# In entropy-coded data 0xFF is followed by 0x00 (stuffing), RST0-7, or fill bytes; anything else is a marker.
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass
class _Budget:
    """Metadata, and bytes that belong to nothing, met so far."""

    limits: Limits
    spent: int = 0
    junk: int = 0

    def spend(self, size: int) -> None:
        self.spent += size + _OVERHEAD
        if self.spent > self.limits.max_metadata:
            raise metadata_too_large(self.limits)

    def skip(self) -> None:
        self.junk += 1
        if self.junk > _MAX_JUNK:
            raise damaged()


def metadata_too_large(limits: Limits) -> RejectedError:
    """The refusal of a file whose texts, profile and other metadata are out of proportion."""
    return RejectedError(
        "metadata-too-large",
        rule=f"metadata: at most {limits.max_metadata} bytes, counting {_OVERHEAD} more for each block",
        message="The file carries too much metadata (texts, previews, colour profile); export it without.",
    )


def count_scans(source: IO[bytes], limits: Limits) -> int:
    """Passes over the picture that a JPEG asks for (ITU-T T.81, annex B).

    One means that the decoder works line by line. With more it keeps the coefficients of the whole picture and goes
    through all of them for each, so many tiny scans are a cheap way to burn hours. A sequential picture whose first
    scan holds every component is answered from its header.

    Raises:
        RejectedError: ``too-many-scans`` or ``metadata-too-large``.
    """
    budget = _Budget(limits)
    source.seek(2)
    scans = components = 0
    sequential = False
    while (marker := _next_marker(source, budget)) not in {None, _EOI}:
        if marker in _ALONE:
            continue
        body = source.read(max(int.from_bytes(source.read(2), "big") - 2, 0))
        budget.spend(len(body))
        if marker in _FRAMES and len(body) > _COMPONENTS:
            components, sequential = body[_COMPONENTS], marker in _SEQUENTIAL
        elif marker == _SOS:
            scans += 1
            if scans > limits.max_scans:
                raise RejectedError(
                    "too-many-scans",
                    rule=f"scans: at most {limits.max_scans}",
                    message=f"The JPEG repaints the picture more than {limits.max_scans} times; export it again.",
                )
            if scans == 1 and sequential and body[:1] == bytes([components]):
                break
            _skip_entropy_data(source)
    return scans


def _next_marker(source: IO[bytes], budget: _Budget) -> int | None:
    while byte := source.read(1):
        if byte != b"\xff":
            budget.skip()
            continue
        while byte == b"\xff":
            byte = source.read(1)
        if byte and byte != b"\0":
            return byte[0]
    return None


def _skip_entropy_data(source: IO[bytes]) -> None:
    while len(chunk := source.read(_CHUNK)) > 1:
        if found := _MARKER.search(chunk):
            source.seek(found.start() - len(chunk), 1)
            return
        if chunk.endswith(b"\xff"):  # its second byte is in the next chunk
            source.seek(-1, 1)


def check_png(source: IO[bytes], file_bytes: int, limits: Limits) -> None:
    """Refuse a PNG with too much in chunks other than its pixels (they may also follow the pixels)."""
    budget = _Budget(limits)
    source.seek(8)
    while kind := (header := source.read(8))[4:]:
        length = int.from_bytes(header[:4], "big")
        if kind == b"IEND" or source.tell() + length > file_bytes:
            return
        budget.spend(0 if kind in {b"IDAT", b"fdAT"} else length)
        source.seek(length + 4, 1)


def check_gif(source: IO[bytes], limits: Limits) -> None:
    """Refuse a GIF with too much in the extensions before its first picture."""
    budget = _Budget(limits)
    source.seek(10)
    flags = source.read(3)
    if flags and flags[0] & 0x80:
        source.seek(3 << (flags[0] & 7) + 1, 1)
    while (introducer := source.read(1)) and introducer not in b",;":
        if introducer == b"!":
            source.seek(1, 1)
            while size := int.from_bytes(source.read(1), "big"):
                budget.spend(size)
                source.seek(size, 1)
        else:
            budget.skip()


def webp_size(head: bytes, file_bytes: int) -> tuple[int, int] | None:
    """Canvas of a WebP picture from its first 30 bytes; None when they are damaged.

    Pillow allocates the canvas when it opens the file, so this must be known earlier (RFC 9649).

    Raises:
        RejectedError: ``truncated`` when the file is shorter than it says.
    """
    if int.from_bytes(head[4:8], "little") + 8 > file_bytes:
        raise truncated()
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if head[12:16] == b"VP8 ":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    return None


def damaged() -> RejectedError:
    """The refusal of a file that starts like a picture and goes on like something else."""
    return RejectedError(
        "damaged",
        rule="content: a picture that can be decoded",
        message="The picture is damaged and cannot be decoded; export it again.",
    )


def truncated() -> RejectedError:
    """The refusal of a file that ends too early."""
    return RejectedError(
        "truncated",
        rule="content: the whole picture",
        message="The file ends before the picture does; upload it again.",
    )
