"""What the function is told by its environment; a missing variable is named by pydantic."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Environment variables, upper case: RELEASES_ROOT, MAX_RELEASE_BYTES.

    Attributes:
        releases_root: Where the shared file system is mounted.
        max_release_bytes: What the files of one release may have together. Default 512 MiB.
    """

    releases_root: Path
    max_release_bytes: int = Field(default=512 * 1024 * 1024, ge=1)
