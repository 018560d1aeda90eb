"""The library as others get it: built, installed where nothing of this checkout is, and used from another folder."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from constructs_lib import PythonFunction
from tests.templates import ROOT, bare_stack, only

PROGRAM = """
import json, sys
from pathlib import Path
import aws_cdk as cdk
import constructs_lib
from constructs_lib import PythonFunction

app = cdk.App(outdir="cdk.out", context={"aws:cdk:bundling-stacks": []})
stack = cdk.Stack(app, "Theirs")
PythonFunction(stack, "Worker", package="order_worker")
template = app.synth().get_stack_by_name("Theirs").template
functions = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
(code,) = [one["Code"] for one in functions]
asset = Path("cdk.out", "asset." + code["S3Key"].removesuffix(".zip"))
print(json.dumps({
    "from": str(Path(constructs_lib.__file__).resolve()),
    "key": code["S3Key"],
    "asset": sorted(str(path.relative_to(asset)) for path in asset.rglob("*") if path.is_file()),
    "checkout": [path for path in sys.path if Path(path, "stacks", "catalog.py").exists()],
}))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel and the source archive, built by the pinned backend without a network."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


@pytest.fixture(scope="module")
def installed(built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, and what the wheel depends on from this environment."""
    home = tmp_path_factory.mktemp("theirs")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    install = ["pip", "install", "--quiet", "--offline", "--no-deps", "--python", str(python), str(built["wheel"])]
    subprocess.run([sys.executable, "-m", "uv", *install], check=True)
    (theirs,) = home.glob("lib/python*/site-packages")
    (theirs / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def _names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_has_all_that_the_library_needs(built: dict[str, Path]) -> None:
    names = _names(built["wheel"])
    library = {path.relative_to(ROOT).as_posix() for path in (ROOT / "constructs_lib").rglob("*.py")}
    sources = {f"constructs_lib/{path.relative_to(ROOT).as_posix()}" for path in _sources()}
    assert {*library, *sources, "constructs_lib/py.typed"} <= names


def test_the_wheel_has_nothing_else(built: dict[str, Path]) -> None:
    names = _names(built["wheel"])
    assert {name.split("/")[0].split("-")[0] for name in names} == {"constructs_lib", "classic_aws_architectures"}
    assert [name for name in names if "__pycache__" in name or name.endswith(".pyc")] == []


def test_the_wheel_says_what_it_needs_and_may(built: dict[str, Path]) -> None:
    with zipfile.ZipFile(built["wheel"]) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        text = archive.read(metadata).decode()
        licenses = [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]
    for line in ("License-Expression: Apache-2.0", "Requires-Python: >=3.11", "Requires-Dist: aws-cdk-lib"):
        assert f"\n{line}" in text
    assert "Requires-Dist: boto3" not in text
    assert licenses


def test_the_source_archive_builds_the_same_wheel(built: dict[str, Path], tmp_path: Path) -> None:
    with tarfile.open(built["sdist"]) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=unpacked, check=True)
    (again,) = tmp_path.glob("*.whl")
    assert _names(again) == _names(built["wheel"])
    assert not (unpacked / "tests").exists()


def test_it_works_from_another_folder(installed: Path, tmp_path: Path) -> None:
    """And gives a function the same hash as here, so that a deployment changes with the library's sources alone."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [installed, "-I", "-c", PROGRAM], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["checkout"] == []
    assert Path(found["from"]).is_relative_to(installed.parent.parent.resolve())
    worker = ROOT / "lambda_src" / "order_worker"
    assert found["asset"] == sorted(f"order_worker/{path.name}" for path in worker.glob("*.py"))
    stack = bare_stack()
    PythonFunction(stack, "Worker", package="order_worker")
    assert found["key"] == only(stack, "AWS::Lambda::Function")["Code"]["S3Key"]


def _sources() -> list[Path]:
    found = (ROOT / "lambda_src").rglob("*")
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"]
