"""Photos: where an author uploads one, and what became of it."""

import json
from dataclasses import dataclass
from typing import Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from blog_api.rules import NewPhoto, new_id
from blog_api.settings import Settings

UPLOAD_SECONDS = 300
# As the construct ImageRenditions names its results.
_MADE = "thumbnail"
_REJECTED = "rejected/thumbnail"


@dataclass(frozen=True)
class Photo:
    """What became of an upload."""

    status: Literal["pending", "ready", "rejected"]
    thumbnail: str | None = None
    reason: str | None = None


class Photos:
    """Uploads and thumbnails.

    Args:
        settings: Names of the buckets and the upload endpoint.
        s3: boto3 client of S3 that reads results.
        uploads: boto3 client of S3 whose endpoint browsers can reach; it only signs.
    """

    def __init__(self, settings: Settings, s3: Any, uploads: Any) -> None:
        self._settings = settings
        self._s3 = s3
        self._uploads = uploads

    def ticket(self, photo: NewPhoto) -> dict[str, Any]:
        """A URL for one PUT of exactly this many bytes of this type, good for five minutes."""
        photo_id = new_id()
        url = self._uploads.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self._settings.uploads_bucket,
                "Key": self._key(photo_id),
                "ContentType": photo.content_type,
                "ContentLength": photo.size,
            },
            ExpiresIn=UPLOAD_SECONDS,
        )
        return {"id": photo_id, "method": "PUT", "url": url, "headers": {"Content-Type": photo.content_type}}

    def state(self, photo_id: str) -> Photo:
        """Whether it is a thumbnail by now, was rejected, or neither yet."""
        for suffix in (".jpg", ".webp"):
            key = f"{_MADE}/{self._key(photo_id)}{suffix}"
            if self._found("head_object", key) is not None:
                return Photo("ready", thumbnail=f"/{key}")
        rejection = self._found("get_object", f"{_REJECTED}/{self._key(photo_id)}.json")
        if rejection is None:
            return Photo("pending")
        return Photo("rejected", reason=str(json.loads(rejection["Body"].read())["message"]))

    def _key(self, photo_id: str) -> str:
        return f"{self._settings.uploads_prefix}{photo_id}"

    def _found(self, operation: str, key: str) -> dict[str, Any] | None:
        try:
            return dict(getattr(self._s3, operation)(Bucket=self._settings.renditions_bucket, Key=key))
        except ClientError as missing:
            if missing.response["Error"]["Code"] not in {"404", "NoSuchKey", "NotFound"}:
                raise
            return None


def upload_client(endpoint: str) -> Any:
    """A client that signs for ``https://<bucket>.<endpoint's host>``."""
    return boto3.client(
        "s3", endpoint_url=endpoint, config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    )
