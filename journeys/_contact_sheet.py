"""One picture of all uploads and what came of them."""

import io
import textwrap
from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from journeys._gallery import SIZES, Made
from journeys._pictures import Picture

_PAPER, _INK, _FAINT, _RED = (250, 249, 246), (34, 34, 38), (120, 120, 128), (176, 32, 32)
_SIZES = sorted(SIZES, key=lambda size: SIZES[size], reverse=True)
_MARGIN, _GAP, _LINE = 36, 40, 22
_STORED, _WIDEST = 240, 320  # pixels for an upload, and for the largest rendition; the others are in proportion
_LETTERS = 30  # of a line below an upload
_CHECKERS = 10


def contact_sheet(
    made: Mapping[str, Mapping[str, Made]], pictures: Sequence[Picture], rejected: Sequence[tuple[Picture, str]]
) -> bytes:
    """A PNG: each upload as it was stored beside its renditions in proportion, then what was rejected, and why.

    Args:
        made: Picture's name -> rendition's name -> rendition.
        pictures: What was accepted.
        rejected: What was not, and the reason that was recorded.
    """
    sheet = Image.new("RGB", (_columns()[-1] + 2 * _MARGIN, 4000), _PAPER)
    _write(sheet, (_MARGIN, _MARGIN), "One upload, three renditions", 26)
    for x, title in zip(_columns(), ("as uploaded", *(f"{size}, {SIZES[size]}" for size in _SIZES)), strict=False):
        _write(sheet, (x, _MARGIN + 44), title, ink=_FAINT)
    top = _MARGIN + 44 + 2 * _LINE
    for picture in pictures:
        top = _row(sheet, top, picture, made[picture.name]) + _GAP
    _write(sheet, (_MARGIN, top), "rejected, and why", ink=_FAINT)
    for picture, reason in rejected:
        top += _LINE + 8
        _write(sheet, (_MARGIN, top), picture.what)
        _write(sheet, (_columns()[1], top), str(picture.code), ink=_RED)
        _write(sheet, (_columns()[1] + 180, top), reason)
    output = io.BytesIO()
    sheet.crop((0, 0, sheet.width, top + _LINE + _MARGIN)).save(output, "PNG")
    return output.getvalue()


def _columns() -> list[int]:
    """Left edges of the columns, and the right edge of the last."""
    widths = [_STORED, *(_shown(SIZES[size]) for size in _SIZES[:-1]), 180]
    return [_MARGIN, *(_MARGIN + sum(widths[:number]) + _GAP * number for number in range(1, len(widths) + 1))]


def _row(sheet: Image.Image, top: int, picture: Picture, made: Mapping[str, Made]) -> int:
    """Draw an upload and its renditions; returns where the row ends."""
    with Image.open(io.BytesIO(picture.data)) as stored:
        ends = [_paste(sheet, stored, (_MARGIN, top), _STORED)]
    _write(sheet, (_MARGIN, ends[0] + 8), textwrap.fill(picture.what, _LETTERS))
    ends[0] += _LINE * len(textwrap.wrap(picture.what, _LETTERS))
    for x, size in zip(_columns()[1:], _SIZES, strict=False):
        end = _paste(sheet, made[size].picture, (x, top), _shown(max(made[size].picture.size)))
        _write(sheet, (x, end + 8), made[size].text, 13, _FAINT)
        ends.append(end + _LINE)
    return max(ends)


def _shown(pixels: int) -> int:
    return _WIDEST * pixels // max(SIZES.values())


def _write(
    sheet: Image.Image, at: tuple[int, int], text: str, size: int = 15, ink: tuple[int, int, int] = _INK
) -> None:
    ImageDraw.Draw(sheet).text(at, text, fill=ink, font=ImageFont.load_default(size))


def _paste(sheet: Image.Image, picture: Image.Image, at: tuple[int, int], box: int) -> int:
    """Draw a picture within a square, on checkers where it is transparent; returns where it ends."""
    small = picture.convert("RGBA")
    small.thumbnail((box, box))
    ground = Image.new("RGBA", small.size, "white")
    draw = ImageDraw.Draw(ground)
    for x in range(0, small.width, _CHECKERS):
        for y in range(0, small.height, _CHECKERS):
            if (x + y) // _CHECKERS % 2:
                draw.rectangle((x, y, x + _CHECKERS - 1, y + _CHECKERS - 1), fill="lightgrey")
    sheet.paste(Image.alpha_composite(ground, small).convert("RGB"), at)
    return at[1] + small.height
