"""DynamoDB stream records in, partial batch failures out: each new order is published."""

import json
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from order_publisher.rules import message, order_placed
from order_publisher.settings import Settings

logger = Logger()
tracer = Tracer()
metrics = Metrics()
_LONGEST_REASON = 2000
batches = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Work on a batch; what cannot be published is delivered again, until it can or is too old."""
    return process_partial_response(event=event, record_handler=_record, processor=batches, context=context)


def _record(record: DynamoDBRecord) -> None:
    # Changes and deletions of orders are no orders.
    if record.raw_event.get("eventName") != "INSERT":
        return
    try:
        event = order_placed(record.dynamodb.new_image if record.dynamodb else {})
    except ValidationError as refusal:
        _refuse(record, refusal)
        return
    try:
        _sns().publish(TopicArn=_settings().topic_arn, **message(event))
    except Exception:
        # The batch processor takes the exception; here it is logged with the record's id.
        logger.exception("an order was not published and will be tried again", stream_event_id=record.event_id)
        raise
    logger.set_correlation_id(event.correlation_id)
    metrics.add_metric(name="OrdersPublished", unit=MetricUnit.Count, value=1)
    logger.info("order published", event_id=event.id)


def _refuse(record: DynamoDBRecord, refusal: ValidationError) -> None:
    """Tell the failures of it: it will never be an order, and delivered again it would hold up those behind it."""
    reason = str(refusal)[:_LONGEST_REASON]
    told = {"reason": reason, "streamEventId": record.event_id, "keys": record.raw_event["dynamodb"].get("Keys")}
    _sqs().send_message(QueueUrl=_settings().failures_url, MessageBody=json.dumps(told))
    metrics.add_metric(name="OrdersRefused", unit=MetricUnit.Count, value=1)
    logger.error("what is no order was not published", stream_event_id=record.event_id, reason=reason)


# Made at the first record, so that importing this module needs neither settings nor AWS.
@cache
def _settings() -> Settings:
    return Settings()


@cache
def _sns() -> Any:
    return boto3.client("sns")


@cache
def _sqs() -> Any:
    return boto3.client("sqs")
