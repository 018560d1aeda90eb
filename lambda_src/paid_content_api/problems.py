"""Answers to callers who are refused: problem details (RFC 9457)."""

import json
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response


class ProblemError(Exception):
    """The caller is refused.

    Args:
        status: HTTP status.
        detail: What is wrong and what to do, for the caller.
        headers: Further headers of the answer.
        **members: Further members of the problem.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, *, headers: dict[str, str] | None = None, **members: str
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}
        self.members = members

    def response(self) -> Response[str]:
        """The answer."""
        problem = {"type": "about:blank", "title": self.status.phrase, "status": self.status.value, "detail": str(self)}
        return Response(
            status_code=self.status.value,
            content_type="application/problem+json",
            body=json.dumps({**problem, **self.members}),
            headers={"Cache-Control": "no-store", **self.headers},
        )
