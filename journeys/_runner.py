"""Finds journeys and runs them."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from journeys._results import Resources, ScenarioResult, judge
from journeys._world import World

_FOLDER = Path(__file__).parent


class UnknownJourneyError(ValueError):
    """There is no journey of that name. The text lists those that there are."""


class BrokenJourneyError(ValueError):
    """A journey's module is not as a journey's module must be."""


@dataclass(frozen=True)
class Journey:
    """One scenario's journey.

    Attributes:
        key: The scenario, ``order-queue``.
        reads: The outputs of the stack that it works with.
        run: The journey itself.
    """

    key: str
    reads: tuple[str, ...]
    run: Callable[[World], None]


def stack_id(key: str) -> str:
    """The stack of a scenario: ``order-queue`` is ``OrderQueue``."""
    return "".join(part.capitalize() for part in key.split("-"))


def discover(folder: Path = _FOLDER) -> list[str]:
    """The keys of all journeys, sorted: a journey exists by being a module of this package."""
    return sorted(file.stem.replace("_", "-") for file in folder.glob("[!_]*.py"))


def select(names: Iterable[str], known: Iterable[str] | None = None) -> list[str]:
    """The keys for names as people write them: keys, stack ids, or ``all``. Each once, in the order given.

    Raises:
        UnknownJourneyError: Lists the known ones.
    """
    keys = discover() if known is None else list(known)
    by_name = {stack_id(key): key for key in keys} | {key: key for key in keys}
    chosen: dict[str, None] = {}
    for name in names:
        if name == "all":
            chosen.update(dict.fromkeys(keys))
        elif name in by_name:
            chosen[by_name[name]] = None
        else:
            message = f"there is no journey {name!r}; there are {', '.join((*keys, 'all'))}"
            raise UnknownJourneyError(message)
    return list(chosen)


def load(key: str, *, package: str = "journeys") -> Journey:
    """Import one journey.

    Raises:
        UnknownJourneyError: There is none. Lists those that there are.
        BrokenJourneyError: Its ``READS`` or ``run`` is missing or wrong. Names the module.
    """
    home = import_module(package)
    known = discover(Path(str(home.__file__)).parent)
    if key not in known:
        message = f"there is no journey {key!r}; there are {', '.join(known) or 'none'}"
        raise UnknownJourneyError(message)
    name = f"{package}.{key.replace('-', '_')}"
    module = import_module(name)
    reads, run = getattr(module, "READS", None), getattr(module, "run", None)
    # A lone text would be taken for a tuple of letters.
    if not isinstance(reads, tuple) or not all(isinstance(output, str) for output in reads):
        message = f'{name}: READS must be a tuple of output names such as ("QueueUrl",), got {reads!r}'
        raise BrokenJourneyError(message)
    if not callable(run):
        message = f"{name}: must define run(world)"
        raise BrokenJourneyError(message)
    return Journey(key, reads, run)


def run_journey(
    key: str,
    world: World,
    *,
    resources: Resources | None = None,
    journey: Journey | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> ScenarioResult:
    """Run a journey in its world, clean up after it, and say what it proved.

    What goes wrong in the journey is in the result, not raised; only Ctrl-C and the like pass through, after clean-up.

    Args:
        key: The scenario.
        world: Its deployed stack. It is used up: another run needs another one.
        resources: What was deployed, for the report.
        journey: What to run; left out: the journey of that key.
        clock: Seconds that only go forward.

    Raises:
        UnknownJourneyError: There is no journey of that key.
        BrokenJourneyError: The module is not a journey.
    """
    chosen = journey or load(key)
    started = clock()
    world.progress.heading(key, world.place)
    try:
        missing = [name for name in chosen.reads if name not in world.out]
        if missing:
            known = ", ".join(sorted(world.out)) or "no output at all"
            world.steps.failed(
                "the stack has the outputs that the journey reads",
                f"{stack_id(key)} has no output {', '.join(missing)}; it has {known}",
            )
        else:
            with world.steps.guard("outside a step"):
                chosen.run(world)
            if not world.steps.results:
                world.steps.failed("the journey proves something", f"the journey {key} ran no step")
    finally:
        world.clean_up()
    steps = world.steps.results
    return ScenarioResult(key, judge(steps), clock() - started, steps, resources or Resources())
