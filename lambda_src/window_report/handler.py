"""SQS batch in, partial batch failures out: the hour of each new object is reported on."""

from functools import cache, partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from window_report.athena import Athena
from window_report.events import created
from window_report.reports import OvertakenError, Reports
from window_report.rules import window_of
from window_report.settings import Settings

logger = Logger()
tracer = Tracer()
metrics = Metrics()
batches = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Lambda entry point; what fails is delivered again and ends in the dead letters, the rest is done."""
    reports = Reports(_settings(), _s3(), _athena(), lambda: context.get_remaining_time_in_millis() / 1000)
    return process_partial_response(
        event=event, record_handler=partial(_record, reports), processor=batches, context=context
    )


def _record(reports: Reports, record: SQSRecord) -> None:
    try:
        windows = sorted({window_of(key) for key in created(record.body)}, key=lambda each: (each.day, each.hour))
    except ValueError as refusal:
        # Waiting cannot mend it: deliver it again at once, so that it is soon found among the dead letters.
        logger.warning("message refused", message_id=record.message_id, reason=str(refusal))
        _release(record)
        raise
    for window in windows:
        try:
            key = reports.refresh(window)
        except OvertakenError as overtaken:
            logger.info("report overtaken", message_id=record.message_id, reason=str(overtaken))
            _release(record)  # The other writer is done: now is a good time.
            raise
        except Exception:
            # The batch processor takes the exception and reports the message as failed; here it is logged with its id.
            logger.exception("message failed and will be retried", message_id=record.message_id)
            raise
        logger.info("report written", message_id=record.message_id, key=key)
        metrics.add_metric(name="ReportsWritten", unit=MetricUnit.Count, value=1)


def _release(record: SQSRecord) -> None:
    _sqs().change_message_visibility(
        QueueUrl=record.queue_url, ReceiptHandle=record.receipt_handle, VisibilityTimeout=0
    )


# Made at the first message, so that importing this module needs neither settings nor AWS.
@cache
def _settings() -> Settings:
    return Settings()


@cache
def _athena() -> Athena:
    return Athena(boto3.client("athena"), _settings().workgroup)


@cache
def _s3() -> Any:
    return boto3.client("s3")


@cache
def _sqs() -> Any:
    return boto3.client("sqs")
