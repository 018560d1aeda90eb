"""A small server in a folder of its own, for tests of what runs servers."""

from pathlib import Path
from typing import Any

from constructs_lib import PythonApplication
from tests.templates import scratch


def sources(**files: str) -> Path:
    """A folder with the packages "shop" (with requirements) and "kit", and more files by path with "__" for "/"."""
    folder = scratch()
    for path, text in {
        "shop/__init__.py": "",
        "shop/__main__.py": "print('shop')\n",
        "shop/requirements.txt": "# none yet\n",
        "kit/__init__.py": "",
        **{name.replace("__", "/"): text for name, text in files.items()},
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def shop(folder: Path | None = None, **props: Any) -> PythonApplication:
    """The application "shop"."""
    return PythonApplication(sources=folder or sources(), package="shop", **{"shared": ["kit"], **props})
