"""What several test folders share: the local cloud, started once per worker, and the scenarios deployed to it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from stacks.scenario import stack_id
from tests.scheduling import by_scope, scenarios_first

Deployed = Callable[[str], LocalCloud]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep together what shares its set-up."""
    return by_scope(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where tests are handed out to workers, begin with those that take longest."""
    if hasattr(config, "workerinput"):
        scenarios_first(items)


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
def deployed(cloud: LocalCloud) -> Deployed:
    """Scenario -> the local cloud with it deployed."""

    def has(key: str) -> LocalCloud:
        if stack_id(key) not in cloud.stacks:
            cloud.deploy([key])
        return cloud

    return has
