"""A site's files made ready to be cached for ever: what lies in ``assets/`` is named by its content."""

import hashlib
import re
import shutil
from pathlib import Path

_ASSETS = "assets"
_TEXT = {".css", ".html", ".js", ".mjs", ".svg", ".webmanifest"}
_HASH_LENGTH = 12


def check_site(site: Path) -> None:
    """Raise ValueError unless the folder has the pages that every site has."""
    for page in ("index.html", "404.html"):
        if not (site / page).is_file():
            raise ValueError(f"site: must be a folder with index.html and 404.html, got {site} without {page}")


def stage(site: Path, into: Path) -> None:
    """Copy a site; ``/assets/app.js`` becomes ``/assets/app.<hash>.js``, where it lies and wherever it is named.

    An asset's hash covers what it refers to, so a changed leaf renames all that leads to it.

    Raises:
        ValueError: Assets refer to each other in a circle, or a page names an asset that is not there.
    """
    files = {path.relative_to(site).as_posix(): path for path in sorted(site.rglob("*")) if path.is_file()}
    staged: dict[str, tuple[str, bytes]] = {}

    def put(name: str, asked_by: tuple[str, ...] = ()) -> str:
        if name in asked_by:
            circle = " -> ".join((*asked_by[asked_by.index(name) :], name))
            raise ValueError(f"site: assets must not refer to each other in a circle, got {circle}")
        if name not in files:
            raise ValueError(f"site: {asked_by[-1]} names /{name}, which is not there")
        if name not in staged:
            content = files[name].read_bytes()
            if files[name].suffix in _TEXT:
                content = _REFERENCE.sub(
                    lambda found: f"/{put(found[1], (*asked_by, name))}", content.decode("utf-8")
                ).encode("utf-8")
            staged[name] = (_hashed(name, content) if name.startswith(f"{_ASSETS}/") else name, content)
        return staged[name][0]

    for name in files:
        put(name)
    for path, content in staged.values():
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        shutil.copymode(site / "index.html", target)


_REFERENCE = re.compile(rf"/({_ASSETS}/[A-Za-z0-9_./-]*[A-Za-z0-9_-]\.[A-Za-z0-9]+)")


def _hashed(name: str, content: bytes) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:_HASH_LENGTH]}{dot}{suffix}"
