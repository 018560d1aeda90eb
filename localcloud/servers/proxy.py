"""A proxy (CONNECT) through which servers reach the names of this cloud, and nothing else.

Real DNS knows nothing of what is deployed here. TLS stays end to end: the proxy passes on bytes that it cannot read.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

_LONGEST = 8192
_SECONDS = 10.0


class Proxy:
    """A running proxy on a free loopback port.

    Args:
        port: where every known name is served.
        knows: whether a name is one of this cloud's.
    """

    def __init__(self, port: int, knows: Callable[[str], bool]) -> None:
        self._port, self._knows = port, knows
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """For HTTPS_PROXY."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        """End it with its connections."""

        async def end() -> None:
            self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await self._server.wait_closed()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
                async with asyncio.timeout(_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                if await self._may(head):
                    await self._connect(reader, writer)
                else:
                    writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    await writer.drain()
        finally:
            writer.close()

    async def _may(self, head: bytes) -> bool:
        method, _, rest = head.decode("latin-1").partition(" ")
        name, _, port = rest.partition(" ")[0].rpartition(":")
        if method != "CONNECT" or port != "443":
            return False
        return await asyncio.to_thread(self._knows, name.lower())

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            ways = [
                asyncio.ensure_future(_pass(reader, there_writer)),
                asyncio.ensure_future(_pass(there_reader, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            there_writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_LONGEST):
        writer.write(data)
        await writer.drain()
