"""SQS messages in, partial batch failures out: what a retry may heal is retried, the rest is written down."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from image_renditions.events import Upload, uploads
from image_renditions.pipeline import Outcome, process
from image_renditions.settings import Settings, SettingsError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = Logger(service=os.getenv("POWERTOOLS_SERVICE_NAME", "image-renditions"))
tracer = Tracer(service=logger.service, patch_modules=["botocore"])
metrics = Metrics(namespace=os.getenv("POWERTOOLS_METRICS_NAMESPACE", "ImageRenditions"), service=logger.service)
# A batch that fails as a whole is reported like any other, message by message, and not as a crash of the function.
_processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@cache
def settings() -> Settings:
    """The function's settings, read once, at the first message."""
    return Settings.of(os.environ)


@cache
def s3_client() -> "S3Client":
    """The S3 client, made once, at the first message."""
    return boto3.client("s3")


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Lambda entry point; the event source needs ``ReportBatchItemFailures``.

    Raises:
        SettingsError: A variable of the environment is missing or wrong: the whole batch is retried.
    """
    metrics.add_dimension("rendition", settings().rendition)
    return process_partial_response(event, _record, _processor, context)


def _record(record: SQSRecord) -> None:
    try:
        created = uploads(record.body)
        for upload in created:
            _upload(upload)
    except Exception:
        # The batch processor takes the exception and reports the message as failed; here it is logged with its id.
        logger.exception("message failed and will be retried", extra={"message_id": record.message_id})
        metrics.add_metric("Failed", MetricUnit.Count, 1)
        raise
    if not created:
        logger.info("message tells of no upload", extra={"message_id": record.message_id})
        metrics.add_metric("Skipped", MetricUnit.Count, 1)


@tracer.capture_method(capture_response=False)
def _upload(upload: Upload) -> None:
    if upload.bucket == settings().bucket:
        raise SettingsError(
            f"RENDITIONS_BUCKET: must not be the bucket of the uploads, got {upload.bucket!r} for both; each rendition "
            "would start the next"
        )
    _report(upload, process(s3_client(), upload, settings()))


def _report(upload: Upload, outcome: Outcome) -> None:
    details: dict[str, Any] = {"bucket": upload.bucket, "key": upload.key, "written": outcome.key}
    if outcome.reason:
        logger.warning("rejected", extra=details | {"code": outcome.reason.code, "reason": outcome.reason.message})
    elif outcome.rendition:
        made = outcome.rendition
        details |= {"width": made.width, "height": made.height, "bytes": len(made.data), "source": made.source_format}
        logger.info("rendered", extra=details)
    else:
        logger.info(outcome.status, extra=details)
    metrics.add_metric(outcome.status.capitalize(), MetricUnit.Count, 1)
