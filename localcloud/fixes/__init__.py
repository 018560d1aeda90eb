"""Fixes for gaps of the pinned emulator: one small module and one smoke test each. Runs inside the emulator.

A module states in its docstring what the emulator does without it and defines `apply()`. Its test in
tests/localcloud/test_fix_<name>.py proves the behaviour.
"""

import importlib
import pkgutil


def apply_all() -> list[str]:
    """Apply every fix of this package, in the order of their names; the names."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    for name in names:
        importlib.import_module(f"{__name__}.{name}").apply()
    return names
