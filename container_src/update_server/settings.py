"""What the server is told by its environment."""

from pathlib import Path

from service_kit.settings import ServerSettings


class Settings(ServerSettings):
    """Environment variables, upper case.

    Attributes:
        releases_root: Where the shared file system is mounted: ``<version>/<file>``, ``<version>/manifest.json`` and
            ``latest.json``.
    """

    releases_root: Path
