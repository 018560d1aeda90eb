"""One snapshot per scenario: what its template is, so that a change of it is seen in review.

After an intended change: ``make snapshots``, and read the diff.
"""

from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from tests.repo.normaliser import normalised
from tests.templates import scenarios, template

FOLDER = Path(__file__).parent / "__snapshots__"


class _OneFilePerScenario(JSONSnapshotExtension):
    """``__snapshots__/<key>.json``."""

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(FOLDER)

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        return str(index)


@pytest.fixture
def snapshot_of(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(_OneFilePerScenario)


def gone(folder: Path, keys: list[str]) -> list[str]:
    """The snapshots in a folder that belong to no scenario."""
    return sorted(path.name for path in folder.glob("*") if path.stem not in keys or path.suffix != ".json")


@pytest.mark.parametrize("key", scenarios())
def test_the_template_is_as_reviewed(key: str, snapshot_of: SnapshotAssertion) -> None:
    assert normalised(template(key)) == snapshot_of(name=key)


@pytest.mark.parametrize(
    ("section", "intruder"),
    [("Resources", {"Type": "AWS::SQS::Queue"}), ("Outputs", {"Value": "x"}), ("Parameters", {"Type": "String"})],
)
def test_a_changed_template_is_another_snapshot(
    section: str, intruder: dict[str, Any], snapshot_of: SnapshotAssertion
) -> None:
    key = scenarios()[0]
    changed = template(key)
    changed.setdefault(section, {})["Intruder"] = intruder
    written = snapshot_of.extension.serialize
    assert written(normalised(template(key))) == written(normalised(template(key)))
    assert written(normalised(changed)) != written(normalised(template(key)))


def test_every_snapshot_belongs_to_a_scenario() -> None:
    assert gone(FOLDER, scenarios()) == [], "delete the snapshots of scenarios that are gone"


def test_a_snapshot_of_a_scenario_that_is_gone_is_noticed(tmp_path: Path) -> None:
    for name in ("order-queue.json", "long-gone.json", "order-queue.txt"):
        (tmp_path / name).touch()
    assert gone(tmp_path, ["order-queue"]) == ["long-gone.json", "order-queue.txt"]
