"""What several test folders share: the local cloud, started once per session, and the scenarios deployed to it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep everything that needs the local cloud on one worker (pytest-xdist with --dist loadgroup)."""
    for item in items:
        if item.get_closest_marker("cloud"):
            item.add_marker(pytest.mark.xdist_group("cloud"))


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
