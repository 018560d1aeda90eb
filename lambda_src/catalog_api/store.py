"""The table: products by SKU, and which orders were taken from stock."""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from catalog_api.rules import NewProduct, OrderPlaced, Product

# Deliveries of a message end long before: a queue keeps one for 14 days at most.
_REMEMBERED_SECONDS = 30 * 86_400
_FAILED = "ConditionalCheckFailed"


class RefusedError(ValueError):
    """An order that cannot be taken from stock, now or later, without somebody's help."""


class Store:
    """Products in a table with the partition key ``sku``, whose items end at ``expires`` where they have it.

    Args:
        table: Name of the table.
        dynamodb: boto3 client of DynamoDB.
        now: Seconds since 1970.
    """

    def __init__(self, table: str, dynamodb: Any, *, now: Callable[[], float] = time.time) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._now = now

    def get(self, sku: str) -> Product | None:
        """The product as it is now; None: there is none."""
        answer = self._dynamodb.get_item(TableName=self._table, Key={"sku": {"S": sku}}, ConsistentRead=True)
        return _product(answer["Item"]) if "Item" in answer else None

    def put(self, sku: str, product: NewProduct) -> tuple[Product, bool]:
        """Write a product; it, and whether it is a new one."""
        item = {
            "sku": {"S": sku},
            "name": {"S": product.name},
            "price": {"N": str(product.price)},
            "stock": {"N": str(product.stock)},
        }
        answer = self._dynamodb.put_item(TableName=self._table, Item=item, ReturnValues="ALL_OLD")
        return _product(item), not answer.get("Attributes")

    def take(self, order: OrderPlaced) -> bool:
        """Take what was ordered from stock, all of it or nothing; False when that was done already.

        Raises:
            RefusedError: A product does not exist, or there is less of it than was ordered.
        """
        mark = {"sku": {"S": f"order#{order.order_id}"}, "expires": {"N": str(int(self._now()) + _REMEMBERED_SECONDS)}}
        wanted = order.quantities()
        done = {"TableName": self._table, "Item": mark, "ConditionExpression": "attribute_not_exists(sku)"}
        try:
            self._dynamodb.transact_write_items(
                TransactItems=[{"Put": done}, *({"Update": self._less(sku, less)} for sku, less in wanted.items())]
            )
        except ClientError as refusal:
            return self._known_or_refused(order, list(wanted), refusal)
        return True

    def _less(self, sku: str, quantity: int) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": {"sku": {"S": sku}},
            "UpdateExpression": "SET stock = stock - :quantity",
            # A product that does not exist has no stock either.
            "ConditionExpression": "stock >= :quantity",
            "ExpressionAttributeValues": {":quantity": {"N": str(quantity)}},
        }

    def _known_or_refused(self, order: OrderPlaced, skus: list[str], refusal: ClientError) -> bool:
        answer: Any = refusal.response
        mark, *items = [reason.get("Code") for reason in answer.get("CancellationReasons") or [{}]]
        if mark == _FAILED:
            return False
        short = [sku for sku, code in zip(skus, items, strict=False) if code == _FAILED]
        if short:
            raise RefusedError(f"items: must be in stock, order {order.order_id} has {', '.join(short)}") from refusal
        raise refusal


def _product(item: dict[str, Any]) -> Product:
    return Product(
        sku=item["sku"]["S"], name=item["name"]["S"], price=int(item["price"]["N"]), stock=int(item["stock"]["N"])
    )
