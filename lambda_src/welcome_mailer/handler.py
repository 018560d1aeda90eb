"""DynamoDB stream records in, partial batch failures out: each new subscriber is welcomed once."""

from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from welcome_mailer.mailer import Mailer
from welcome_mailer.rules import new_subscriber
from welcome_mailer.settings import Settings

logger = Logger()
tracer = Tracer()
metrics = Metrics()
batches = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Work on a batch; a record that fails is delivered again, and told to the failure destination in the end."""
    _mailer().remember(context)
    return process_partial_response(event=event, record_handler=_record, processor=batches, context=context)


def _record(record: DynamoDBRecord) -> None:
    try:
        subscriber = new_subscriber(record.raw_event)
        if subscriber:
            _mailer().welcome(subscriber)
    except Exception:
        # The batch processor takes the exception; here it is logged with the record's id, never with the address.
        logger.exception("welcome failed and will be tried again", extra={"event_id": record.event_id})
        metrics.add_metric("WelcomesFailed", MetricUnit.Count, 1)
        raise
    logger.info("record done", event_id=record.event_id, welcomed=subscriber is not None)


# Made at the first record, so that importing this module needs neither settings nor AWS.
@cache
def _mailer() -> Mailer:
    return Mailer(Settings(), boto3.client("dynamodb"), boto3.client("sesv2"))
