"""Posts and subscribers in their tables."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from blog_api.rules import Draft, excerpt, new_id, subscriber_key

# All posts are one partition, in the order of their ids, which is that of time: a blog is rarely written, and what is
# often read is cached in front of the API.
_BLOG = {"S": "blog"}


class UnknownPostError(LookupError):
    """There is no such post."""


@dataclass(frozen=True)
class Page:
    """Some posts, newest first, without their texts."""

    posts: list[dict[str, str]]
    before: str | None
    """Where the next page begins; None at the end."""


class Posts:
    """The posts' table.

    Args:
        table: Its name.
        dynamodb: boto3 client of DynamoDB.
    """

    def __init__(self, table: str, dynamodb: Any) -> None:
        self._table = table
        self._dynamodb = dynamodb

    def add(self, draft: Draft, thumbnail: str | None) -> dict[str, str]:
        """Store a new post."""
        post = {
            "id": new_id(),
            "title": draft.title,
            "text": draft.text,
            "excerpt": excerpt(draft.text),
            "published": _now(),
        }
        if thumbnail:
            post["photo"] = thumbnail
        item = {"blog": _BLOG, **{name: {"S": value} for name, value in post.items()}}
        self._dynamodb.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(id)")
        return post

    def get(self, post_id: str) -> dict[str, str]:
        """One post.

        Raises:
            UnknownPostError: There is none of this id.
        """
        key = {"blog": _BLOG, "id": {"S": post_id}}
        item = self._dynamodb.get_item(TableName=self._table, Key=key).get("Item")
        if not item:
            raise UnknownPostError(post_id)
        return _plain(item)

    def page(self, limit: int, before: str | None) -> Page:
        """Posts that are older than ``before``, or the newest."""
        values = {":blog": _BLOG} | ({":before": {"S": before}} if before else {})
        answer = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="blog = :blog AND id < :before" if before else "blog = :blog",
            ExpressionAttributeValues=values,
            # "text" is left out: a list of long posts would be long.
            ProjectionExpression="id, title, excerpt, published, photo",
            ScanIndexForward=False,
            # One more tells whether there is a next page.
            Limit=limit + 1,
        )
        found = [_plain(item) for item in answer["Items"]]
        return Page(found[:limit], found[limit - 1]["id"] if len(found) > limit else None)


class Subscribers:
    """The subscribers' table; its stream starts the welcome.

    Args:
        table: Its name.
        dynamodb: boto3 client of DynamoDB.
    """

    def __init__(self, table: str, dynamodb: Any) -> None:
        self._table = table
        self._dynamodb = dynamodb

    def add(self, email: str) -> bool:
        """Subscribe, once: False when this mailbox is there already, which the caller must not tell anybody."""
        item = {"email": subscriber_key(email), "address": email, "subscribed": _now()}
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item={name: {"S": value} for name, value in item.items()},
                ConditionExpression="attribute_not_exists(email)",
            )
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _plain(item: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: value["S"] for name, value in item.items() if name != "blog"}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
