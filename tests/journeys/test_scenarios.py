"""Every scenario's journey passes on the local cloud, and uses every grant that its functions and servers have."""

import json
from collections import defaultdict
from fnmatch import fnmatchcase

import pytest
from rich.console import Console

from journeys._results import ScenarioResult
from journeys._runner import load, run_journey
from journeys._world import World
from localcloud.cloud import LocalCloud
from localcloud.grants import drill, grants
from stacks.catalog import keys

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def journeys(deployed: LocalCloud) -> dict[str, ScenarioResult]:
    """What became of each journey so far."""
    return {}


@pytest.mark.parametrize("key", keys())
def test_the_journey_passes(deployed: LocalCloud, journeys: dict[str, ScenarioResult], key: str) -> None:
    journeys[key] = run_journey(key, deployed.world(key), resources=deployed.resources(key))
    unfinished = [f"{step.name}: {step.reason}" for step in journeys[key].steps if step.result == "failed"]
    assert (journeys[key].result, unfinished) == ("passed", [])


@pytest.mark.parametrize("key", keys())
def test_every_grant_of_its_functions_and_servers_is_used(
    deployed: LocalCloud, journeys: dict[str, ScenarioResult], key: str
) -> None:
    if key not in journeys:
        run_journey(key, deployed.world(key))
    allowed: dict[str, set[str]] = defaultdict(set)
    for line in deployed.iam_log.read_text().splitlines():
        decision = json.loads(line)
        if decision["decision"] == "allow":
            allowed[decision["principal"]].add(decision["action"])
    for grant in grants(deployed, key):
        used = {action for who, actions in allowed.items() if f"/{grant.role}" in who for action in actions}
        needed = any(fnmatchcase(action, pattern) for action in used for pattern in grant.actions)
        assert needed or not grant.is_asked_for, f"{grant.owner} never used {grant.actions}, only {sorted(used)}"


def test_without_a_grant_the_journey_fails(deployed: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    (publish,) = [grant for grant in grants(deployed, "order-queue") if grant.actions == ("sns:Publish",)]
    monkeypatch.setattr("localcloud.grants.grants", lambda *_: [publish])
    (finding,) = drill(deployed, "order-queue", load("order-queue"), Console(quiet=True))
    assert (finding.result, finding.at) == ("failed", "every order is stored, and told exactly once")
    world: World = deployed.world("order-queue")
    assert run_journey("order-queue", world).result == "passed", "the grant is back"
