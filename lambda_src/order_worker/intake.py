"""Takes an order in: once per id, whatever is delivered again."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyValidationError
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from order_worker.rules import Order, notice
from order_worker.settings import Settings

# As long as a message can live: 14 days in the queue's dead letters, from where it may be redriven.
_REMEMBER_SECONDS = 14 * 24 * 3600


class ConflictingOrderError(ValueError):
    """The id belongs to another order."""


class Intake:
    """Stores orders and tells subscribers, once per order id.

    Args:
        settings: Names of the tables and of the topic.
        dynamodb: boto3 client of DynamoDB.
        sns: boto3 client of SNS.
    """

    def __init__(self, settings: Settings, dynamodb: Any, sns: Any) -> None:
        self._settings = settings
        self._dynamodb = dynamodb
        self._sns = sns
        self._config = IdempotencyConfig(
            event_key_jmespath="orderId",
            # The same id with other content is no redelivery but a mistake, which Powertools refuses.
            payload_validation_jmespath="[item, quantity]",
            raise_on_no_idempotency_key=True,
            expires_after_seconds=_REMEMBER_SECONDS,
        )
        self._once: Callable[..., None] = idempotent_function(
            self._store_and_tell,
            data_keyword_argument="order",
            config=self._config,
            persistence_store=DynamoDBPersistenceLayer(settings.idempotency_table, boto3_client=dynamodb),
        )

    def remember(self, context: LambdaContext) -> None:
        """Tell the idempotency record how long this invocation can last."""
        self._config.register_lambda_context(context)

    def accept(self, order: Order) -> None:
        """Store and tell the order unless that was done already.

        Raises:
            ConflictingOrderError: The id belongs to an order with other content.
        """
        try:
            self._once(order=order.model_dump())
        except IdempotencyValidationError:
            raise ConflictingOrderError(f"orderId: must be new, {order.orderId!r} belongs to another order") from None

    def _store_and_tell(self, order: dict[str, Any]) -> None:
        accepted = Order.model_validate(order)
        item, quantity = {"S": accepted.item}, {"N": str(accepted.quantity)}
        try:
            # The same content may be there, from an earlier attempt of ours that broke off before it was told.
            self._dynamodb.put_item(
                TableName=self._settings.orders_table,
                Item={"orderId": {"S": accepted.orderId}, "item": item, "quantity": quantity},
                ConditionExpression="attribute_not_exists(orderId) OR (#item = :item AND quantity = :quantity)",
                ExpressionAttributeNames={"#item": "item"},
                ExpressionAttributeValues={":item": item, ":quantity": quantity},
            )
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise ConflictingOrderError(
                f"orderId: must be new, {accepted.orderId!r} belongs to another order"
            ) from refusal
        self._sns.publish(TopicArn=self._settings.notices_topic_arn, Message=notice(accepted))
