"""What a rotation may do, decided from what Secrets Manager says; pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Source: Amazon RDS API reference, CreateDBInstance, MasterUserPassword: 8-128 printable ASCII characters without
# "/", '"', "@" and blanks. The others are left out because URLs and shells give them a meaning.
PASSWORD_LENGTH = 40
EXCLUDED = " %+~`#$&*()|[]{}:;<>?!'/@\"\\"


class RotationError(Exception):
    """This rotation must not go on. The text says why, and never a password."""


@dataclass(frozen=True)
class Credentials:
    """A secret's value as RDS and Secrets Manager write it.

    Attributes:
        host: The database's name.
        port: Its port.
        username: Whose password it is.
        password: The password; left out of ``repr``.
        dbname: The database to connect to.
    """

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    dbname: str


def parsed(text: str) -> Credentials:
    """The credentials in a secret's text.

    Raises:
        RotationError: It is not JSON, it is for another engine, or a key is missing.
    """
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        # Without a cause: JSON's own error quotes the text.
        message = "the secret is not a JSON object"
        raise RotationError(message)
    missing = [name for name in ("host", "username", "password") if not said.get(name)]
    if missing:
        message = f"the secret has no {', '.join(missing)}"
        raise RotationError(message)
    if said.get("engine", "postgres") != "postgres":
        message = f"the secret's engine must be postgres, got {said['engine']!r}"
        raise RotationError(message)
    return Credentials(
        host=said["host"],
        port=int(said.get("port", 5432)),
        username=said["username"],
        password=said["password"],
        dbname=said.get("dbname") or "postgres",
    )


def with_password(text: str, password: str) -> str:
    """The same secret with another password; whatever else it says stays."""
    return json.dumps({**json.loads(text), "password": password})


def is_done_already(metadata: Mapping[str, Any], version: str) -> bool:
    """Whether a version is current already, so that there is nothing to do for it.

    Raises:
        RotationError: Rotation is off, the version is unknown, or it is not the pending one.
    """
    # Not said is not off: it is missing until rotation has been configured for the first time, and what is asked then
    # is a test. AWS's own function reads it so, too.
    if not metadata.get("RotationEnabled", True):
        message = "rotation is not enabled for this secret"
        raise RotationError(message)
    versions: Mapping[str, Sequence[str]] = metadata.get("VersionIdsToStages") or {}
    if version not in versions:
        message = f"version {version} has no stage"
        raise RotationError(message)
    if "AWSCURRENT" in versions[version]:
        return True
    if "AWSPENDING" not in versions[version]:
        message = f"version {version} is not pending, it is {', '.join(versions[version]) or 'nothing'}"
        raise RotationError(message)
    return False


def version_at(metadata: Mapping[str, Any], stage: str) -> str | None:
    """The version that carries a stage."""
    versions: Mapping[str, Sequence[str]] = metadata.get("VersionIdsToStages") or {}
    return next((version for version, stages in versions.items() if stage in stages), None)


def same_login(pending: Credentials, other: Credentials) -> None:
    """See that a password is changed for the user and the database that it belongs to.

    Otherwise whoever may write the secret could have the function set a password of somebody else's.

    Raises:
        RotationError: User or host differ.
    """
    for name in ("username", "host"):
        asked, known = getattr(pending, name), getattr(other, name)
        if asked != known:
            message = f"the pending {name} must be the current one, {known!r}, got {asked!r}"
            raise RotationError(message)
