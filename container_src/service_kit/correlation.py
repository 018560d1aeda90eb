"""The correlation id: taken from the caller if it is well formed, made otherwise, and sent on with every call."""

import re
import uuid

from asgi_correlation_id import correlation_id

HEADER = "X-Correlation-Id"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,128}")


def well_formed(value: str) -> bool:
    """Whether an id of a caller is taken over. It goes to logs and headers, so it is short and plain."""
    return _WELL_FORMED.fullmatch(value) is not None


def new_id() -> str:
    """An id that nobody has."""
    return uuid.uuid4().hex


def current() -> str | None:
    """The id of the request that is being answered; None outside of one."""
    return correlation_id.get()
