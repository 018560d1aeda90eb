"""Orders in their table: each is written once. Its stream tells the rest of the world."""

import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

import anyio.to_thread
import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from orders_service.rules import Order
from service_kit.logs import logger
from service_kit.problems import UnavailableError
from service_kit.waiting import within

_log = logger(__name__)
_T = TypeVar("_T")
# One attempt of the SDK, and all of them.
_CALL_SECONDS = 1.0
_TOTAL_SECONDS = 2.5
# DynamoDB's bad moments; the SDK has tried again before one of these gets here.
_PASSING = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
}


class Store:
    """All orders.

    Args:
        table: Name of the table.
        client: Of DynamoDB; it may be used by several threads.
    """

    def __init__(self, table: str, client: Any) -> None:
        self._table = table
        self._client = client

    async def get(self, order_id: uuid.UUID) -> Order | None:
        """An order; None if there is none."""
        found = await self._called(self._client.get_item, Key={"orderId": {"S": str(order_id)}}, ConsistentRead=True)
        return _order(found["Item"]) if "Item" in found else None

    async def add(self, order: Order) -> Order:
        """Write an order, unless there is one of its id.

        Returns:
            What is there now: this order, or the one that was there before.
        """
        try:
            await self._called(
                self._client.put_item,
                Item=_item(order),
                ConditionExpression="attribute_not_exists(orderId)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            # Ours, too, if an answer was lost and the SDK wrote it a second time.
            item: Any = refusal.response.get("Item")
            return _order(item)
        return order

    async def check(self) -> None:
        """Whether it can be read."""
        await self.get(uuid.UUID(int=0))

    async def _called(self, operation: Callable[..., _T], **request: Any) -> _T:
        call = partial(operation, TableName=self._table, **request)
        try:
            return await within(_TOTAL_SECONDS, anyio.to_thread.run_sync(call, abandon_on_cancel=True))
        except (TimeoutError, BotoCoreError) as error:
            raise _unavailable(error) from error
        except ClientError as error:
            if error.response["Error"]["Code"] in _PASSING:
                raise _unavailable(error) from error
            raise


def store(table: str, region: str) -> Store:
    """A store that gives up soon, so that a request can be answered."""
    config = Config(
        connect_timeout=_CALL_SECONDS,
        read_timeout=_CALL_SECONDS,
        retries={"total_max_attempts": 3, "mode": "standard"},
        max_pool_connections=50,
    )
    return Store(table, boto3.client("dynamodb", region_name=region, config=config))


def _item(order: Order) -> dict[str, Any]:
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in order.model_dump(mode="json", by_alias=True).items()}


def _order(item: dict[str, Any]) -> Order:
    deserialize = TypeDeserializer().deserialize
    return Order.model_validate({name: _plain(deserialize(value)) for name, value in item.items()})


def _plain(value: Any) -> Any:
    """DynamoDB's numbers are decimals; ours are whole."""
    match value:
        case Decimal():
            return int(value)
        case list():
            return [_plain(one) for one in value]
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case _:
            return value


def _unavailable(error: Exception) -> UnavailableError:
    _log.warning("the table of orders does not answer", reason=f"{type(error).__name__}: {error}"[:500])
    return UnavailableError("The orders do not answer; try again. With the same key nothing is ordered twice.")
