"""What functions run on here, as uv names it: the machine that the emulator runs on."""

import platform

from localcloud.errors import LocalCloudError

# The glibc levels that `uv pip install --python-platform` knows; from 2.31 on it knows each.
_OLD_LEVELS = (28, 17)
_FIRST_CONSECUTIVE, _NEWEST = 31, 40


def wheel_platform() -> str:
    """The platform whose wheels run on this machine: ``x86_64-manylinux_2_36``, ``aarch64-apple-darwin``.

    Raises:
        LocalCloudError: Wheels for this machine cannot be chosen.
    """
    return name_platform(platform.system(), platform.machine(), platform.libc_ver())


def name_platform(system: str, machine: str, libc: tuple[str, str]) -> str:
    """The same for a machine that is described: its system, processor and C library (name, version)."""
    processor = {"arm64": "aarch64", "amd64": "x86_64"}.get(machine.lower(), machine.lower())
    if system == "Darwin":
        return f"{processor}-apple-darwin"
    name, version = libc
    if system != "Linux" or name != "glibc":
        raise LocalCloudError(f"functions run on Linux with glibc or on macOS, but this is {system} with {name or '?'}")
    minor = int(version.split(".")[1])
    levels = (min(minor, _NEWEST),) if minor >= _FIRST_CONSECUTIVE else tuple(x for x in _OLD_LEVELS if x <= minor)
    if not levels:
        raise LocalCloudError(f"functions need glibc 2.17 or newer, but this machine has {version}")
    return f"{processor}-manylinux_2_{levels[0]}"
