"""Finds the scenarios: a module in this folder that ends with ``SCENARIO = Scenario(...)`` is one."""

import importlib
from collections.abc import Iterable
from pathlib import Path

from stacks.scenario import Scenario, stack_id

_HOUSE = {"__init__", "catalog", "scenario", "settings"}


class UnknownScenarioError(ValueError):
    """A name that is no scenario; the message lists those there are."""


def keys() -> list[str]:
    """The keys of all scenarios, without importing one."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    return [name.replace("_", "-") for name in modules if name not in _HOUSE and not name.startswith("_")]


def resolve(names: Iterable[str]) -> list[str]:
    """The keys of what was named by key, module or stack id, in the order given, each once.

    Raises:
        UnknownScenarioError: A name is none of them.
    """
    known = keys()
    by_name = {alias: key for key in known for alias in (key, key.replace("-", "_"), stack_id(key))}
    wanted = list(names)
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        listed = ", ".join(f"{key} ({stack_id(key)})" for key in known)
        raise UnknownScenarioError(f"scenario: no such scenario {', '.join(map(repr, unknown))}; there are: {listed}")
    return list(dict.fromkeys(by_name[name] for name in wanted))


def load(names: Iterable[str] = ()) -> list[Scenario]:
    """Import the named scenarios, or all of them when none is named; only what is asked for is imported.

    Raises:
        UnknownScenarioError: A name is no scenario.
        TypeError: A module in this folder registers no scenario, or one of another name.
    """
    return [_load(key) for key in resolve(names) or keys()]


def _load(key: str) -> Scenario:
    module = importlib.import_module(f"stacks.{key.replace('-', '_')}")
    scenario = getattr(module, "SCENARIO", None)
    if not isinstance(scenario, Scenario) or scenario.key != key:
        raise TypeError(f"stacks/{key.replace('-', '_')}.py: must end with SCENARIO = Scenario(key={key!r}, ...)")
    if getattr(scenario.stack, "__name__", "") != scenario.stack_id:
        raise TypeError(f"{key}: its stack's class must be named {scenario.stack_id}, got {scenario.stack!r}")
    return scenario
