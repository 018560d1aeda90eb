"""What the function is told by its environment; a missing variable is named by pydantic."""

from pydantic import Field
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Environment variables, upper case.

    Attributes:
        errors_bucket: ``ERRORS_BUCKET``: where rejected records are written.
        errors_prefix: ``ERRORS_PREFIX``: below which prefix, ``errors/rejected/``.
        max_late_hours: ``MAX_LATE_HOURS``: how long before its arrival an event may have been recorded, 1-480.
        max_ahead_seconds: ``MAX_AHEAD_SECONDS``: how far a device's clock may be ahead, 0-3600.
    """

    errors_bucket: str
    errors_prefix: str
    max_late_hours: int = Field(ge=1, le=480)
    max_ahead_seconds: int = Field(default=300, ge=0, le=3600)
