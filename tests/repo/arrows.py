"""Who may import whom, read from the sources: the arrows of the house, one sentence per offence."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

# Room -> what of ours its modules may import; every function's package is a room of its own.
OURS: dict[str, set[str]] = {
    "app": {"stacks"},
    "constructs_lib": {"constructs_lib"},
    "stacks": {"stacks", "constructs_lib"},
    "journeys": {"journeys"},
    "localcloud": {"localcloud", "journeys", "stacks.catalog", "stacks.scenario"},
}
# Room -> the libraries it may import, where that is limited.
LIBRARIES: dict[str, set[str]] = {
    "app": {"aws_cdk"},
    "constructs_lib": {"aws_cdk", "constructs"},
    "stacks": {"aws_cdk", "constructs"},
    # psycopg: whether a restored database has the same rows is not seen from outside it.
    "journeys": {"boto3", "botocore", "cryptography", "urllib3", "rich", "typer", "PIL", "paho", "psycopg"},
}
# Rooms that may import all but these.
ALL_BUT: dict[str, set[str]] = {
    "benchmarks": set(),
    "localcloud": {"aws_cdk", "constructs"},
}
# What runs elsewhere: folder -> what a package in it is, the libraries it finds there, what of ours it may share.
DEPLOYED: dict[str, tuple[str, set[str], set[str]]] = {
    "lambda_src": ("function", {"boto3", "botocore"}, set()),  # AWS Lambda's Python runtimes bring them
    "container_src": ("server", set(), {"service_kit"}),
}
# Read by nobody who is constructed: what they need, they are given.
_FROM_OUTSIDE = {"environ", "getenv", "getcwd", "cwd", "try_get_context", "get_context", "get_all_context"}
_TELLS_LOCAL = re.compile(
    r"(?i)(^|[^a-z])(is_?local|local_?(cloud|stack|mode|run|only|env\w*|dev\w*)|(run|running|on)_local(ly)?|ministack"
    r"|emulat(e|ed|or)|4566)($|[^a-z])"
)


def offences(root: Path) -> list[str]:
    """Every offence in a checkout."""
    packages = {path.parent.name for room in DEPLOYED for path in root.glob(f"{room}/*/__init__.py")}
    rooms = {*OURS, *ALL_BUT, "tests", *packages}
    found: list[str] = []
    folders = [*DEPLOYED, *(room for room in rooms if room != "tests")]
    for path in sorted({*root.glob("app.py"), *(one for folder in folders for one in root.glob(f"{folder}/**/*.py"))}):
        where, tree = path.relative_to(root), ast.parse(path.read_text(encoding="utf-8"))
        room = where.parts[1] if where.parts[0] in DEPLOYED else where.parts[0].removesuffix(".py")
        if where.parts[0] in DEPLOYED:
            found += _of_deployed(where, room, tree, rooms, path.parent)
        else:
            found += _of_room(where, room, tree, rooms)
        if where.parts[0] in {"constructs_lib", "stacks"}:
            found += [f"{where}:{line}: must be told, not read it from outside: {name}" for line, name in _reads(tree)]
        if where.parts[0] in {"constructs_lib", "stacks", *DEPLOYED}:
            found += [f"{where}:{line}: must not know of a local cloud, got {word!r}" for line, word in _local(tree)]
    return found


def _of_room(where: Path, room: str, tree: ast.Module, rooms: set[str]) -> Iterator[str]:
    for line, name in imported(tree):
        top = name.split(".")[0]
        if top in rooms:
            allowed = any(f"{name}.".startswith(f"{one}.") for one in OURS.get(room, rooms - ALL_BUT.get(room, set())))
        else:
            allowed = top not in ALL_BUT.get(room, set()) and (room not in LIBRARIES or _is_known(top, LIBRARIES[room]))
        if not allowed:
            yield f"{where}:{line}: {room} must not import {name}"


def _of_deployed(where: Path, room: str, tree: ast.Module, rooms: set[str], folder: Path) -> Iterator[str]:
    what, brought, shared = DEPLOYED[where.parts[0]]
    while not (folder / "__init__.py").is_file() or (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    pinned = _pinned(folder / "requirements.txt") | brought
    for line, name in imported(tree):
        top = name.split(".")[0]
        if top in rooms:
            if top not in {room, *shared}:
                yield f"{where}:{line}: a {what} must import its own package alone, got {name}"
        elif not _is_known(top, pinned):
            yield f"{where}:{line}: {top} must be pinned in {room}/requirements.txt, or the {what} does not have it"


def _pinned(requirements: Path) -> set[str]:
    """The import names of what a function pins."""
    text = requirements.read_text(encoding="utf-8") if requirements.is_file() else ""
    names = {_canonical(name) for name in re.findall(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", text)}
    return {module for module, owners in _owners().items() if names & owners}


@cache
def _owners() -> dict[str, set[str]]:
    """Module -> the distributions that bring it. It reads the whole environment, so once."""
    return {module: {_canonical(owner) for owner in owners} for module, owners in packages_distributions().items()}


def _canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _is_known(top: str, libraries: set[str]) -> bool:
    # boto3's stubs are for the type checker alone.
    return top in sys.stdlib_module_names or top in libraries or top.startswith(("mypy_boto3_", "types_boto3"))


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every absolute import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _reads(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name, lineno=line) | ast.Name(id=name, lineno=line) if name in _FROM_OUTSIDE:
                yield line, name
            case ast.ImportFrom(names=names, lineno=line):
                yield from ((line, alias.name) for alias in names if alias.name in _FROM_OUTSIDE)


def _local(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Names and texts that tell the local cloud from AWS, but for documentation."""
    documentation = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        said = _words(node) if id(node) not in documentation else ""
        # A part of an e-mail address is called local, too; a switch or a setting of that name tells where it runs.
        switched = isinstance(node, ast.arg | ast.keyword | ast.Constant | ast.Attribute) and said.lower() == "local"
        if switched or _TELLS_LOCAL.search(said):
            yield getattr(node, "lineno", 0), said


def _words(node: ast.AST) -> str:
    match node:
        case ast.Name(id=said) | ast.Attribute(attr=said) | ast.arg(arg=said) | ast.Constant(value=str(said)):
            return said
        case ast.FunctionDef(name=said) | ast.ClassDef(name=said) | ast.keyword(arg=str(said)):
            return said
        case _:
            return ""
