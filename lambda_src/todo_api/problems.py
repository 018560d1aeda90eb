"""Refusals as problem details (RFC 9457)."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

CONTENT_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    detail: str


class Problem(BaseModel):
    """Why a request was refused."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None
    current_version: int | None = None


def problem(status: HTTPStatus, detail: str, **more: Any) -> Response[str]:
    """The answer to a request that a route refuses."""
    return Response(status.value, content_type=CONTENT_TYPE, body=_body(status, detail, **more))


def refused(status: HTTPStatus, detail: str) -> dict[str, Any]:
    """The answer to a request that gets to no route."""
    return {
        "statusCode": status.value,
        "headers": {"Content-Type": CONTENT_TYPE},
        "body": _body(status, detail),
        "isBase64Encoded": False,
    }


def is_of_path(error: Any) -> bool:
    """Whether an error of pydantic is about the path: then there is nothing there."""
    return bool(error["loc"][0] == "path")


def field_errors(errors: Iterable[Any]) -> list[FieldError]:
    """Pydantic's errors by the caller's names: ("body", "title") is "title"; the whole body is "body"."""
    found = []
    for error in errors:
        broken = error["type"] == "json_invalid"  # its place is a number of characters
        inside = error["loc"][:1] if broken else error["loc"][1:] or error["loc"]
        detail = "must be JSON" if broken else str(error["msg"]).removeprefix("Value error, ")
        found.append(FieldError(field=".".join(str(part) for part in inside), detail=detail))
    return found


def _body(status: HTTPStatus, detail: str, **more: Any) -> str:
    return Problem(title=status.phrase, status=status.value, detail=detail, **more).model_dump_json(exclude_none=True)
