"""SQS batch in, partial batch failures out: each order is stored once and told once."""

from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from order_worker.rules import Order, notice
from order_worker.settings import Settings

# As long as a message can live: 14 days in the queue's dead letters, from where it may be redriven.
_REMEMBER_SECONDS = 14 * 24 * 3600

logger = Logger()
tracer = Tracer()
metrics = Metrics()
batches = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
idempotency = IdempotencyConfig(
    event_key_jmespath="orderId",
    # The same id with another content is no redelivery but a mistake: Powertools refuses it.
    payload_validation_jmespath="[item, quantity]",
    raise_on_no_idempotency_key=True,
    expires_after_seconds=_REMEMBER_SECONDS,
)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Work on a batch; what fails is delivered again and ends in the dead letters, the rest is done."""
    idempotency.register_lambda_context(context)
    return process_partial_response(event=event, record_handler=_record, processor=batches, context=context)


def _record(record: SQSRecord) -> None:
    order = Order.model_validate_json(record.body)
    logger.append_keys(order_id=order.orderId, message_id=record.message_id)
    _process()(order=order.model_dump())


@cache
def _process() -> Callable[..., None]:
    """Made at the first message, so that importing the module needs neither settings nor AWS."""
    settings = Settings()  # values come from the environment
    dynamodb, sns = boto3.client("dynamodb"), boto3.client("sns")

    @idempotent_function(
        data_keyword_argument="order",
        config=idempotency,
        persistence_store=DynamoDBPersistenceLayer(settings.idempotency_table, boto3_client=dynamodb),
    )
    def process(order: dict[str, Any]) -> None:
        accepted = Order.model_validate(order)
        item = {
            "orderId": {"S": accepted.orderId},
            "item": {"S": accepted.item},
            "quantity": {"N": str(accepted.quantity)},
        }
        # The same content may be there: from an earlier attempt of ours that broke off before it was told.
        dynamodb.put_item(
            TableName=settings.orders_table,
            Item=item,
            ConditionExpression="attribute_not_exists(orderId) OR (#item = :item AND quantity = :quantity)",
            ExpressionAttributeNames={"#item": "item"},
            ExpressionAttributeValues={":item": item["item"], ":quantity": item["quantity"]},
        )
        sns.publish(TopicArn=settings.notices_topic_arn, Message=notice(accepted))
        metrics.add_metric(name="OrdersStored", unit=MetricUnit.Count, value=1)
        logger.info("order stored and told")

    return process
