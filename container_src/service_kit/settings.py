"""What every server is told by its environment; what is missing or wrong is said in one sentence."""

from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServerSettings(BaseSettings):
    """Environment variables, upper case; a server adds its own.

    Attributes:
        port: Where it listens; 0 takes a free one.
        max_body_bytes: The largest body of a request.
        request_seconds: How long an answer may take to begin; the time in which the body comes is part of it.
        shutdown_seconds: How long requests may go on after TERM. ECS and systemd wait longer before they kill.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    max_body_bytes: Annotated[int, Field(ge=1)] = 65536
    request_seconds: Annotated[float, Field(gt=0, le=50)] = 10
    shutdown_seconds: Annotated[int, Field(ge=1, le=110)] = 20


class AwsSettings(ServerSettings):
    """Of a server that calls AWS."""

    aws_region: Annotated[str, Field(min_length=1)]


def complaint(error: ValidationError) -> str:
    """One sentence that names each variable and its rule. Values are not repeated: they may be secret."""
    said = []
    for one in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in one["loc"]).upper()
        missing = one["type"] == "missing"
        said.append(f"{name}: must be set" if missing else f"{name}: {one['msg'].removeprefix('Value error, ')}")
    return "; ".join(said)
