"""A function's asset holds that function alone, and its hash says what is in it and nothing else."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import Stage
from aws_cdk import aws_lambda as lambda_

from constructs_lib._assets import SOURCES, check_handler, function_code, source_folder, source_hash
from tests.templates import ROOT, bare_stack, only


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name in ("worker", "other"):
        package = tmp_path / name
        (package / "parts").mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "handler.py").write_text("def handler(event, context): ...\n")
        (package / "parts" / "__init__.py").touch()
        (package / "parts" / "first.py").write_text("first = 1\n")
        (package / "data.json").write_text("{}")
        (package / "requirements.in").write_text("pydantic")
        (package / "requirements.txt").write_text("pydantic==2")
        (package / "__pycache__").mkdir()
        (package / "__pycache__" / "handler.cpython-313.pyc").write_bytes(b"x")
    (tmp_path / "README.md").write_text("beside the packages")
    return tmp_path


def test_the_sources_lie_beside_the_library() -> None:
    assert SOURCES == ROOT / "lambda_src"


def test_the_asset_holds_one_package_and_no_requirements(sources: Path) -> None:
    stack = bare_stack()
    lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="worker.handler.handler",
        code=function_code(sources, "worker"),
    )
    key = only(stack, "AWS::Lambda::Function")["Code"]["S3Key"].removesuffix(".zip")
    stage = Stage.of(stack)
    assert stage is not None
    asset = Path(stage.outdir, f"asset.{key}")
    assert sorted(path.relative_to(asset).as_posix() for path in asset.rglob("*") if path.is_file()) == [
        "worker/__init__.py",
        "worker/data.json",
        "worker/handler.py",
        "worker/parts/__init__.py",
        "worker/parts/first.py",
    ]


def _touch(package: Path) -> None:
    os.utime(package / "handler.py", (0, 0))


def _copy(package: Path) -> None:
    moved = package.with_name("moved")
    shutil.copytree(package, moved, copy_function=shutil.copyfile)
    shutil.rmtree(package)
    moved.rename(package)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_touch, id="time stamps"),
        pytest.param(_copy, id="another checkout"),
        pytest.param(lambda package: (package / "__pycache__" / "rules.pyc").write_bytes(b"y"), id="bytecode"),
        pytest.param(lambda package: (package / "requirements.txt").write_text("pydantic==3"), id="requirements"),
        pytest.param(lambda package: (package / "requirements.in").unlink(), id="what requirements come from"),
        pytest.param(
            lambda package: (package.parent / "other" / "handler.py").write_text("pass"), id="another package"
        ),
        pytest.param(lambda package: (package / "empty").mkdir(), id="an empty folder"),
    ],
)
def test_the_hash_stays(change: Callable[[Path], object], sources: Path) -> None:
    before = source_hash(sources / "worker")
    change(sources / "worker")
    assert source_hash(sources / "worker") == before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda package: (package / "handler.py").write_text("pass"), id="content"),
        pytest.param(lambda package: (package / "parts" / "first.py").write_text("first = 2\n"), id="content below"),
        pytest.param(lambda package: (package / "data.json").write_text("[]"), id="data"),
        pytest.param(lambda package: (package / "handler.py").rename(package / "main.py"), id="name"),
        pytest.param(lambda package: (package / "parts" / "first.py").rename(package / "first.py"), id="place"),
        pytest.param(lambda package: (package / "new.py").touch(), id="an empty module"),
        pytest.param(lambda package: (package / "data.json").unlink(), id="one less"),
    ],
)
def test_the_hash_changes(change: Callable[[Path], object], sources: Path) -> None:
    before = source_hash(sources / "worker")
    change(sources / "worker")
    assert source_hash(sources / "worker") != before


def test_two_packages_of_the_same_content_are_two_assets(sources: Path) -> None:
    """They would share one, and the handler of the second would not be in it."""
    assert source_hash(sources / "worker") != source_hash(sources / "other")


@pytest.mark.parametrize("package", ["nothing", "", ".", "worker/parts", "../worker", "README.md", "not-a-name"])
def test_what_is_no_package_is_refused(package: str, sources: Path) -> None:
    message = f"package: must be a Python package in {sources}, got {package!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        source_folder(sources, package)


def test_a_folder_without_init_is_refused(sources: Path) -> None:
    (sources / "worker" / "__init__.py").unlink()
    with pytest.raises(ValueError, match=r"package: must be a Python package in .*, got 'worker'"):
        source_folder(sources, "worker")


@pytest.mark.parametrize("handler", ["handler.handler", "parts.first.run"])
def test_a_handler_that_is_there_passes(handler: str, sources: Path) -> None:
    check_handler(sources, "worker", handler)


@pytest.mark.parametrize(
    "handler", ["handler", "main.handler", "handler.", ".handler", "handler.a-b", "parts.handler.x", ""]
)
def test_a_handler_that_is_not_is_refused(handler: str, sources: Path) -> None:
    message = f'handler: must be "module.function" of a module in worker, got {handler!r}'
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_handler(sources, "worker", handler)
