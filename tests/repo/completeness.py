"""What belongs to a scenario, all under one stem; one sentence for each part that is missing or left over."""

import json
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from tests.templates import Template, resources

_HOUSE = {"__init__", "catalog", "scenario", "settings"}


def missing_parts(root: Path, key: str, template: Template) -> list[str]:
    """What a scenario of this key and template lacks in a checkout."""
    stem = key.replace("-", "_")
    wanted = [f"stacks/{stem}.py", f"journeys/{stem}.py", f"tests/stacks/test_{stem}.py"]
    said = [f"{key}: {path} is missing" for path in wanted if not (root / path).is_file()]
    said += [
        f"{key}: tests/functions/test_{package}*.py is missing"
        for package in sorted(packages(template))
        if not list(root.glob(f"tests/functions/test_{package}*.py"))
    ]
    said += [
        f"{key}: tests/servers/test_{package}*.py is missing"
        for package in sorted(servers(template))
        if not list(root.glob(f"tests/servers/test_{package}*.py"))
    ]
    outputs = template.get("Outputs", {})
    reads = journey_reads(root / f"journeys/{stem}.py")
    unknown = [name for name in reads if name not in outputs]
    return said + [f"{key}: its journey reads {name}, which is no output of its stack" for name in unknown]


def left_over(root: Path, keys: list[str], used: set[str]) -> list[str]:
    """Journeys, stack tests, functions and servers that belong to no scenario."""
    stems = {key.replace("-", "_") for key in keys}
    # One of all stacks that have servers, beside the one of all snapshots.
    house = {"test_snapshots", "test_servers_and_their_stacks", *(f"test_{name}" for name in _HOUSE)}
    journeys = [one.name for one in _modules(root / "journeys") if one.stem not in stems]
    said = [f"journeys/{name} belongs to no scenario" for name in journeys]
    said += [
        f"tests/stacks/{one.name} belongs to no scenario"
        for one in _modules(root / "tests" / "stacks")
        if one.stem.startswith("test_") and one.stem not in house and not _is_of_one(one.stem, stems)
    ]
    functions = {path.parent.name for path in root.glob("lambda_src/*/__init__.py")}
    said += [f"lambda_src/{name} is used by no scenario" for name in sorted(functions - used)]
    started = {path.parent.name for path in root.glob("container_src/*/__main__.py")}
    return said + [f"container_src/{name} is used by no scenario" for name in sorted(started - used)]


def _is_of_one(test: str, stems: set[str]) -> bool:
    """Whether it is a scenario's, which may have several: test_order_queue, test_order_queue_alone."""
    return any(f"{test}_".startswith(f"test_{stem}_") for stem in stems)


def _modules(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_") and path.stem != "conftest"]


def packages(template: Template) -> set[str]:
    """The packages of lambda_src whose functions a template has."""
    handlers = [str(one.get("Handler", "")) for one in resources(template, "AWS::Lambda::Function").values()]
    return {handler.split(".")[0] for handler in handlers if re.fullmatch(r"\w+\.\w+\.\w+", handler)}


def servers(template: Template) -> set[str]:
    """The packages of container_src that a template runs: as containers, or by the user data of instances."""
    tasks = resources(template, "AWS::ECS::TaskDefinition").values()
    containers = {str(one["Name"]) for task in tasks for one in task.get("ContainerDefinitions", [])}
    scripts = json.dumps(list(resources(template, "AWS::EC2::LaunchTemplate").values()))
    return containers | set(re.findall(r"ExecStart=\S*python\S* -m (\w+)", scripts))


def journey_reads(journey: Path) -> tuple[str, ...]:
    """``READS`` of a journey; none when there is no journey."""
    spec = spec_from_file_location(f"reads_of_{journey.stem}", journey)
    if not journey.is_file() or spec is None or spec.loader is None:
        return ()
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    reads = getattr(module, "READS", None)
    if not isinstance(reads, tuple):
        raise AssertionError(f"{journey.name}: must say what it READS of its stack's outputs, as a tuple")  # noqa: TRY004
    return reads
