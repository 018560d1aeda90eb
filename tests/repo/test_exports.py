"""The library's public names: exported, typed and found, each once."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import constructs_lib

SOURCE = Path(constructs_lib.__file__)


def typed_imports(source: str) -> dict[str, str]:
    """Name -> module of the imports that only type checkers read."""
    block = next(node for node in ast.parse(source).body if isinstance(node, ast.If))
    return {
        alias.name: (node.module or "").removeprefix("constructs_lib.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_what_is_exported_is_what_type_checkers_see() -> None:
    assert typed_imports(SOURCE.read_text()) == constructs_lib._MODULES
    assert sorted(constructs_lib._MODULES) == sorted(constructs_lib.__all__)


def test_every_public_module_exports_something() -> None:
    public = {path.stem for path in SOURCE.parent.glob("[a-z]*.py")}
    assert public <= set(constructs_lib._MODULES.values()), "a public file without a public name"


@pytest.mark.parametrize("name", constructs_lib.__all__)
def test_every_name_is_found(name: str) -> None:
    assert getattr(constructs_lib, name).__name__ == name
    assert name in dir(constructs_lib)


def test_another_name_is_not_found() -> None:
    with pytest.raises(AttributeError, match="module 'constructs_lib' has no attribute 'Nothing'"):
        _ = constructs_lib.Nothing  # type: ignore[attr-defined]


def test_one_name_imports_one_construct() -> None:
    code = (
        "import sys; from constructs_lib import AlarmTopic; print(*(m for m in sys.modules if 'constructs_lib' in m))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=SOURCE.parents[1]
    )
    assert "constructs_lib.alarm_topic" in loaded.stdout.split()
    assert "constructs_lib.queued_api" not in loaded.stdout.split()
