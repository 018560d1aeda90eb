"""Redis's protocol as far as the front reads it: commands of a client, one after the other."""

import asyncio
from collections.abc import Sequence

LONGEST = 65536
"""Bytes of a word that is read whole; a signed request with a session token has about 2000."""
_PART = 65536


class ProtocolError(Exception):
    """What comes is no command of Redis."""


def encoded(words: Sequence[bytes]) -> bytes:
    """A command as a client sends it."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


async def number(reader: asyncio.StreamReader, mark: bytes) -> int:
    """The number of a line that begins with `mark`."""
    line = await reader.readline()
    if line[:1] != mark or not line.endswith(b"\r\n"):
        raise ProtocolError(f"expected {mark!r}, got {line[:20]!r}")
    return int(line[1:])


async def word(reader: asyncio.StreamReader) -> bytes:
    """A word, read whole."""
    size = await number(reader, b"$")
    if not 0 <= size <= LONGEST:
        raise ProtocolError(f"a word of {size} bytes")
    return (await reader.readexactly(size + 2))[:-2]


async def pass_word(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass a word on without keeping it, however long it is, no faster than it is taken."""
    size = await number(reader, b"$")
    writer.write(b"$%d\r\n" % size)
    left = size + 2
    while left:
        part = await reader.read(min(left, _PART))
        if not part:
            raise asyncio.IncompleteReadError(b"", left)
        writer.write(part)
        await writer.drain()
        left -= len(part)
