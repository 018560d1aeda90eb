"""A dependency layer: one identity for one content, built by the real uv from wheels at hand, kept, reproducible."""

import os
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from constructs_lib import BundlingError, FunctionTarget, _layers
from constructs_lib._layers import layer_key, layer_zip
from tests.constructs.wheels import make_wheel

HASHED = "pydantic==2.14.3 --hash=sha256:abc\npillow==12.0.0 --hash=sha256:def\n"


@pytest.fixture
def target(tmp_path: Path) -> FunctionTarget:
    return FunctionTarget(layers_cache=tmp_path / "layers")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all uv can reach."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name, value in {
        "UV_FIND_LINKS": str(folder),
        "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "UV_CACHE_DIR": str(tmp_path / "uv"),
    }.items():
        monkeypatch.setenv(name, value)
    return folder


def _pin(folder: Path, *lines: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(lines))
    return requirements


def _no_subprocess(*args: object, **kwargs: object) -> None:
    raise AssertionError("nothing may be run")


# Identity


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(HASHED.replace("\n", "\r\n"), id="line ends of another system"),
        pytest.param(f"# made by uv\n\n{HASHED}    # via powertools\n", id="comments"),
    ],
)
def test_the_same_requirements_are_the_same_layer(text: str, target: FunctionTarget, tmp_path: Path) -> None:
    here = _pin(tmp_path / "here", HASHED)
    there = tmp_path / "there" / "requirements.txt"
    there.parent.mkdir()
    there.write_bytes(text.encode())
    os.utime(there, (0, 0))
    assert layer_key(here, target) == layer_key(there, replace(target, layers_cache=None))


@pytest.mark.parametrize(
    ("text", "change"),
    [
        pytest.param(HASHED.replace("2.14.3", "2.14.4"), {}, id="version"),
        pytest.param(HASHED.replace("abc", "abd"), {}, id="hash"),
        pytest.param(HASHED.splitlines()[0], {}, id="one less"),
        pytest.param(HASHED, {"python": "3.12"}, id="python"),
        pytest.param(HASHED, {"architecture": "x86_64"}, id="architecture"),
        pytest.param(HASHED, {"platform": "aarch64-manylinux_2_28"}, id="platform"),
    ],
)
def test_anything_else_is_another_layer(
    text: str, change: dict[str, Any], target: FunctionTarget, tmp_path: Path
) -> None:
    one, other = _pin(tmp_path / "one", HASHED), _pin(tmp_path / "other", text)
    assert layer_key(one, target) != layer_key(other, replace(target, **change))


# Building, with the real uv


FILES = {
    "lib/__init__.py": "x = 1\n",
    # Only the scripts that uv makes are left out, not a package's own folder of that name.
    "lib/bin/__init__.py": "y = 2\n",
    "lib/native.cpython-313-aarch64-linux-gnu.so": "ELF",
}


def test_a_layer_holds_the_packages_under_python(index: Path, target: FunctionTarget, tmp_path: Path) -> None:
    built = layer_zip(_pin(tmp_path / "worker", make_wheel(index, "lib", files=FILES)), target)
    assert built.parent == target.layers_cache
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {one.external_attr >> 16 for one in archive.infolist()} <= {0o644, 0o755}
    assert {f"python/{name}" for name in FILES} <= set(names)
    assert [Path(name) for name in names] == sorted(Path(name) for name in names)
    assert [name for name in names if name.startswith(("python/bin/", "python/.lock"))] == []


def test_two_builds_are_the_same_bytes(index: Path, target: FunctionTarget, tmp_path: Path) -> None:
    requirements = _pin(tmp_path / "worker", make_wheel(index, "lib", files=FILES), make_wheel(index, "more"))
    first = layer_zip(requirements, target).read_bytes()
    shutil.rmtree(target.layers_cache or "")
    before = os.umask(0o077)
    try:
        second = layer_zip(requirements, target).read_bytes()
    finally:
        os.umask(before)
    assert first == second


def test_what_is_kept_is_not_built_again(
    index: Path, target: FunctionTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = make_wheel(index, "lib")
    first = layer_zip(_pin(tmp_path / "worker", line), target)
    shutil.rmtree(index)
    monkeypatch.setattr(subprocess, "run", _no_subprocess)
    assert layer_zip(_pin(tmp_path / "another" / "checkout", line), target) == first
    with pytest.raises(AssertionError, match="nothing may be run"):
        layer_zip(_pin(tmp_path / "worker", line), replace(target, python="3.12"))


def test_a_wheel_for_another_platform_is_missing(index: Path, target: FunctionTarget, tmp_path: Path) -> None:
    requirements = _pin(tmp_path / "worker", make_wheel(index, "winonly", tag="py3-none-win_amd64"))
    message = (
        "winonly==1.0: no wheel for Python 3.13 on arm64 (aarch64-manylinux_2_34); "
        f"pin another version in {requirements}"
    )
    with pytest.raises(BundlingError, match=f"^{re.escape(message)}$"):
        layer_zip(requirements, target)


def test_a_wheel_for_another_python_is_missing(index: Path, target: FunctionTarget, tmp_path: Path) -> None:
    requirements = _pin(tmp_path / "worker", make_wheel(index, "old", tag="cp311-cp311-manylinux_2_17_aarch64"))
    assert layer_zip(requirements, replace(target, python="3.11")).exists()
    with pytest.raises(BundlingError, match=r"^old==1\.0: no wheel for Python 3\.13 on arm64"):
        layer_zip(requirements, target)


def test_another_content_than_the_pinned_one_is_refused(index: Path, target: FunctionTarget, tmp_path: Path) -> None:
    requirements = _pin(tmp_path / "worker", make_wheel(index, "lib"))
    make_wheel(index, "lib", files={"lib/__init__.py": "import evil\n"})
    with pytest.raises(BundlingError, match=r"requirements.txt: could not be installed for .*(?i:hash mismatch)"):
        layer_zip(requirements, target)


def test_requirements_without_hashes_are_refused(index: Path, target: FunctionTarget, tmp_path: Path) -> None:
    make_wheel(index, "lib")
    with pytest.raises(BundlingError, match=r"all requirements must have a hash.*lib==1\.0"):
        layer_zip(_pin(tmp_path / "worker", "lib==1.0\n"), target)


def test_a_layer_larger_than_lambda_allows_is_refused(
    index: Path, target: FunctionTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = _pin(tmp_path / "worker", make_wheel(index, "lib", files={"lib/__init__.py": "#" * 5000}))
    assert _layers._MAX_UNZIPPED_BYTES == 262_144_000
    monkeypatch.setattr(_layers, "_MAX_UNZIPPED_BYTES", 5000)
    with pytest.raises(
        BundlingError, match=r"requirements\.txt: the layer must be at most 5000 bytes unzipped, got 5\d\d\d"
    ):
        layer_zip(requirements, target)


def test_a_failed_build_leaves_nothing_behind(index: Path, target: FunctionTarget, tmp_path: Path) -> None:
    with pytest.raises(BundlingError):
        layer_zip(_pin(tmp_path / "worker", "gone==1.0 --hash=sha256:" + "0" * 64), target)
    assert target.layers_cache is not None
    assert list(target.layers_cache.iterdir()) == []
