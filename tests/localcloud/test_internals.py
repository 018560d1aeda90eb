"""localcloud/internals.py: what the emulator must be."""

import importlib.metadata
from pathlib import Path

import pytest

from localcloud import internals
from localcloud.internals import EmulatorMismatchError


def test_the_pinned_version_is_the_one_written_for() -> None:
    pinned = (Path(internals.__file__).parent / "requirements.in").read_text()
    assert f"{internals.EMULATOR}[full]=={internals.VERSION}" in pinned


def test_another_version_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _name: "9.9")
    with pytest.raises(EmulatorMismatchError, match=r"is 9\.9, but .* was written for .*: run make setup"):
        internals.check_version()
    monkeypatch.setattr(importlib.metadata, "version", lambda _name: internals.VERSION)
    internals.check_version()


def test_a_name_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # Any package may stand for the emulator, which is not in this environment.
    monkeypatch.setattr(internals, "EMULATOR", "json")
    assert internals.need("decoder", "JSONDecoder", "scanstring")
    with pytest.raises(EmulatorMismatchError, match=r"json\.decoder has no _gone any more"):
        internals.need("decoder", "JSONDecoder", "_gone")
    with pytest.raises(EmulatorMismatchError, match=r"no module json\.gone any more"):
        internals.need("gone")
