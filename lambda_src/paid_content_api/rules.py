"""Who may watch, for how long, and where the files are; pure."""

import ipaddress
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import quote

from paid_content_api.problems import ProblemError

_VIDEO_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# As the IETF's draft of the Idempotency-Key header field leaves it to the resource: printable, and not endless.
_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9._:-]{1,128}")


@dataclass(frozen=True)
class Video:
    """What is sold.

    Attributes:
        id: Also the folder of its files.
        title: For people.
        price: In hundredths of the currency.
        currency: ISO 4217.
        file: Name of its file in that folder.
    """

    id: str
    title: str
    price: int
    currency: str
    file: str = "video.mp4"


@dataclass(frozen=True)
class Purchase:
    """A user's right to watch a video.

    Attributes:
        video_id: The video.
        expires_at: Seconds since 1970; from then on it is over, whenever the table's TTL removes it.
        charge_id: What was paid.
    """

    video_id: str
    expires_at: int
    charge_id: str

    def lasts(self, now: float) -> bool:
        """Whether it is not over."""
        return now < self.expires_at


def video_id(text: str) -> str:
    """The id, when it may be one; 404 when there can be no such video."""
    if not _VIDEO_ID.fullmatch(text):
        raise unknown_video(text)
    return text


def unknown_video(text: str) -> ProblemError:
    """There is no such video."""
    return ProblemError(HTTPStatus.NOT_FOUND, f"video: there is none called {text[:64]!r}")


def idempotency_key(text: str | None) -> str | None:
    """The caller's key, when it is one; 400 otherwise."""
    if text is not None and not _IDEMPOTENCY_KEY.fullmatch(text):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, "Idempotency-Key: must be 1 to 128 letters, digits, '.', '_', ':' or '-'"
        )
    return text


def must_be_premium(purchase: Purchase | None, video: Video, now: float) -> None:
    """402 unless the user bought the video and the purchase is not over."""
    if purchase is not None and purchase.lasts(now):
        return
    why = "not bought yet" if purchase is None else f"the purchase was over on {moment(purchase.expires_at)}"
    raise ProblemError(
        HTTPStatus.PAYMENT_REQUIRED,
        f"video {video.id!r}: {why}; buy it with POST /videos/{video.id}/purchase",
        price=f"{video.price / 100:.2f} {video.currency}",
    )


def validity(asked: str | None, longest: int) -> int:
    """How many seconds a link lasts: the longest, or less if the caller asks for less."""
    if asked is None:
        return longest
    if not re.fullmatch(r"[0-9]{1,5}", asked) or not 1 <= int(asked) <= longest:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, f"seconds: must be a whole number from 1 to {longest}, got {asked[:20]!r}"
        )
    return int(asked)


def bound_address(asked: str | None, address: str, *, always: bool) -> str | None:
    """The caller's address, when the link is to be for it alone; None otherwise."""
    if asked not in {None, "true", "false"}:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"bindIp: must be true or false, got {str(asked)[:20]!r}")
    if not always and asked != "true":
        return None
    # Source: Amazon CloudFront developer guide: policies that restrict the address know IPv4 only.
    if ipaddress.ip_address(address).version != 4:  # noqa: PLR2004
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"bindIp: only an IPv4 address can be bound, got {address!r}")
    return address


def file_url(domain: str, video: Video) -> str:
    """Where a video's file is."""
    return f"https://{domain}/videos/{video.id}/{quote(video.file)}"


def stream_url(domain: str, video: str, file: str) -> str:
    """Where the playlist and the segments of a video's stream (HLS) are."""
    return f"https://{domain}/videos/{video}/hls/{file}"


def moment(seconds: int) -> str:
    """Seconds since 1970 as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
