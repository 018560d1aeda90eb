"""What clients of a cache connect to: TLS here, Redis behind it, and IAM asked when somebody signs in.

All fronts share one thread with an event loop of its own, so that neither they nor the emulator wait for the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import ssl
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from localcloud.stores import resp
from localcloud.stores.home import bound, once

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

ADDRESS = "localhost"
_PART = 65536
Admit = Callable[[str, str], str | None]
"""(user, password that the client gives) -> the password that Redis knows; None: not let in."""


class Front:
    """A TLS endpoint at `localhost:port` before the socket of a Redis server."""

    def __init__(self, store: Path, admit: Admit) -> None:
        self._store = store
        self._admit = admit
        listening = bound()
        self.port = int(listening.getsockname()[1])
        self._clients: set[asyncio.Task[None]] = set()
        self._server = _wait(asyncio.start_server(self._serve, sock=listening, ssl=_context()))

    def close(self) -> None:
        """Serve nobody any more."""
        _wait(self._close())

    async def _close(self) -> None:
        self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._clients.add(task)
        try:
            store_reader, store_writer = await asyncio.open_unix_connection(str(self._store))
            try:
                await self._relay(reader, writer, store_reader, store_writer)
            finally:
                store_writer.close()
        except (OSError, EOFError, ValueError, resp.ProtocolError) as error:
            logging.getLogger("elasticache").info("a client of port %d is gone: %s", self.port, error)
        finally:
            self._clients.discard(task)
            writer.close()

    async def _relay(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        store_reader: asyncio.StreamReader,
        store_writer: asyncio.StreamWriter,
    ) -> None:
        commands = asyncio.ensure_future(self._commands(reader, store_writer))
        try:
            # Until Redis closes, which it also does once the client has and everything is answered.
            while part := await store_reader.read(_PART):
                writer.write(part)
                await writer.drain()
        finally:
            commands.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await commands

    async def _commands(self, reader: asyncio.StreamReader, store: asyncio.StreamWriter) -> None:
        """Pass commands on; of those that sign in, with the password that Redis knows."""
        try:
            while not reader.at_eof():
                words = await resp.number(reader, b"*")
                if words < 1:
                    continue
                first = await resp.word(reader)
                if first.upper() in {b"AUTH", b"HELLO"}:
                    rest = [await resp.word(reader) for _ in range(words - 1)]
                    store.write(resp.encoded(self._known(first, rest)))
                else:
                    store.write(b"*%d\r\n$%d\r\n%s\r\n" % (words, len(first), first))
                    for _ in range(words - 1):
                        await resp.pass_word(reader, store)
                await store.drain()
        finally:
            # Redis answers what it has got, then closes.
            with contextlib.suppress(OSError):
                store.write_eof()

    def _known(self, command: bytes, words: list[bytes]) -> list[bytes]:
        """A command that signs in, as Redis can check it: AUTH user password, HELLO 3 AUTH user password."""
        at = 0 if command.upper() == b"AUTH" else 2
        if len(words) < at + 2 or (at and words[1].upper() != b"AUTH"):
            return [command, *words]
        user, given = (word.decode(errors="replace") for word in words[at : at + 2])
        # A wrong password rather than an answer of ours: so Redis says no, in its own words and in turn.
        password = self._admit(user, given) or secrets.token_hex()
        return [command, *words[:at], words[at], password.encode(), *words[at + 2 :]]


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(os.environ["STORES_CERTIFICATE"], os.environ["STORES_KEY"])
    return context


@once
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="store-fronts", daemon=True).start()
    return loop


def _wait(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()
