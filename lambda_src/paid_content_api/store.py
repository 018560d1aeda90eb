"""The tables: what is sold, who may watch, what was charged."""

import uuid
from typing import Any

from botocore.exceptions import ClientError

from paid_content_api.rules import Purchase, Video
from paid_content_api.settings import Settings


class BusyError(Exception):
    """Somebody else writes the same at this moment; ask again."""


class Store:
    """Reads and writes the tables.

    Args:
        settings: Their names.
        dynamodb: boto3 client of DynamoDB.
    """

    def __init__(self, settings: Settings, dynamodb: Any) -> None:
        self._settings = settings
        self._dynamodb = dynamodb

    def video(self, video_id: str) -> Video | None:
        """A video that is sold."""
        key = {"videoId": {"S": video_id}}
        item = self._dynamodb.get_item(TableName=self._settings.videos_table, Key=key).get("Item")
        if item is None:
            return None
        price, currency = int(item["price"]["N"]), item["currency"]["S"]
        return Video(video_id, item["title"]["S"], price, currency, item["file"]["S"])

    def purchase(self, user: str, video_id: str) -> Purchase | None:
        """A user's purchase, over or not."""
        key = {"userId": {"S": user}, "videoId": {"S": video_id}}
        # Consistent, so that who has just paid may watch.
        table = self._settings.premium_table
        item = self._dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return _purchase(item) if item else None

    def purchases(self, user: str) -> list[Purchase]:
        """All purchases of a user, over or not."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._settings.premium_table,
            KeyConditionExpression="userId = :user",
            ExpressionAttributeValues={":user": {"S": user}},
            ConsistentRead=True,
        )
        return [_purchase(item) for page in pages for item in page["Items"]]

    def buy(self, user: str, video: Video, *, now: int, until: int) -> Purchase | None:
        """Charge for a video and let the user watch it, both or neither; None when there is a purchase that lasts.

        Raises:
            BusyError: Another purchase of the same is on its way.
        """
        made = Purchase(video.id, until, uuid.uuid4().hex)
        premium = {
            "userId": {"S": user},
            "videoId": {"S": video.id},
            "expiresAt": {"N": str(until)},
            "chargeId": {"S": made.charge_id},
        }
        charge = {
            "userId": {"S": user},
            "chargeId": {"S": made.charge_id},
            "videoId": {"S": video.id},
            "amount": {"N": str(video.price)},
            "currency": {"S": video.currency},
            "chargedAt": {"N": str(now)},
        }
        writes = [
            {
                "Put": {
                    "TableName": self._settings.premium_table,
                    "Item": premium,
                    "ConditionExpression": "attribute_not_exists(userId) OR expiresAt <= :now",
                    "ExpressionAttributeValues": {":now": {"N": str(now)}},
                }
            },
            {
                "Put": {
                    "TableName": self._settings.charges_table,
                    "Item": charge,
                    "ConditionExpression": "attribute_not_exists(chargeId)",
                }
            },
        ]
        try:
            self._dynamodb.transact_write_items(TransactItems=writes)
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            response: Any = refusal.response
            codes = [str(reason.get("Code")) for reason in response.get("CancellationReasons", [])]
            if codes[:1] == ["ConditionalCheckFailed"]:
                return None
            if "TransactionConflict" in codes:
                raise BusyError(video.id) from refusal
            raise
        return made


def _purchase(item: dict[str, Any]) -> Purchase:
    return Purchase(item["videoId"]["S"], int(item["expiresAt"]["N"]), item["chargeId"]["S"])
