"""Templates are reproducible, readable in a diff, and change with their sources alone."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from constructs_lib import PythonFunction, _assets, python_function
from tests.repo.normaliser import normalised
from tests.templates import ROOT, Template, bare_stack, resources, scenario_app, synthesized, template


def _of(sources: Path) -> Template:
    stack = bare_stack()
    for name in ("first", "second"):
        PythonFunction(stack, name.capitalize(), package=name, sources=sources)
    return synthesized(stack)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "handler.py").write_text(f"def handler(event, context): return '{name}'\n")
        (tmp_path / name / "requirements.txt").write_text(f"{name}==1.0 --hash=sha256:{'0' * 64}\n")
    return tmp_path


def _keys(source: Template) -> dict[str, Any]:
    functions = resources(source, "AWS::Lambda::Function")
    layers = resources(source, "AWS::Lambda::LayerVersion")
    return {
        **{one["Handler"]: one["Code"]["S3Key"] for one in functions.values()},
        **{one["Description"]: one["Content"]["S3Key"] for one in layers.values()},
    }


def _differing(before: Template, after: Template) -> list[str]:
    return sorted(name for name, key in _keys(before).items() if _keys(after)[name] != key)


def test_an_edited_function_changes_one_hash_and_no_snapshot(sources: Path) -> None:
    before = _of(sources)
    (sources / "first" / "handler.py").write_text("def handler(event, context): return 'edited'\n")
    after = _of(sources)
    assert _differing(before, after) == ["first.handler.handler"]
    assert before != after
    assert normalised(before) == normalised(after)


def test_other_requirements_change_one_layer_and_no_snapshot(sources: Path) -> None:
    before = _of(sources)
    (sources / "second" / "requirements.txt").write_text(f"second==2.0 --hash=sha256:{'1' * 64}\n")
    after = _of(sources)
    assert _differing(before, after) == ["Dependencies pinned in second/requirements.txt"]
    assert normalised(before) == normalised(after)
    assert "DependencyLayers<second>" in normalised(after)["Resources"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("Type",), "AWS::SQS::Queue"),
        (("Properties", "Timeout"), 31),
        (("Properties", "Role"), {"Ref": "Another"}),
        (("Properties", "Handler"), "first.handler.other"),
    ],
)
def test_any_other_change_is_seen(path: tuple[str, ...], value: object, sources: Path) -> None:
    before, after = _of(sources), _of(sources)
    node = next(one for one in after["Resources"].values() if one["Type"] == "AWS::Lambda::Function")
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    assert normalised(before) != normalised(after)


def test_a_changed_deployment_is_the_same_snapshot() -> None:
    first = template("order-queue")
    (deployment,) = resources(first, "AWS::ApiGateway::Deployment")
    other = json.loads(json.dumps(first).replace(deployment, re.sub("[0-9a-f]{32}$", "f" * 32, deployment)))
    assert first != other
    assert normalised(first) == normalised(other)


def test_normalising_leaves_its_input_alone() -> None:
    first = template("order-queue")
    normalised(first)
    assert first == template("order-queue")


def test_a_scenario_is_the_same_twice() -> None:
    again = scenario_app("order-queue").synth().get_stack_by_name("OrderQueue").template
    assert again == template("order-queue")


def test_editing_one_function_of_the_house_changes_one_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another folder, with other time stamps; and with one line more."""
    copied = tmp_path / "lambda_src"
    shutil.copytree(ROOT / "lambda_src", copied, copy_function=shutil.copyfile)
    for module in (_assets, python_function):
        monkeypatch.setattr(module, "SOURCES", copied)
    elsewhere = scenario_app("order-queue").synth().get_stack_by_name("OrderQueue").template
    assert elsewhere == template("order-queue")
    with (copied / "order_worker" / "rules.py").open("a") as rules:
        rules.write("# edited\n")
    edited = scenario_app("order-queue").synth().get_stack_by_name("OrderQueue").template
    assert _differing(elsewhere, edited) == ["order_worker.handler.handler"]
    assert normalised(elsewhere) == normalised(edited)
