"""One snapshot per scenario: what its template is, so that a change of it is seen in review.

After an intended change: ``make snapshots``, and read the diff.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.repo.normaliser import normalised
from tests.templates import resources, scenarios, template

FOLDER = Path(__file__).parent / "__snapshots__" / "test_snapshots"


@pytest.fixture
def snapshot_json(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


def gone(folder: Path, keys: list[str]) -> list[str]:
    """The files in a folder that are no scenario's snapshot."""
    known = {f"test_template[{key}].json" for key in keys}
    return sorted(path.name for path in folder.glob("*") if path.name not in known)


@pytest.mark.parametrize("key", scenarios())
def test_template(key: str, snapshot_json: SnapshotAssertion) -> None:
    assert normalised(template(key)) == snapshot_json


@pytest.mark.parametrize(
    ("section", "intruder"),
    [("Resources", {"Type": "AWS::SQS::Queue"}), ("Outputs", {"Value": "x"}), ("Parameters", {"Type": "String"})],
)
def test_a_changed_template_is_another_snapshot(
    section: str, intruder: dict[str, Any], snapshot_json: SnapshotAssertion
) -> None:
    key = scenarios()[0]
    changed = template(key)
    changed.setdefault(section, {})["Intruder"] = intruder
    written = snapshot_json.extension.serialize
    assert written(normalised(template(key))) == written(normalised(template(key)))
    assert written(normalised(changed)) != written(normalised(template(key)))


def test_every_snapshot_belongs_to_a_scenario() -> None:
    assert gone(FOLDER, scenarios()) == [], "delete the snapshots of scenarios that are gone"


def test_a_snapshot_of_a_scenario_that_is_gone_is_noticed(tmp_path: Path) -> None:
    for name in ("test_template[order-queue].json", "test_template[long-gone].json", "order-queue.txt"):
        (tmp_path / name).touch()
    assert gone(tmp_path, ["order-queue"]) == ["order-queue.txt", "test_template[long-gone].json"]


@pytest.mark.parametrize("key", scenarios())
def test_no_content_hash_is_left_in_a_snapshot(key: str) -> None:
    hashes = r"\b[0-9a-f]{64}\b|Deployment[0-9A-F]{8}[0-9a-f]{32}|CurrentVersion[0-9A-F]{8}[0-9a-f]{32}"
    made = template(key)
    assert re.findall(hashes, str(normalised(made))) == []
    has_assets = bool(resources(made, "AWS::Lambda::Function"))
    assert re.findall(hashes, str(made)) or not has_assets, "without the hashes of its assets it proves nothing here"
