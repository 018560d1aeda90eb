"""The logical ids of what holds data, pinned: with another id CloudFormation makes a new, empty one.

``python -m tests.repo.stateful_ids <key> ...`` pins these scenarios in ``stateful_ids.json`` as they are now, without a
key all; do so for a new scenario, and otherwise only when the data may be lost or was moved.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.templates import Template, scenarios, template

PINNED = Path(__file__).with_suffix(".json")
STATEFUL = {
    "AWS::Cognito::UserPool",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::EFS::FileSystem",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::OpenSearchService::Domain",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
}

Pins = dict[str, dict[str, str]]


def stateful(source: Template) -> dict[str, str]:
    """Logical id -> type of what holds data in a template."""
    found = {name: str(resource["Type"]) for name, resource in source.get("Resources", {}).items()}
    return {name: kind for name, kind in sorted(found.items()) if kind in STATEFUL}


def drifted(pinned: Pins, now: Pins) -> list[str]:
    """One sentence per id that is not as pinned."""
    offences = []
    for key in sorted(pinned.keys() | now.keys()):
        before, after = pinned.get(key, {}), now.get(key, {})
        offences += [
            f"{key}: {before[name]} {name} is gone: it would be deleted, and its data with it"
            for name in sorted(before.keys() - after.keys())
        ]
        offences += [f"{key}: {after[name]} {name} is not pinned" for name in sorted(after.keys() - before.keys())]
    return offences


def current(keys: Iterable[str] = ()) -> Pins:
    """What these scenarios hold now, or all."""
    return {key: stateful(template(key)) for key in list(keys) or scenarios()}


def pins() -> Pins:
    """What was pinned."""
    found: Pins = json.loads(PINNED.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    kept = {key: ids for key, ids in pins().items() if key in scenarios()}
    PINNED.write_text(json.dumps(kept | current(sys.argv[1:]), indent=2, sort_keys=True) + "\n", encoding="utf-8")
