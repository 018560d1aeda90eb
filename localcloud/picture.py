"""A run as a picture for pages: what a terminal showed, as wide as it was."""

import re
from io import StringIO

from rich.console import Console
from rich.text import Text

# Wider, it could not be read on a page. A line that is longer goes on below, as on a terminal.
WIDEST = 124


def draw(recorded: Console, title: str) -> str:
    """The SVG of what a recording console printed, on lines that were not wrapped."""
    shown = Text.from_ansi(recorded.export_text(clear=False, styles=True).rstrip("\n"))
    # Not cut: a table that ends in the middle, or a reason without its end, says something else.
    width = min(WIDEST, max(line.cell_len for line in shown.split("\n", allow_blank=True)))
    page = Console(file=StringIO(), record=True, width=width, force_terminal=False, color_system="truecolor")
    page.print(shown, overflow="fold")
    # A page that shows it must not fetch fonts from elsewhere.
    return re.sub(r"(?s)@font-face \{.*?\}", "", page.export_svg(title=title))
