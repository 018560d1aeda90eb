"""What a rotation may do, and what a secret must look like for that."""

import json
from typing import Any

import pytest

from database_rotation import rules
from database_rotation.rules import Credentials, RotationError

WHOLE = {"engine": "postgres", "host": "db", "port": 5433, "username": "u", "password": "p", "dbname": "customers"}


def test_a_secret_as_rds_writes_it() -> None:
    assert rules.parsed(json.dumps(WHOLE)) == Credentials("db", 5433, "u", "p", "customers")


def test_port_and_database_have_the_engines_defaults() -> None:
    said = {name: WHOLE[name] for name in ("host", "username", "password")}
    assert rules.parsed(json.dumps(said)) == Credentials("db", 5432, "u", "p", "postgres")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("p", "not a JSON object"),
        ('["p"]', "not a JSON object"),
        ("{}", "has no host, username, password"),
        (json.dumps({**WHOLE, "password": ""}), "has no password"),
        (json.dumps({**WHOLE, "engine": "mysql"}), "engine must be postgres, got 'mysql'"),
    ],
)
def test_another_secret_is_refused(text: str, says: str) -> None:
    with pytest.raises(RotationError, match=says):
        rules.parsed(text)


def test_a_new_password_changes_nothing_else() -> None:
    assert json.loads(rules.with_password(json.dumps(WHOLE), "q")) == {**WHOLE, "password": "q"}


@pytest.mark.parametrize(
    ("stages", "done"), [(["AWSPENDING"], False), (["AWSCURRENT"], True), (["AWSCURRENT", "AWSPENDING"], True)]
)
def test_a_version_is_done_when_it_is_current(stages: list[str], done: bool) -> None:
    metadata = {"RotationEnabled": True, "VersionIdsToStages": {"v": stages}}
    assert rules.is_done_already(metadata, "v") is done


def test_a_test_before_the_first_rotation_is_done() -> None:
    """Until rotation is configured DescribeSecret says nothing of it."""
    assert rules.is_done_already({"VersionIdsToStages": {"v": ["AWSPENDING"]}}, "v") is False


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"RotationEnabled": False, "VersionIdsToStages": {"v": ["AWSPENDING"]}}, "rotation is not enabled"),
        ({"RotationEnabled": True}, "version v has no stage"),
        ({"RotationEnabled": True, "VersionIdsToStages": {"v": []}}, "not pending, it is nothing"),
        ({"RotationEnabled": True, "VersionIdsToStages": {"v": ["AWSPREVIOUS"]}}, "not pending, it is AWSPREVIOUS"),
    ],
)
def test_another_version_is_refused(metadata: dict[str, Any], says: str) -> None:
    with pytest.raises(RotationError, match=says):
        rules.is_done_already(metadata, "v")


def test_the_version_at_a_stage() -> None:
    metadata = {"VersionIdsToStages": {"a": ["AWSPREVIOUS"], "b": ["AWSCURRENT"]}}
    assert rules.version_at(metadata, "AWSCURRENT") == "b"
    assert rules.version_at(metadata, "AWSPENDING") is None
    assert rules.version_at({}, "AWSCURRENT") is None
