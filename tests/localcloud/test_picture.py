"""A picture of a run shows all of it."""

import html
import re
from io import StringIO

from rich.console import Console
from rich.text import Text

from localcloud.picture import WIDEST, draw


def _shown(*lines: str | Text, width: int = 20) -> list[str]:
    """The lines of the picture of a console on which these were printed."""
    console = Console(file=StringIO(), record=True, width=width, force_terminal=False)
    for line in lines:
        console.print(line, soft_wrap=True)
    found: dict[float, str] = {}
    drawn = draw(console, "a run")
    assert "@font-face" not in drawn
    for y, text in re.findall(r'<text class="[^"]*" x="[^"]*" y="([^"]*)" textLength[^>]*>([^<]*)</text>', drawn):
        found[float(y)] = found.get(float(y), "") + html.unescape(text).replace("\xa0", " ")
    return [found[y].rstrip() for y in sorted(found)]


def test_it_is_as_wide_as_its_lines() -> None:
    wide = "from to internet private isolated"
    assert len(wide) > 20
    assert _shown("short", wide) == ["short", wide]


def test_a_line_too_long_for_a_page_goes_on_below() -> None:
    long = "".join(f"{number:04}" for number in range(WIDEST // 2))
    assert _shown(long) == [long[:WIDEST], long[WIDEST:]]


def test_colours_stay() -> None:
    console = Console(file=StringIO(), record=True, width=20, force_terminal=False)
    console.print(Text("refused", style="red"))
    assert "#cc555a" in draw(console, "a run"), "red, as rich draws it"
    assert "#cc555a" not in _plain()


def _plain() -> str:
    console = Console(file=StringIO(), record=True, width=20, force_terminal=False)
    console.print("let in")
    return draw(console, "a run")
