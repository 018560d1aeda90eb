"""tests/localcloud/lifecycles.py: the life of each type that the local cloud adds for a stack is proven."""

from typing import Any

import pytest

from localcloud import inventory
from localcloud.cloud import LocalCloud
from tests import templates
from tests.localcloud import lifecycles, probes

ADDRESS = "AWS::EC2::EIP"


@pytest.fixture(scope="module")
def types() -> dict[str, set[str]]:
    """Scenario -> the types of its template."""
    return {
        key: {one["Type"] for one in templates.template(key)["Resources"].values()} - {"AWS::CDK::Metadata"}
        for key in templates.scenarios()
    }


@pytest.mark.cloud
def test_every_type_of_a_stack_is_made_by_somebody_here(cloud: LocalCloud, types: dict[str, set[str]]) -> None:
    unknown = {
        (key, one)
        for key, all_of_it in types.items()
        for one in all_of_it
        if inventory.kind(one, cloud.ready) == "unknown"
    }
    assert unknown == set()


@pytest.mark.cloud
def test_the_life_of_every_type_that_we_add_is_proven(cloud: LocalCloud, types: dict[str, set[str]]) -> None:
    added = set().union(*types.values()) & set(cloud.ready.added)
    assert len(added) > 20, "hardly any: the templates were not read"
    assert sorted(added - lifecycles.proven()) == []


@pytest.mark.parametrize("step", range(len(lifecycles.LIFE)))
def test_a_step_that_is_left_out_is_named(step: int) -> None:
    whole = [(what, "ec2" if what == "read" else ADDRESS) for what in lifecycles.LIFE]
    assert lifecycles.missing(whole, ADDRESS, "adapter") is None
    said = lifecycles.missing([*whole[:step], *whole[step + 1 :]], ADDRESS, "adapter")
    assert said
    assert said.startswith(f"{ADDRESS} is not ")
    assert lifecycles.missing(whole, ADDRESS, "recorded"), "what is recorded, Cloud Control knows"


@pytest.mark.cloud
def test_what_a_test_does_is_seen(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def address(name: str) -> dict[str, Any]:
        tag = {"Key": "name", "Value": name}
        return {"Address": {"Type": ADDRESS, "Properties": {"Domain": "vpc", "Tags": [tag]}}}

    events = lifecycles.watch(monkeypatch)
    probes.deploy(cloud, address("a"))
    cloud.client("ec2").describe_addresses()
    probes.update(cloud, address("b"))
    assert lifecycles.missing(events, ADDRESS, "adapter") == f"{ADDRESS} is not read (made - read - changed - read)"
    cloud.client("ec2").describe_addresses()
    probes.destroy(cloud)
    cloud.client("ec2").describe_addresses()
    assert lifecycles.missing(events, ADDRESS, "adapter") is None


def test_marks_are_read() -> None:
    source = '@pytest.mark.lifecycle("A", "B")\n@pytest.mark.cloud\ndef test_a(): ...\n\ndef test_b(): "C"\n'
    assert lifecycles.claims(source) == {"A", "B"}
