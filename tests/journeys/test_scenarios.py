"""Every scenario's journey passes on the local cloud, and uses every grant that its functions and servers have."""

import json
from collections import defaultdict
from collections.abc import Callable
from fnmatch import fnmatchcase

import pytest
from rich.console import Console

from journeys._results import ScenarioResult
from journeys._runner import load, run_journey
from localcloud.cloud import LocalCloud
from localcloud.grants import Grant, drill, grants
from stacks.catalog import keys
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


Deployed = Callable[[str], LocalCloud]


@pytest.fixture(scope="module")
def journeys() -> dict[str, ScenarioResult]:
    """What became of each journey so far."""
    return {}


@pytest.mark.parametrize("key", keys())
def test_the_journey_passes(deployed: Deployed, journeys: dict[str, ScenarioResult], key: str) -> None:
    cloud = deployed(key)
    journeys[key] = run_journey(key, cloud.world(key), resources=cloud.resources(key))
    unfinished = [f"{step.name}: {step.reason}" for step in journeys[key].steps if step.result == "failed"]
    assert (journeys[key].result, unfinished) == ("passed", [])


@pytest.mark.parametrize("key", keys())
def test_every_grant_of_its_functions_and_servers_is_used(
    deployed: Deployed, journeys: dict[str, ScenarioResult], key: str
) -> None:
    cloud = deployed(key)
    if key not in journeys:
        run_journey(key, cloud.world(key))
    asked_for = [grant for grant in grants(cloud, key) if grant.is_asked_for]
    # What the last step set off may come later, and decisions are written down a moment after they were made.
    assert probes.eventually(lambda: not unused(cloud, asked_for)), "\n".join(unused(cloud, asked_for))


def unused(cloud: LocalCloud, asked_for: list[Grant]) -> list[str]:
    """The grants that nobody has used so far."""
    allowed: dict[str, set[str]] = defaultdict(set)
    for line in cloud.iam_log.read_text().splitlines():
        decision = json.loads(line)
        if decision["decision"] == "allow":
            allowed[decision["principal"]].add(decision["action"])
    found = []
    for grant in asked_for:
        used = {action for who, actions in allowed.items() if f"/{grant.role}" in who for action in actions}
        if not any(fnmatchcase(action, pattern) for action in used for pattern in grant.actions):
            found.append(f"{grant.owner} never used {grant.actions}, only {sorted(used)}")
    return found


@pytest.mark.parametrize("key", ["order-queue"])
def test_without_a_grant_the_journey_fails(deployed: Deployed, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = deployed(key)
    (publish,) = [grant for grant in grants(cloud, key) if grant.actions == ("sns:Publish",)]
    monkeypatch.setattr("localcloud.grants.grants", lambda *_: [publish])
    (finding,) = drill(cloud, key, load(key), Console(quiet=True))
    assert (finding.result, finding.at) == ("failed", "every order is stored, and told exactly once")
    assert run_journey(key, cloud.world(key)).result == "passed", "the grant is back"
