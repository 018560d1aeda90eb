"""A server's package is checked where it is named, and its assets are named by what is in them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from constructs_lib import PythonApplication
from constructs_lib._application_assets import dependencies_asset, source_asset
from tests.constructs.applications import shop, sources
from tests.templates import bare_stack


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"package": "Shop"}, "package: must be 1-31 of a-z, 0-9 and '_', beginning with a letter, got 'Shop'"),
        ({"package": "x" * 32}, "package: must be 1-31"),
        ({"package": "nothing"}, "package: must be a Python package in .*, got 'nothing'"),
        ({"shared": ["nothing"]}, "package: must be a Python package in .*, got 'nothing'"),
        ({"shared": ["kit", "kit"]}, "shared: must be unique, got 'kit' twice"),
        ({"shared": ["shop"]}, "shared: must be unique, got 'shop' twice"),
        ({"architecture": "mips"}, "architecture: must be one of arm64, x86_64, got 'mips'"),
        ({"port": 80}, "port: must be between 1024 and 65535, got 80"),
        ({"downloads": {"bundle.pem": "https://a"}}, "downloads: must be absolute paths .*, got 'bundle.pem'"),
        ({"downloads": {"/opt/a b": "https://a"}}, "downloads: must be absolute paths"),
        ({"downloads": {"/opt/a": "http://a"}}, "downloads: must be https:// URLs, got 'http://a'"),
        ({"downloads": {"/opt/a": "https://a'; rm"}}, "downloads: must be https:// URLs"),
    ],
)
def test_a_prop_out_of_range_is_refused(props: dict[str, Any], message: str) -> None:
    given = {"sources": sources(), "package": "shop", **props}
    with pytest.raises(ValueError, match=message):
        PythonApplication(**given)


def test_its_dependencies_are_for_the_instance() -> None:
    target = shop(architecture="x86_64", layers_cache=Path("/tmp/cache")).target
    assert (target.python, target.wheel_platform) == ("3.13", "x86_64-manylinux_2_34")
    assert target.layers_cache == Path("/tmp/cache")


def _hashes(folder: Path, **props: Any) -> tuple[str, str]:
    stack, application = bare_stack(), shop(folder, **props)
    needs = dependencies_asset(stack, "Needs", application)
    assert needs is not None
    return source_asset(stack, "Source", application).asset_hash, needs.asset_hash


def _write(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "of_source", "of_needs"),
    [
        (lambda _folder: None, False, False),
        (_write("shop/__main__.py", "print('other')\n"), True, False),
        (_write("kit/__init__.py", "X = 1\n"), True, False),
        (_write("shop/requirements.txt", "six==1.17.0\n"), False, True),
        (_write("shop/requirements.in", "six\n"), False, False),
        (_write("shop/Dockerfile", "FROM scratch\n"), False, False),
        (_write("other.py", "X = 1\n"), False, False),
    ],
    ids=["nothing", "package", "shared", "requirements", "what they come from", "an image's recipe", "a neighbour"],
)
def test_a_change_renames_what_it_is_in_alone(
    change: Callable[[Path], object], of_source: bool, of_needs: bool
) -> None:
    folder = sources()
    before = _hashes(folder)
    change(folder)
    after = _hashes(folder)
    assert (before[0] != after[0], before[1] != after[1]) == (of_source, of_needs)


def test_the_same_packages_in_another_folder_have_the_same_names() -> None:
    assert _hashes(sources()) == _hashes(sources())


def test_another_processor_has_other_dependencies() -> None:
    folder = sources()
    (arm, arm_needs), (intel, intel_needs) = _hashes(folder), _hashes(folder, architecture="x86_64")
    assert arm == intel
    assert arm_needs != intel_needs


def test_without_requirements_there_is_one_asset() -> None:
    folder = sources()
    (folder / "shop" / "requirements.txt").unlink()
    assert dependencies_asset(bare_stack(), "Needs", shop(folder)) is None
