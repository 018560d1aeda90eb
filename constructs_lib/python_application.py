"""A Python server as it lies in a checkout, to be run by instances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from constructs_lib._assets import source_folder
from constructs_lib._checks import in_range, matches, unique
from constructs_lib.function_target import FunctionTarget

# What systemd, useradd and a shell take as a name.
_PACKAGE = r"[a-z][a-z0-9_]{0,30}"
_MIN_PORT, _MAX_PORT = 1024, 65535


@dataclass(frozen=True)
class PythonApplication:
    """A package that is a server: ``python -m <package>``, which listens on ``$PORT`` and answers ``GET /health``.

    Args:
        sources: Folder that holds the package.
        package: Its name: a lower-case package with ``__init__.py``. Its dependencies are those pinned with hashes in
            ``<package>/requirements.txt``, where there is one.
        shared: Other packages of ``sources`` that it imports.
        architecture: "arm64" (default) or "x86_64".
        port: Where it listens, 1024-65535. Default 8080.
        downloads: File -> https:// URL of what an instance fetches when it starts, as a public authority's
            certificates.
        layers_cache: Folder in which built dependencies are kept. Left out: ``~/.cache/constructs_lib``.

    Raises:
        ValueError: There is no such package, or a value is out of range.

    Example:
        from pathlib import Path
        updates = PythonApplication(sources=Path("container_src"), package="update_server", shared=["service_kit"])
        assert updates.target.python == "3.13"
    """

    sources: Path
    package: str
    shared: Sequence[str] = ()
    architecture: str = "arm64"
    port: int = 8080
    downloads: Mapping[str, str] = field(default_factory=dict)
    layers_cache: Path | None = None

    def __post_init__(self) -> None:
        matches("package", self.package, _PACKAGE, "1-31 of a-z, 0-9 and '_', beginning with a letter")
        unique("shared", [self.package, *self.shared])
        for package in (self.package, *self.shared):
            source_folder(self.sources, package)
        in_range("port", self.port, _MIN_PORT, _MAX_PORT)
        for path, url in self.downloads.items():
            matches("downloads", path, r"(/[A-Za-z0-9._-]+)+", "absolute paths as '/opt/rds/global-bundle.pem'")
            matches("downloads", url, r"https://[^\s']+", "https:// URLs")
        self.target  # noqa: B018 - it checks the architecture

    @property
    def target(self) -> FunctionTarget:
        """What its dependencies are built for: Amazon Linux 2023 and its Python 3.13."""
        return FunctionTarget(python="3.13", architecture=self.architecture, layers_cache=self.layers_cache)
