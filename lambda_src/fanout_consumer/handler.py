"""SQS batch in, partial batch failures out: each event is recorded once, and in order from a FIFO queue."""

from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    SqsFifoPartialProcessor,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from fanout_consumer.records import Place, Records
from fanout_consumer.rules import RefusedError, read, usable
from fanout_consumer.settings import Settings

logger = Logger()
tracer = Tracer()
metrics = Metrics()
in_any_order = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
# What follows a failure in its group waits for it; other groups go on.
in_order = SqsFifoPartialProcessor(skip_group_on_error=True)
in_order.raise_on_entire_batch_failure = False  # its constructor does not take it


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Work on a batch; what fails is delivered again and ends in the dead letters, the rest is done."""
    fifo = any(_is_ordered(record["eventSourceARN"]) for record in event["Records"])
    processor = in_order if fifo else in_any_order
    return process_partial_response(event=event, record_handler=_record, processor=processor, context=context)


def _record(record: SQSRecord) -> None:
    # Standard queues may have groups too, for fairness; theirs say nothing of order.
    place = _place(record) if _is_ordered(record.event_source_arn) else None
    try:
        event = read(record.body)
        usable(event, needs=_settings().needs, group=place.group if place else None)
        new = _records().add(event, place)
    except (ValidationError, RefusedError) as refusal:
        # Waiting cannot mend it: deliver it again at once, so that it is soon found among the dead letters.
        logger.warning("event refused", message_id=record.message_id, reason=str(refusal))
        _sqs().change_message_visibility(
            QueueUrl=record.queue_url, ReceiptHandle=record.receipt_handle, VisibilityTimeout=0
        )
        raise
    metrics.add_metric(name="EventsRecorded", unit=MetricUnit.Count, value=int(new))
    logger.info("event recorded" if new else "event known", message_id=record.message_id, event_id=event.id)


def _is_ordered(queue_arn: str) -> bool:
    return queue_arn.endswith(".fifo")


def _place(record: SQSRecord) -> Place:
    attributes = record.raw_event["attributes"]
    return Place(group=attributes["MessageGroupId"], sequence=attributes["SequenceNumber"])


# Made at the first message, so that importing this module needs neither settings nor AWS.
@cache
def _settings() -> Settings:
    return Settings()


@cache
def _records() -> Records:
    return Records(_settings().records_table, _settings().consumer, boto3.client("dynamodb"))


@cache
def _sqs() -> Any:
    return boto3.client("sqs")
