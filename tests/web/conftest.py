"""What the tests with a browser share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from journeys._blog import Blog
from journeys._world import World
from localcloud.cdk import ROOT
from localcloud.cloud import LocalCloud
from tests.web.browser import Complaints, chromium, why_not


@pytest.fixture(scope="module")
def browser(cloud: LocalCloud) -> Iterator[Browser]:
    """One Chromium for a file's tests; while it runs, no other event loop can."""
    if reason := why_not():
        pytest.skip(reason)
    with chromium(cloud) as started:
        yield started


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """What the test's page complains of: nothing but what the test expects."""
    found = Complaints()
    yield found
    assert found.unexpected == [], "the page complained"


@pytest.fixture
def page(browser: Browser, complaints: Complaints) -> Iterator[Page]:
    """A page of a new person, whose clock and language are known."""
    context = browser.new_context(locale="en", timezone_id="UTC", viewport={"width": 1100, "height": 900})
    context.set_default_timeout(20_000)
    made = context.new_page()
    complaints.listen(made)
    yield made
    context.close()


@dataclass(frozen=True)
class Visited:
    """The deployed blog and its world."""

    blog: Blog
    world: World


@pytest.fixture(scope="module")
def visited(deployed: Callable[[str], LocalCloud]) -> Iterator[Visited]:
    """The blog in the local cloud, with an author and a reader."""
    world = deployed("my-blog").world("my-blog")
    try:
        yield Visited(Blog(world), world)
    finally:
        world.clean_up()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures of pages are kept, to look at."""
    folder = ROOT / "build" / "web"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
