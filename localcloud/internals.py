"""The emulator's private names that this package leans on, each checked at start. Runs inside the emulator."""

import importlib
import importlib.metadata
from types import ModuleType

EMULATOR = "ministack"
VERSION = "1.5.33"
"""The version that requirements.txt pins; the registry and the fixes were written against it."""


class EmulatorMismatchError(Exception):
    """The installed emulator is not the one that this package was written for."""


def check_version() -> None:
    """Raise EmulatorMismatchError unless the pinned version is the one installed."""
    found = importlib.metadata.version(EMULATOR)
    if found != VERSION:
        raise EmulatorMismatchError(
            f"the emulator {EMULATOR} is {found}, but the local cloud was written for {VERSION}: run make setup"
        )


def need(module: str, *names: str) -> ModuleType:
    """The emulator's module `ministack.<module>`, which must have every one of `names`.

    Raises:
        EmulatorMismatchError: the module or a name is gone, so what leans on it would silently do nothing.
    """
    full = f"{EMULATOR}.{module}"
    try:
        found = importlib.import_module(full)
    except ModuleNotFoundError as gone:
        raise EmulatorMismatchError(f"the emulator has no module {full} any more ({VERSION} had)") from gone
    missing = [name for name in names if not hasattr(found, name)]
    if missing:
        raise EmulatorMismatchError(f"{full} has no {', '.join(missing)} any more ({VERSION} had)")
    return found
