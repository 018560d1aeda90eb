"""Releases of software: made and uploaded by one who may, fetched by clients that check what they get."""

import hashlib
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from journeys._http import Response
from journeys._world import World

SECONDS = 120
"""Within which a release is out: told, checked, put on the shelf, and forgotten as missing by the edge."""


@dataclass(frozen=True)
class Release:
    """A version and its files."""

    version: str
    files: Mapping[str, bytes]

    @property
    def manifest(self) -> dict[str, Any]:
        """As it is uploaded."""
        listed = [{"name": name, "size": len(data), "sha256": sha256(data)} for name, data in self.files.items()]
        return {"version": self.version, "files": listed}


def sha256(data: bytes) -> str:
    """In hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def noise(seed: str, size: int) -> bytes:
    """Bytes that nothing compresses, the same for the same seed."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - data, not secrets


@dataclass
class Publisher:
    """Uploads as the role that may.

    Args:
        world: The journey's world.
    """

    world: World
    _first: int = field(default_factory=lambda: int(time.time()))

    def __post_init__(self) -> None:
        self.s3 = self.world.as_role(self.world.out["UploaderRoleArn"]).client("s3")
        self.bucket = self.world.out["ReleasesBucketName"]

    def version(self, minor: int) -> str:
        """A version newer than those of earlier runs."""
        return f"{self._first}.{minor}.0"

    def upload(self, release: Release, manifest: Mapping[str, Any] | bytes | None = None, at: str = "") -> str:
        """Upload files, and last the manifest, which may be another than the release's; the manifest's key."""
        folder = f"releases/{at or release.version}"
        for name, data in release.files.items():
            self.s3.put_object(Bucket=self.bucket, Key=f"{folder}/{name}", Body=data)
        told = release.manifest if manifest is None else manifest
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.s3.put_object(Bucket=self.bucket, Key=f"{folder}/manifest.json", Body=body)
        return f"{folder}/manifest.json"

    def rejection(self, key: str) -> str | None:
        """Why a release was rejected; None: it is not, yet."""
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=f"rejected/{key}").get("Contents", [])
        if not found:
            return None
        told = json.loads(self.s3.get_object(Bucket=self.bucket, Key=f"rejected/{key}")["Body"].read())
        return str(told["reason"])


@dataclass(frozen=True)
class Client:
    """Asks for updates at one address.

    Args:
        world: The journey's world.
        url: Without a slash at the end.
        headers: Sent with each request.
    """

    world: World
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Response:
        """GET ``/releases/<path>``; header names with "_" for "-"."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.world.http("GET", f"{self.url}/releases/{path}", headers={**self.headers, **sent})

    def manifest(self, version: str = "") -> Response:
        """The manifest of a version, or that of the latest."""
        return self.get(f"{version}/manifest.json" if version else "latest.json")

    def in_parts(self, version: str, name: str, size: int, parts: int) -> bytes:
        """A file in ranges, each of which continues what is there already."""
        data, etag = b"", ""
        step = -(-size // parts)
        while len(data) < size:
            condition = {"If_Range": etag} if etag else {}
            last = min(len(data) + step, size) - 1
            answer = self.get(f"{version}/{name}", Range=f"bytes={len(data)}-{last}", **condition)
            assert answer.status == 206, f"{name} from {len(data)}: expected 206, got {answer.status}"
            wanted = f"bytes {len(data)}-{last}/{size}"
            assert answer.headers["Content-Range"] == wanted, (
                f"expected {wanted}, got {answer.headers['Content-Range']}"
            )
            data, etag = data + answer.body, answer.headers["ETag"]
        return data
