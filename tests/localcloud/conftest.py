"""What the tests of the local cloud share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import lifecycles


@pytest.fixture(scope="session")
def bare(local_state: Path) -> Iterator[LocalCloud]:
    """The emulator as it comes, without our fixes: where a fix's behaviour is seen here too, the fix can go."""
    with LocalCloud.start(local_state / "bare", bare=True) as started:
        yield started


@pytest.fixture(autouse=True)
def _lifecycle(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold a test that says to prove the life of resource types to it."""
    mark = request.node.get_closest_marker("lifecycle")
    if mark is None:
        yield
        return
    added = request.getfixturevalue("cloud").ready.added
    events = lifecycles.watch(monkeypatch)
    yield
    gaps = [lifecycles.missing(events, one, added[one]) for one in mark.args]
    assert [one for one in gaps if one] == []
