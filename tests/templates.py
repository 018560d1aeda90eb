"""Templates for tests: each scenario synthesized once per state of the sources, and small stacks for constructs."""

import atexit
import copy
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk

import app
from stacks import catalog
from stacks.scenario import stack_id

Template = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
# No stack needs its assets built: layers are skipped, their hashes are the same, and nothing needs the network.
NO_BUNDLING: Mapping[str, Any] = {"aws:cdk:bundling-stacks": []}
_INPUTS = ("app.py", "cdk.json", "requirements.txt", "constructs_lib", "stacks", "lambda_src", "container_src")
_KEPT = ROOT / "build" / "templates"
_DAY = 24 * 3600


def scenarios() -> list[str]:
    """The keys of all scenarios."""
    return catalog.keys()


def flags() -> dict[str, Any]:
    """The feature flags that cdk.json pins."""
    return cast("dict[str, Any]", json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"])


def scenario_app(key: str, *, outdir: Path | None = None, **context: str) -> cdk.App:
    """The app of one scenario as ``cdk synth`` builds it, not synthesized yet."""
    known = {**flags(), **NO_BUNDLING, "scenario": key, **context}
    return app.build(cdk.App(context=known, outdir=str(outdir or scratch())))


def template(key: str) -> Template:
    """A scenario's template, from this run, an earlier one of the same sources, or synthesized now; yours to change."""
    return cast("Template", json.loads(_template_text(key)))


@cache
def _template_text(key: str) -> str:
    return kept(f"{key}.json", lambda: _synthesized_text(key))


def _synthesized_text(key: str) -> str:
    outdir = scratch()
    scenario_app(key, outdir=outdir).synth()
    return (outdir / f"{stack_id(key)}.template.json").read_text(encoding="utf-8")


def kept(name: str, make: Callable[[], str]) -> str:
    """A text that depends on the sources alone: from this run, an earlier one of the same sources, or made now.

    Args:
        name: Its file's; a text that depends on something else too has that in its name.
        make: Makes it.
    """
    file = _KEPT / _state() / name
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        # Written aside and renamed: another worker may look for it at this moment.
        aside = file.with_suffix(f".{scratch().name}")
        aside.write_text(make(), encoding="utf-8")
        aside.replace(file)
    return file.read_text(encoding="utf-8")


@cache
def tool(name: str, asked_in: str) -> str:
    """Names a tool's version and the file that asks it: a part of the name of a text that depends on them."""
    return hashlib.sha256(version(name).encode() + Path(asked_in).read_bytes()).hexdigest()[:8]


@cache
def _state() -> str:
    """Names what the templates depend on: the sources, and the CDK that reads them."""
    digest = hashlib.sha256(version("aws-cdk-lib").encode())
    for path in sorted(_inputs()):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    for old in _KEPT.glob("*"):
        if time.time() - old.stat().st_mtime > _DAY:
            shutil.rmtree(old, ignore_errors=True)
    return digest.hexdigest()[:16]


def _inputs() -> Iterator[Path]:
    for name in _INPUTS:
        root = ROOT / name
        found = root.rglob("*") if root.is_dir() else [root]
        yield from (path for path in found if path.is_file() and "__pycache__" not in path.parts)


def bare_stack(construct_id: str = "Test", *, env: cdk.Environment | None = None, **context: Any) -> cdk.Stack:
    """A stack in an app without any feature flag, as an importer of the library may have.

    Without flags what the CDK's own validation finds is a warning that nobody reads, and takes half of the time; it
    looks at the scenarios' templates.
    """
    app = cdk.App(context={**NO_BUNDLING, **context}, outdir=str(scratch()), builtin_cloud_formation_validation=False)
    return cdk.Stack(app, construct_id, env=env)


def synthesized(stack: cdk.Stack) -> Template:
    """The template of a stack as it is now; it may be changed and synthesized again."""
    stage = cdk.Stage.of(stack)
    assert stage is not None
    return cast("Template", stage.synth(force=True).get_stack_artifact(stack.artifact_id).template)


def resources(source: Template | cdk.Stack, resource_type: str) -> dict[str, dict[str, Any]]:
    """Logical id -> properties of all resources of a type."""
    found = synthesized(source) if isinstance(source, cdk.Stack) else source
    return {
        logical_id: resource.get("Properties", {})
        for logical_id, resource in found.get("Resources", {}).items()
        if resource["Type"] == resource_type
    }


def only(source: Template | cdk.Stack, resource_type: str) -> dict[str, Any]:
    """The properties of the one resource of a type."""
    found = resources(source, resource_type)
    assert len(found) == 1, f"{resource_type}: expected one, found {sorted(found)}"
    return next(iter(found.values()))


def mutated(made: Template, resource_type: str, path: Sequence[str | int], value: Any) -> Template:
    """A copy in which all resources of a type have another value at a path: for the twins of assertions."""
    mutant = copy.deepcopy(made)
    for properties in resources(mutant, resource_type).values():
        spot: Any = properties
        for step in path[:-1]:
            spot = spot[step]
        spot[path[-1]] = value
    return mutant


def scratch() -> Path:
    """A new folder that is gone when the process ends."""
    return Path(tempfile.mkdtemp(dir=_scratch_root()))


@cache
def _scratch_root() -> Path:
    root = Path(tempfile.mkdtemp(prefix="templates-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return root
