"""Where the functions' sources are, and how one of them becomes an asset."""

import hashlib
from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_lambda as lambda_

# In a checkout the sources lie beside the library, in the wheel inside it.
_HERE = Path(__file__).resolve().parent
SOURCES = _HERE / "lambda_src" if (_HERE / "lambda_src").is_dir() else _HERE.parent / "lambda_src"
NOT_CODE = ("__pycache__", "*.pyc", "requirements.in", "requirements.txt", "Dockerfile")


def source_folder(sources: Path, package: str) -> Path:
    """The folder of a function's package.

    Raises:
        ValueError: There is no such package, or it has no ``__init__.py``.
    """
    folder = sources / package
    if not package.isidentifier() or not (folder / "__init__.py").is_file():
        raise ValueError(f"package: must be a Python package in {sources}, got {package!r}")
    return folder


def check_handler(sources: Path, package: str, handler: str) -> None:
    """Raise ValueError unless ``handler`` is "module.function" and the package has that module."""
    module, _, function = handler.rpartition(".")
    file = source_folder(sources, package).joinpath(*module.split(".")).with_suffix(".py")
    if not module or not function.isidentifier() or not file.is_file():
        raise ValueError(f'handler: must be "module.function" of a module in {package}, got {handler!r}')


def source_hash(folder: Path) -> str:
    """A hash of names and contents alone: the same in any checkout, on any machine, for any time stamps."""
    # The package's own name counts too: it is part of the archive.
    digest = hashlib.sha256(f"{folder.name}\0".encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(path.match(pattern) for pattern in NOT_CODE) and "__pycache__" not in path.parts:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def function_code(sources: Path, package: str) -> lambda_.AssetCode:
    """The asset of one function: its package and nothing else, so that editing one function changes one hash."""
    folder = source_folder(sources, package)
    return lambda_.Code.from_asset(
        str(sources),
        asset_hash=source_hash(folder),
        ignore_mode=IgnoreMode.GIT,
        exclude=["/*", f"!/{package}", *NOT_CODE],
    )
