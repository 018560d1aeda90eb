"""Refusals as problem details (RFC 9457)."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, ConfigDict, Field

CONTENT_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    rule: str


class Problem(BaseModel):
    """Why a request was refused."""

    model_config = ConfigDict(populate_by_name=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    correlation_id: str | None = Field(
        default=None, alias="correlationId", description="Name it when you ask for help."
    )
    errors: list[FieldError] | None = None


def problem(status: HTTPStatus, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response[str]:
    """The answer to a request that is refused."""
    body = Problem(title=status.phrase, status=status.value, detail=detail, **more)
    text = body.model_dump_json(exclude_none=True, by_alias=True)
    return Response(status.value, content_type=CONTENT_TYPE, body=text, headers={**(headers or {})})


def is_of_path(error: Any) -> bool:
    """Whether an error of pydantic is about the path: then there is nothing there."""
    return bool(error["loc"][0] == "path")


def field_errors(errors: Iterable[Any]) -> list[FieldError]:
    """Pydantic's errors by the caller's names: ("body", "name") is "name"; the whole body is "body"."""
    found = []
    for error in errors:
        broken = error["type"] == "json_invalid"  # its place is a number of characters
        inside = error["loc"][:1] if broken else error["loc"][1:] or error["loc"]
        rule = "must be JSON" if broken else str(error["msg"]).removeprefix("Value error, ")
        found.append(FieldError(field=".".join(str(part) for part in inside), rule=rule))
    return found
