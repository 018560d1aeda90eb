"""A shared file system is a folder of this machine, the same one for servers and functions.

Also read inside the emulator, so it imports the standard library alone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = "data/file-systems"
"""Below the state folder of the local cloud: where the file systems are."""


def folder_of(every: Path, file_system: str, root: str = "/") -> Path:
    """The folder of a file system, or of the part of it that an access point shows; made if it is not there.

    Args:
        every: where the file systems of the local cloud are.
        file_system: its id.
        root: the access point's root directory.
    """
    found = every / file_system / root.strip("/")
    found.mkdir(parents=True, exist_ok=True)
    return found


def root_of(efs: Any, access_point: str | None) -> str:
    """The root directory of an access point; "/" without one."""
    if not access_point:
        return "/"
    (found,) = efs.describe_access_points(AccessPointId=access_point)["AccessPoints"]
    return str(found.get("RootDirectory", {}).get("Path") or "/")


def moved(environment: Mapping[str, str], folders: Mapping[str, Path]) -> dict[str, str]:
    """The environment with every value at or below a mounted folder pointing to the folder of this machine."""
    found = dict(environment)
    for mounted, here in folders.items():
        for name, value in environment.items():
            if value == mounted or value.startswith(f"{mounted.rstrip('/')}/"):
                found[name] = f"{here}{value.removeprefix(mounted.rstrip('/'))}"
    return found
