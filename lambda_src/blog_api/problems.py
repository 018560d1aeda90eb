"""Errors as problem details (RFC 9457)."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic import ValidationError


class RefusedError(Exception):
    """The caller's request cannot be done; the text says why, the status what kind of why."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def problem(status: HTTPStatus, detail: str, errors: Sequence[dict[str, str]] = ()) -> Response[str]:
    """The answer; ``errors`` name fields and what is wrong with each."""
    body: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    if errors:
        body["errors"] = list(errors)
    return Response(
        status_code=int(status),
        content_type="application/problem+json",
        body=json.dumps(body),
        headers={"Cache-Control": "no-store"},
    )


def field_errors(error: ValidationError) -> list[dict[str, str]]:
    """Each wrong field with what it must be; never the value, which may be private."""
    return [
        {"field": ".".join(map(str, one["loc"])) or "body", "rule": one["msg"].removeprefix("Value error, ")}
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    ]
