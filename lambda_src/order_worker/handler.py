"""SQS batch in, partial batch failures out: each order is stored once and told once."""

from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from order_worker.intake import ConflictingOrderError, Intake
from order_worker.rules import Order
from order_worker.settings import Settings

logger = Logger()
tracer = Tracer()
metrics = Metrics()
batches = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Work on a batch; what fails is delivered again and ends in the dead letters, the rest is done."""
    _intake().remember(context)
    return process_partial_response(event=event, record_handler=_record, processor=batches, context=context)


def _record(record: SQSRecord) -> None:
    try:
        order = Order.model_validate_json(record.body)
        _intake().accept(order)
    except (ValidationError, ConflictingOrderError) as refusal:
        # Waiting cannot mend it: deliver it again at once, so that it is soon found among the dead letters.
        logger.warning("order refused", message_id=record.message_id, reason=str(refusal))
        _sqs().change_message_visibility(
            QueueUrl=record.queue_url, ReceiptHandle=record.receipt_handle, VisibilityTimeout=0
        )
        raise
    metrics.add_metric(name="OrdersStored", unit=MetricUnit.Count, value=1)
    logger.info("order stored", message_id=record.message_id, order_id=order.orderId)


# Made at the first message, so that importing this module needs neither settings nor AWS.
@cache
def _intake() -> Intake:
    return Intake(Settings(), boto3.client("dynamodb"), boto3.client("sns"))


@cache
def _sqs() -> Any:
    return boto3.client("sqs")
