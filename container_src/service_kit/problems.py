"""Refusals and failures as problem details (RFC 9457); none of them ever shows what went on inside."""

import math
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as AnyHTTPException

from service_kit import correlation

CONTENT_TYPE = "application/problem+json"
_NOT_AN_OBJECT = {"model_attributes_type", "model_type", "dict_type"}
# What the framework refuses itself, it only names.
_DETAILS = {
    HTTPStatus.NOT_FOUND: "There is nothing here.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This method is not for this resource; Allow names those that are.",
}


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    rule: str


class Problem(BaseModel):
    """Why there is no answer."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    correlation_id: str | None = Field(default=None, alias="correlationId")
    errors: list[FieldError] | None = None


class ProblemError(HTTPException):
    """The request is not answered as asked.

    Args:
        status: HTTP status.
        detail: What is wrong and what to do, for the caller.
        errors: (field, rule) of every field that is wrong.
        headers: Further headers of the answer.
        **members: Further members of the problem.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(status.value, detail, dict(headers or {}))
        self.errors = [FieldError(field=field, rule=rule) for field, rule in errors]
        self.members = members


class UnavailableError(ProblemError):
    """Something that is needed does not answer; the same request may be sent again.

    Args:
        detail: What, for the caller.
        retry_after: Seconds to wait.
        status: 503, or 504 when it was asked and took too long.
    """

    def __init__(
        self, detail: str, *, retry_after: float = 5, status: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE
    ) -> None:
        super().__init__(status, detail, headers={"Retry-After": str(max(1, math.ceil(retry_after)))})


def invalid(*errors: tuple[str, str]) -> ProblemError:
    """Fields that break their rule."""
    return ProblemError(HTTPStatus.BAD_REQUEST, "The request breaks a rule; errors names each.", errors=errors)


def not_found(what: str) -> ProblemError:
    """There is nothing of that name."""
    return ProblemError(HTTPStatus.NOT_FOUND, f"There is no such {what}.")


def answer(error: AnyHTTPException) -> JSONResponse:
    """The answer that an error stands for."""
    status = HTTPStatus(error.status_code)
    problem = Problem(
        title=status.phrase,
        status=status.value,
        detail=_DETAILS.get(status, status.phrase) if error.detail == status.phrase else str(error.detail),
        correlationId=correlation.current(),
        errors=getattr(error, "errors", None) or None,
    )
    content = problem.model_dump(by_alias=True, exclude_none=True) | getattr(error, "members", {})
    return JSONResponse(content, status.value, headers=dict(error.headers or {}), media_type=CONTENT_TYPE)


def of_validation(errors: Iterable[Any]) -> ProblemError:
    """Pydantic's errors by the caller's names: ("body", "items", 0, "sku") is "items.0.sku"."""
    found = []
    for error in errors:
        place, inside = error["loc"][0], [str(part) for part in error["loc"][1:]]
        if place == "path":
            # What cannot be a name names nothing.
            return not_found("resource")
        if error["type"] == "json_invalid":  # its place is a number of characters
            found.append((place, "must be JSON"))
        elif not inside and error["type"] in _NOT_AN_OBJECT:
            found.append((place, "must be a JSON object, sent as application/json"))
        else:
            found.append((".".join(inside) or place, str(error["msg"]).removeprefix("Value error, ")))
    return invalid(*found)


def install(app: FastAPI) -> None:
    """Answer every error of routes with a problem."""

    @app.exception_handler(AnyHTTPException)
    async def _refused(_request: Request, error: AnyHTTPException) -> JSONResponse:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(of_validation(error.errors()))
