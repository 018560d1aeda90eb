"""localcloud/progress.py."""

import io

import pytest
from rich.console import Console

from localcloud.progress import Progress


def test_plain_lines_where_there_is_no_terminal() -> None:
    written = io.StringIO()
    progress = Progress(Console(file=written, force_terminal=False))
    with progress.phase("cooking"):
        pass
    with pytest.raises(ValueError, match="burnt"), progress.phase("frying"):
        raise ValueError("burnt")
    lines = written.getvalue().splitlines()
    assert [line.split("  ")[0] for line in lines] == ["… cooking", "✓ cooking", "… frying", "✗ frying"]
    assert set(progress.seconds) == {"cooking", "frying"}


def test_a_terminal_sees_the_detail() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100)
    with Progress(console).phase("deploying", lambda: "3/4 resources"):
        pass
    assert "3/4 resources" in written.getvalue()


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress.silent().phase("cooking"):
        pass
    assert capsys.readouterr().out == ""
