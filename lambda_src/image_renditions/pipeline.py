"""Make the renditions bucket tell the truth about one uploaded object.

For each source key and rendition the bucket holds exactly one of: ``<rendition>/<key>.jpg``,
``<rendition>/<key>.webp``, ``rejected/<rendition>/<key>.json``. Events come late, twice and out of order, so an event
is only a hint that the object may have changed: whatever event came, the **current** object is read, its outcome
written and the other two deleted. After writing, the source is asked again; when it has changed meanwhile, the work is
done again. Whoever writes last has therefore seen the newest object: an older outcome written late is followed by its
writer's own second look. A crash before the second look leaves the message in the queue, and its retry starts from the
current object.

An object that is replaced by one that cannot be rendered loses its rendition: no picture is better than the wrong one.
"""

import hashlib
import json
import tempfile
from contextlib import closing
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from image_renditions.events import Upload
from image_renditions.limits import MIB, RejectedError, check_bytes
from image_renditions.rules import EXTENSIONS, Rendition, render
from image_renditions.settings import REJECTED, Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MAX_KEY: Final = 1024  # bytes of UTF-8, S3's limit
_MEMORY: Final = 8 * MIB  # a larger upload goes to the disk while it is read
_ATTEMPTS: Final = 3


class StillChangingError(RuntimeError):
    """The source was replaced during each attempt; the message is retried later."""


@dataclass(frozen=True)
class Source:
    """Version of the uploaded object that was read."""

    etag: str
    version_id: str | None
    size: int


@dataclass(frozen=True)
class Outcome:
    """What was done.

    Attributes:
        status: ``rendered``, ``rejected``, ``gone`` (deleted before it was read) or ``folder`` (an empty
            object whose key ends in "/", which the S3 console makes).
        key: The object written, if any.
        rendition: When rendered.
        reason: When rejected.
    """

    status: str
    key: str | None = None
    rendition: Rendition | None = None
    reason: RejectedError | None = None


def process(s3: "S3Client", upload: Upload, settings: Settings) -> Outcome:
    """Bring the rendition of one object up to date.

    Raises:
        ClientError: S3 refused or failed; the message must be retried.
        StillChangingError: See there.
    """
    for _ in range(_ATTEMPTS):
        outcome, source = _attempt(s3, upload, settings)
        if source is None or _current(s3, upload) in {source, None}:
            return outcome
    raise StillChangingError(f"{upload.key!r} changed during each of {_ATTEMPTS} attempts; it will be retried")


def _attempt(s3: "S3Client", upload: Upload, settings: Settings) -> tuple[Outcome, Source | None]:
    try:
        response = s3.get_object(Bucket=upload.bucket, Key=upload.key)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return Outcome("gone"), None
        raise
    source = _source(response)
    with closing(response["Body"]) as body:
        if upload.key.endswith("/") and source.size == 0:
            return Outcome("folder"), None
        try:
            _check_key(upload.key, settings)
            check_bytes(source.size, settings.limits)
            with tempfile.SpooledTemporaryFile(max_size=_MEMORY) as file:
                _copy(body, file, settings)
                rendition = render(file, settings.edge, quality=settings.quality, limits=settings.limits)
        except RejectedError as reason:
            key = _write_rejection(s3, upload, source, reason, settings)
            outcome = Outcome("rejected", key=key, reason=reason)
        else:
            key = _write_rendition(s3, upload, source, rendition, settings)
            outcome = Outcome("rendered", key=key, rendition=rendition)
    for other in _possible_keys(upload.key, settings) - {key}:
        s3.delete_object(Bucket=settings.bucket, Key=other)
    return outcome, source


def _current(s3: "S3Client", upload: Upload) -> Source | None:
    """What the source is now; None when it is gone, which is nobody's error."""
    try:
        return _source(s3.head_object(Bucket=upload.bucket, Key=upload.key))
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:  # HEAD has no body to name the error in
            return None
        raise


def _source(response: Any) -> Source:
    return Source(
        etag=response["ETag"].strip('"'), version_id=response.get("VersionId"), size=response["ContentLength"]
    )


def _copy(body: Any, file: IO[bytes], settings: Settings) -> None:
    read = 0
    for chunk in body.iter_chunks(MIB):
        read += len(chunk)
        check_bytes(read, settings.limits)
        file.write(chunk)


def _write_rendition(s3: "S3Client", upload: Upload, source: Source, rendition: Rendition, settings: Settings) -> str:
    key = f"{settings.rendition}/{upload.key}{rendition.extension}"
    extra: dict[str, Any] = {"CacheControl": settings.cache_control} if settings.cache_control else {}
    s3.put_object(
        Bucket=settings.bucket,
        Key=key,
        Body=rendition.data,
        ContentType=rendition.content_type,
        Metadata={
            "source-etag": source.etag,
            "source-version-id": source.version_id or "",
            "width": str(rendition.width),
            "height": str(rendition.height),
        },
        **extra,
    )
    return key


def _write_rejection(s3: "S3Client", upload: Upload, source: Source, reason: RejectedError, settings: Settings) -> str:
    key = _rejection_key(upload.key, settings)
    record = {
        "code": reason.code,
        "rule": reason.rule,
        "message": reason.message,
        "rendition": settings.rendition,
        "source": {
            "bucket": upload.bucket,
            "key": upload.key,
            "versionId": source.version_id,
            "etag": source.etag,
            "size": source.size,
        },
    }
    body = json.dumps(record, ensure_ascii=False, indent=2).encode()
    s3.put_object(Bucket=settings.bucket, Key=key, Body=body, ContentType="application/json")
    return key


def _possible_keys(key: str, settings: Settings) -> set[str]:
    renditions = {f"{settings.rendition}/{key}{extension}" for extension in EXTENSIONS.values()}
    return {name for name in renditions if len(name.encode()) <= _MAX_KEY} | {_rejection_key(key, settings)}


def _rejection_key(key: str, settings: Settings) -> str:
    prefix = f"{REJECTED}/{settings.rendition}/"
    name = f"{prefix}{key}.json"
    if len(name.encode()) <= _MAX_KEY:
        return name
    return f"{prefix}sha256-{hashlib.sha256(key.encode()).hexdigest()}.json"  # the record holds the key itself


def _check_key(key: str, settings: Settings) -> None:
    limit = _MAX_KEY - len(f"{settings.rendition}/{max(EXTENSIONS.values(), key=len)}")
    size = len(key.encode())
    if size > limit:
        raise RejectedError(
            "key-too-long",
            rule=f"key: at most {limit} bytes",
            message=f"The object's key has {size} bytes; {limit} leave room for the rendition's own key.",
        )
