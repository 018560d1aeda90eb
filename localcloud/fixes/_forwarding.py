"""A request to a target and its answer, streamed, over connections that are used again."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

import h11

from localcloud.fixes._targets import Target

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 2.0
"""For how long a connection is kept for the next request: less than any server keeps it open."""
_READ = 64 * 1024
_HOP = {
    *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
    *("content-length", "expect"),
}


class UnreachableError(Exception):
    """The target refused, closed or spoke no HTTP: 502."""


class LateError(Exception):
    """The target did not connect or answer in time: 504."""


@dataclass(frozen=True)
class Sent:
    """A request as the target gets it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """One connection to a target."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http = h11.Connection(h11.CLIENT)
        self.idle_since = 0.0

    @classmethod
    async def to(cls, target: Target) -> "Connection":
        """One that waits for a request, else a new one."""
        while target.idle:
            found: Connection = target.idle.pop()
            if time.monotonic() - found.idle_since < IDLE_SECONDS and not found._reader.at_eof():
                return found
            found.close()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return cls(*await asyncio.open_connection(target.host, target.port))
        except TimeoutError as error:
            raise LateError(f"{target.host}:{target.port}: no connection in {CONNECT_SECONDS:.0f} s") from error
        except OSError as error:
            raise UnreachableError(str(error)) from error

    async def ask(self, sent: Sent, seconds: float) -> tuple[int, dict[str, Any]]:
        """Send a request; status and headers of the answer, by lower-case name."""
        headers = [(name, value) for name, value in sent.headers.items() if name not in _HOP]
        if sent.body or sent.method in {"POST", "PUT", "PATCH"}:
            headers.append(("content-length", str(len(sent.body))))
        try:
            request = h11.Request(method=sent.method, target=sent.target, headers=headers)
            data = self._http.send(request) or b""
            if sent.body:
                data += self._http.send(h11.Data(sent.body)) or b""
            data += self._http.send(h11.EndOfMessage()) or b""
            self._writer.write(data)
            while True:
                event = await self._event(seconds)
                if isinstance(event, h11.Response):
                    return event.status_code, _collected(event)
                if not isinstance(event, h11.InformationalResponse):
                    raise UnreachableError("closed before it answered")
        except (OSError, h11.ProtocolError) as error:
            raise UnreachableError(str(error)) from error

    async def body(self, seconds: float) -> AsyncGenerator[bytes, None]:
        """The parts of the answer's body."""
        try:
            while isinstance(event := await self._event(seconds), h11.Data):
                yield bytes(event.data)
        except (OSError, h11.ProtocolError) as error:
            raise UnreachableError(str(error)) from error

    def finish(self, target: Target) -> None:
        """Keep it for the next request, if it can be."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE and target.state != "draining":
            self._http.start_next_cycle()
            self.idle_since = time.monotonic()
            target.idle.append(self)
        else:
            self.close()

    def close(self) -> None:
        """End it."""
        self._writer.close()

    async def _event(self, seconds: float) -> Any:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            try:
                async with asyncio.timeout(seconds):
                    self._http.receive_data(await self._reader.read(_READ))
            except TimeoutError as error:
                raise LateError(f"no answer in {seconds:.0f} s") from error


def _collected(event: h11.Response) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for raw, value in event.headers:
        name = raw.decode("latin-1").lower()
        if name not in _HOP - {"content-length"} and name != "date":  # the load balancer writes its own date
            found.setdefault(name, []).append(value.decode("latin-1"))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
