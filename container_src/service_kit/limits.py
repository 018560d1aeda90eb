"""Limits of a request: bytes of its body, with or without a Content-Length, and seconds."""

import asyncio
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit.problems import ProblemError, UnavailableError, answer

# What is read and thrown away, so that a client who writes first and reads then gets its answer, not a reset.
_DRAINED_BYTES = 1_048_576
_DRAIN_SECONDS = 2


class BodyLimit:
    """Refuses larger bodies with 413, before they are in memory.

    Args:
        app: The application.
        max_bytes: The largest body.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _content_length(scope) > self._max_bytes:
            await _drain(receive)
            await answer(self._refusal())(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_bytes:
                if message.get("more_body"):
                    await _drain(receive)
                raise self._refusal()
            return message

        await self._app(scope, counted, send)

    def _refusal(self) -> ProblemError:
        # The rest of the body may be on its way: nothing else can come on this connection.
        return ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body must have at most {self._max_bytes} bytes.",
            headers={"Connection": "close"},
        )


class TimeLimit:
    """Ends requests whose body stops coming (408) and those whose answer does not begin (504).

    An answer that has begun may take its time: a large file to a slow client.

    Args:
        app: The application.
        seconds: The limit.
    """

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        whole = reading = False

        async def watched() -> Message:
            nonlocal whole, reading
            # Past its end, what is waited for is the client's leaving.
            reading = not whole
            message = await receive()
            whole, reading = not message.get("more_body"), False
            return message

        async def begun(message: Message) -> None:
            limit.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self._seconds) as limit:
                await self._app(scope, watched, begun)
        except TimeoutError:
            if not limit.expired():
                raise
            await answer(self._refusal(reading=reading))(scope, receive, send)

    def _refusal(self, *, reading: bool) -> ProblemError:
        if reading:
            detail = f"The body did not arrive within {self._seconds:g} s."
            return ProblemError(HTTPStatus.REQUEST_TIMEOUT, detail, headers={"Connection": "close"})
        return UnavailableError("There was no answer in time; try again.", status=HTTPStatus.GATEWAY_TIMEOUT)


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _drain(receive: Receive) -> None:
    left, more = _DRAINED_BYTES, True
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while more and left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                more = bool(message.get("more_body"))
    except TimeoutError:
        return
