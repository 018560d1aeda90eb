"""What the tests of the local cloud share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud


@pytest.fixture(scope="session")
def bare(local_state: Path) -> Iterator[LocalCloud]:
    """The emulator as it comes, without our fixes: where a fix's behaviour is seen here too, the fix can go."""
    with LocalCloud.start(local_state / "bare", bare=True) as started:
        yield started
