"""SQS batch in, partial batch failures out: each order is taken from stock once, however often it is delivered."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from catalog_api import connections
from catalog_api.rules import OrderPlaced
from catalog_api.store import RefusedError

logger = Logger()
tracer = Tracer()
metrics = Metrics()
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Work on a batch; what fails is delivered again and ends in the dead letters, the rest is done."""
    return process_partial_response(event=event, record_handler=_record, processor=processor, context=context)


def _record(record: SQSRecord) -> None:
    try:
        order = OrderPlaced.model_validate_json(record.body)
        logger.set_correlation_id(order.correlation_id)
        new = connections.store().take(order)
    except (ValidationError, RefusedError) as refusal:
        # It ends in the dead letters after its deliveries. From where this function stands no queue can be reached, so
        # it cannot hurry them.
        logger.warning("order refused", message_id=record.message_id, reason=str(refusal))
        raise
    # Also when it was done before: the one who did it may have come no further.
    for sku in order.quantities():
        connections.products().changed(sku)
    metrics.add_metric(name="OrdersTaken", unit=MetricUnit.Count, value=int(new))
    logger.info("order taken from stock" if new else "order known", order_id=order.order_id, event_id=order.id)
