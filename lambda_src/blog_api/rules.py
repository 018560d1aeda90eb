"""What posts, photos and subscriptions are, and who may write; pure."""

import re
import secrets
import time
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

MAX_PHOTO_BYTES = 20 * 1024 * 1024
MAX_PAGE = 50
ID_PATTERN = r"^[0-9a-f]{24}$"
AUTHORS = "authors"
_EXCERPT = 160
_MAX_ADDRESS = 254
_MAX_LOCAL = 64
# What a browser's <input type=email> takes (WHATWG HTML, "valid email address"), with a domain of at least two labels.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@(?:{_LABEL}\.)+{_LABEL}")


def _address(value: str) -> str:
    local = value.partition("@")[0]
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    if len(value) > _MAX_ADDRESS or len(local) > _MAX_LOCAL or dots or not _ADDRESS.fullmatch(value):
        raise ValueError("must be an e-mail address like ada@example.com")
    return value


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Draft(_Body):
    """A post as its author sends it."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
    photo: Annotated[str, StringConstraints(pattern=ID_PATTERN)] | None = None


class Subscription(_Body):
    """Who wants to hear of the blog."""

    email: Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_address)]


class NewPhoto(_Body):
    """A photo that an author is about to upload."""

    content_type: Annotated[Literal["image/jpeg", "image/png", "image/webp", "image/gif"], Field(alias="contentType")]
    size: Annotated[int, Field(ge=1, le=MAX_PHOTO_BYTES)]


def new_id(now: float | None = None) -> str:
    """24 hexadecimal digits: the millisecond first, so that ids sort by time; then what nobody can guess."""
    milliseconds = int((time.time() if now is None else now) * 1000)
    return f"{milliseconds:012x}{secrets.token_hex(6)}"


def excerpt(text: str) -> str:
    """The beginning of a post in one line, cut between words."""
    line = " ".join(text.split())
    if len(line) <= _EXCERPT:
        return line
    cut = line[:_EXCERPT]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut else cut} …"


def subscriber_key(email: str) -> str:
    """What two spellings of one mailbox have in common; the mail itself goes to the address as it was written."""
    return email.lower()


def is_caller_of(claims: Mapping[str, str], client_id: str) -> bool:
    """Whether a token was made for this app: API Gateway verifies signature, issuer and expiry, but not that."""
    return bool(client_id) and claims.get("aud") == client_id


def is_author(claims: Mapping[str, str]) -> bool:
    """Whether the caller is in the authors' group; API Gateway hands the groups over as one text."""
    groups = re.split(r"[,\s]+", str(claims.get("cognito:groups", "")).strip("[] "))
    return AUTHORS in groups
