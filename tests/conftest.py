"""What several test folders share: the local cloud, started once per worker, and the scenarios deployed to it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud


@pytest.fixture(scope="session")
def local_state() -> Path:
    """A folder for local clouds' state: this checkout's, this worker's."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return Path(__file__).parent.parent / "build" / "local" / f"test-{worker}"


@pytest.fixture(scope="session")
def cloud(local_state: Path) -> Iterator[LocalCloud]:
    """A running, bootstrapped local cloud."""
    with LocalCloud.start(local_state / "cloud") as started:
        yield started


@pytest.fixture(scope="session")
def deployed(cloud: LocalCloud) -> LocalCloud:
    """The local cloud with every scenario deployed to it."""
    cloud.deploy()
    return cloud
