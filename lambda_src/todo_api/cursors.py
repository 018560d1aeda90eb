"""Where a list goes on: an opaque text that is good for one user alone; pure.

It carries the last id and a checksum over it and the user. The checksum needs no secret: who computes one can only
make cursors into their own list, since whose list is read is never taken from a cursor. It is there so that a
mangled cursor, or somebody else's, is refused instead of answered with the wrong page.
"""

import base64
import binascii
import hashlib
import re

from todo_api.rules import ID_PATTERN

_CHECK_BYTES = 12


class InvalidCursorError(ValueError):
    """The text is no cursor of this user."""


def encode(user: str, last_id: str) -> str:
    """The cursor behind a to-do."""
    return base64.urlsafe_b64encode(_check(user, last_id) + bytes.fromhex(last_id)).rstrip(b"=").decode()


def decode(user: str, cursor: str) -> str:
    """The id of the last to-do that was seen.

    Raises:
        InvalidCursorError: The cursor was not made for this user, or was changed. Says nothing of what is inside.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    last_id = raw[_CHECK_BYTES:].hex()
    # Compared as text, since base64 reads more than one text as the same bytes.
    if not re.fullmatch(ID_PATTERN, last_id) or encode(user, last_id) != cursor:
        raise InvalidCursorError("cursor: must be one that this list gave you; start again without it")
    return last_id


def _check(user: str, last_id: str) -> bytes:
    return hashlib.blake2b(
        last_id.encode(), key=hashlib.sha256(user.encode()).digest(), digest_size=_CHECK_BYTES
    ).digest()
