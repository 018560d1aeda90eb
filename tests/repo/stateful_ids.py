"""The logical ids of what holds data, pinned: with another id CloudFormation makes a new, empty one.

``python -m tests.repo.stateful_ids`` writes ``stateful_ids.json`` anew; do so for a new scenario, and otherwise only
when the data may be lost or was moved.
"""

import json
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


def current() -> Pins:
    """What all scenarios hold now."""
    return {key: stateful(template(key)) for key in scenarios()}


def pins() -> Pins:
    """What was pinned."""
    found: Pins = json.loads(PINNED.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    PINNED.write_text(json.dumps(current(), indent=2) + "\n", encoding="utf-8")
