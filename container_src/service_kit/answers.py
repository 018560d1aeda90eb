"""What goes around every request: its line in the log, the security headers, and an answer when all else fails."""

import time
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit.logs import logger
from service_kit.problems import ProblemError, answer

_log = logger(__name__)
# Answers are data for programs: nothing of them is to run, be framed, be guessed or be kept unless a route says so.
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
# Load balancers ask for it every few seconds: it is logged only when it fails.
_QUIET = "/health"
_LONGEST = 200


class Answers:
    """Logs, completes and rescues the answers of an application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, sent = time.perf_counter(), 0, 0

        async def completed(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, completed)
        except ProblemError as refusal:
            await self._rescue(refusal, status, scope, receive, completed)
        except Exception:  # noqa: BLE001 - the last one who can answer
            _log.exception("the request failed")
            failure = ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here; it is in our log.")
            await self._rescue(failure, status, scope, receive, completed)
        finally:
            if scope["path"] != _QUIET or status >= HTTPStatus.BAD_REQUEST:
                _note(scope, status, sent, time.perf_counter() - began)

    async def _rescue(self, error: ProblemError, status: int, scope: Scope, receive: Receive, send: Send) -> None:
        if status:
            # Half an answer is out. Only a connection that breaks tells the client that it is not whole.
            raise RuntimeError("the answer broke off") from error
        await answer(error)(scope, receive, send)


def _note(scope: Scope, status: int, sent: int, seconds: float) -> None:
    headers = Headers(scope=scope)
    _log.info(
        "request",
        method=scope["method"],
        path=scope["path"][:_LONGEST],
        status=status or None,
        bytes=sent,
        milliseconds=round(seconds * 1000, 1),
        peer=(scope.get("client") or ("",))[0],
        forwarded_for=headers.get("x-forwarded-for", "")[:_LONGEST] or None,
        range=headers.get("range", "")[:_LONGEST] or None,
    )
