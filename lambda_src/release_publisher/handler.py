"""SQS batch in, partial batch failures out: releases are published, or written down as rejected with the reason."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from release_publisher.events import Upload, uploads
from release_publisher.rules import (
    INCOMING,
    MAX_MANIFEST_BYTES,
    REJECTED,
    Entry,
    Manifest,
    RejectedError,
    version_in,
)
from release_publisher.settings import Settings
from release_publisher.shelf import Fetch, Shelf

logger = Logger()
tracer = Tracer()
metrics = Metrics()
batches = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
_PIECE = 1024 * 1024


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Work on a batch; what fails for reasons of ours is delivered again and ends in the dead letters."""
    return process_partial_response(event=event, record_handler=_record, processor=batches, context=context)


def _record(record: SQSRecord) -> None:
    for upload in uploads(record.body):
        try:
            version = version_in(upload.key)
            new = _publish(upload, version)
        except RejectedError as rejection:
            _reject(upload, str(rejection))
        else:
            logger.info("release published" if new else "release was published before", version=version)
            metrics.add_metric(name="ReleasesPublished", unit=MetricUnit.Count, value=int(new))


def _publish(upload: Upload, version: str) -> bool:
    manifest = Manifest.of(_manifest(upload), version, settings().max_release_bytes)
    return Shelf(settings().releases_root).publish(manifest, _fetching(upload.bucket, version))


def _manifest(upload: Upload) -> bytes:
    found = s3().get_object(Bucket=upload.bucket, Key=upload.key)
    if found["ContentLength"] > MAX_MANIFEST_BYTES:
        raise RejectedError(f"{upload.key}: must have at most {MAX_MANIFEST_BYTES} bytes, got {found['ContentLength']}")
    content: bytes = found["Body"].read()
    return content


def _fetching(bucket: str, version: str) -> Fetch:
    def fetch(entry: Entry) -> Iterator[bytes]:
        try:
            found = s3().get_object(Bucket=bucket, Key=f"{INCOMING}{version}/{entry.name}")
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            raise RejectedError(f"{entry.name}: is in the manifest, but not in the bucket") from error
        # Before a byte is copied: what is too large would only fill the file system.
        if found["ContentLength"] != entry.size:
            said = f"must have {entry.size} bytes as the manifest says, got {found['ContentLength']}"
            raise RejectedError(f"{entry.name}: {said}")
        return iter(found["Body"].iter_chunks(_PIECE))

    return fetch


def _reject(upload: Upload, reason: str) -> None:
    """Write the reason where whoever uploaded it finds it; trying again would change nothing."""
    logger.warning("release rejected", key=upload.key, reason=reason)
    metrics.add_metric(name="ReleasesRejected", unit=MetricUnit.Count, value=1)
    s3().put_object(
        Bucket=upload.bucket,
        Key=f"{REJECTED}{upload.key}",
        Body=json.dumps({"key": upload.key, "reason": reason}).encode(),
        ContentType="application/json",
    )


# Made at the first message, so that importing this module needs neither settings nor AWS.
@cache
def settings() -> Settings:
    """The function's settings."""
    return Settings()


@cache
def s3() -> Any:
    """The client of S3."""
    return boto3.client("s3")
