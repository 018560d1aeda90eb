"""A function's dependencies: one layer for those who pin the same, built when the CLI wants it and never twice."""

import shutil
import subprocess
from pathlib import Path

import aws_cdk as cdk
import pytest

from constructs_lib import BundlingError, FunctionTarget, PythonFunction
from tests.constructs.wheels import make_wheel
from tests.templates import bare_stack, only, resources, scratch, synthesized

LAMBDA, LAYER = "AWS::Lambda::Function", "AWS::Lambda::LayerVersion"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name in ("plain", "needy", "twin"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "handler.py").write_text("def handler(event, context): ...\n")
    for name in ("needy", "twin"):
        (tmp_path / name / "requirements.txt").write_text(f"lib==1.0 --hash=sha256:{'0' * 64}\n")
    return tmp_path


def test_functions_with_the_same_requirements_share_a_layer(sources: Path) -> None:
    stack = bare_stack()
    for name in ("needy", "twin", "plain"):
        PythonFunction(stack, name.capitalize(), package=name, sources=sources)
    template = synthesized(stack)
    (layer,) = resources(template, LAYER)
    used = {one["Handler"]: one.get("Layers") for one in resources(template, LAMBDA).values()}
    shared = [{"Ref": layer}]
    assert used == {"needy.handler.handler": shared, "twin.handler.handler": shared, "plain.handler.handler": None}


def test_another_target_is_another_layer(sources: Path) -> None:
    stack = bare_stack()
    PythonFunction(stack, "Arm", package="needy", sources=sources)
    PythonFunction(stack, "Intel", package="needy", sources=sources, target=FunctionTarget(architecture="x86_64"))
    layers = resources(stack, LAYER).values()
    assert sorted(one["CompatibleArchitectures"][0] for one in layers) == ["arm64", "x86_64"]


def _bundling_stack() -> cdk.Stack:
    """A stack whose assets the CLI wants built."""
    return cdk.Stack(cdk.App(outdir=str(scratch())), "Test")


def test_a_built_layer_has_the_identity_that_was_promised(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index"
    index.mkdir()
    (sources / "needy" / "requirements.txt").write_text(make_wheel(index, "lib"))
    for name, value in {"UV_FIND_LINKS": str(index), "UV_NO_INDEX": "1", "UV_CACHE_DIR": str(tmp_path / "uv")}.items():
        monkeypatch.setenv(name, value)
    target = FunctionTarget(layers_cache=tmp_path / "layers")
    keys = []
    for stack in (_bundling_stack(), bare_stack()):
        PythonFunction(stack, "Worker", package="needy", sources=sources, target=target)
        keys.append(only(stack, LAYER)["Content"]["S3Key"])
    assert keys[0] == keys[1]
    assert len(list((tmp_path / "layers").glob("*.zip"))) == 1
    # Kept: nothing is run and nothing is fetched.
    shutil.rmtree(index)
    monkeypatch.setattr(subprocess, "run", None)
    PythonFunction(_bundling_stack(), "Worker", package="needy", sources=sources, target=target)


def test_a_layer_that_cannot_be_built_stops_the_synthesis(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    target = FunctionTarget(layers_cache=tmp_path / "layers")
    with pytest.raises(BundlingError, match="needs the network once, and it cannot be reached"):
        PythonFunction(_bundling_stack(), "Worker", package="needy", sources=sources, target=target)
