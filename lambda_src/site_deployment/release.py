"""A release of a site: out of its archive into the bucket; and the way back when the stack is deleted."""

import json
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from site_deployment import rules


@dataclass(frozen=True)
class Release:
    """What the custom resource asks for.

    Attributes:
        source_bucket: Bucket of the archive.
        source_key: Key of the archive (zip).
        bucket: The site's bucket.
        distribution: Id of the distribution in front of it.
        config: Key -> value of config.json, known at deploy time; none: no such file.
        empty_on_delete: Whether the objects leave with the stack.
    """

    source_bucket: str
    source_key: str
    bucket: str
    distribution: str
    config: dict[str, str]
    empty_on_delete: bool

    @classmethod
    def of(cls, properties: dict[str, Any]) -> "Release":
        """From the custom resource's properties; a missing one raises a KeyError that names it."""
        return cls(
            source_bucket=properties["SourceBucket"],
            source_key=properties["SourceKey"],
            bucket=properties["Bucket"],
            distribution=properties["DistributionId"],
            config=dict(properties.get("Config", {})),
            empty_on_delete=properties.get("EmptyOnDelete") == "true",
        )


def deploy(release: Release, s3: Any) -> int:
    """Write assets first, then pages, then remove what is outdated; how many files were written."""
    archive = s3.get_object(Bucket=release.source_bucket, Key=release.source_key)["Body"].read()
    with zipfile.ZipFile(BytesIO(archive)) as packed:
        files = {name: packed.read(name) for name in packed.namelist() if not name.endswith("/")}
    if release.config:
        files["config.json"] = json.dumps(release.config, sort_keys=True).encode()
    # A page must never come before what it refers to.
    for key in sorted(files, key=lambda key: (not key.startswith(rules.HASHED), key)):
        s3.put_object(Bucket=release.bucket, Key=key, Body=files[key], **rules.headers(key))
    _delete(release, rules.outdated(_present(release, s3), files, datetime.now(UTC)), s3)
    return len(files)


def remove(release: Release, s3: Any) -> None:
    """Empty the bucket, when that was asked for."""
    if release.empty_on_delete:
        _delete(release, sorted(_present(release, s3)), s3)


def invalidate(release: Release, cloudfront: Any, reference: str) -> None:
    """Let the edges forget the pages; assets have new names."""
    cloudfront.create_invalidation(
        DistributionId=release.distribution,
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": reference},
    )


def _present(release: Release, s3: Any) -> dict[str, datetime]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=release.bucket)
    return {one["Key"]: one["LastModified"] for page in pages for one in page.get("Contents", [])}


def _delete(release: Release, keys: list[str], s3: Any) -> None:
    for key in keys:
        s3.delete_object(Bucket=release.bucket, Key=key)
