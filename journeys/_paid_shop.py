"""The scenario's people and things, as the journey uses them: publisher, operator, viewers."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from journeys._cognito import User
from journeys._http import Response
from journeys._paid_video import CONTENT_TYPE
from journeys._world import World

FILE = "video.webm"
PLAYLIST = b"#EXTM3U\n#EXTINF:4,\nsegment-0.m4s\n#EXT-X-ENDLIST\n"


@dataclass(frozen=True)
class Key:
    """A signing key, as the stack's output names it.

    Attributes:
        name: Its name.
        id: Of the public key at CloudFront.
        secret: ARN of the private key's secret.
    """

    name: str
    id: str
    secret: str


class Shop:
    """What the journey does with the deployed shop.

    Args:
        world: Where.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.publisher = world.as_role(world.out["PublisherRoleArn"])

    # --- the publisher ------------------------------------------------------------------------------------------

    def publish(self, video: str, data: bytes) -> None:
        """Put a video, its stream, and what it costs into the shop; it leaves with the journey."""
        # The stream's segments are pieces of the same file: what matters here is who gets them, not how they decode.
        files = {
            FILE: (data, CONTENT_TYPE),
            "hls/index.m3u8": (PLAYLIST, "application/vnd.apple.mpegurl"),
            "hls/segment-0.m4s": (data[:4096], "video/iso.segment"),
        }
        for name, (content, kind) in files.items():
            key = f"videos/{video}/{name}"
            self.publisher.client("s3").put_object(
                Bucket=self._world.out["BucketName"], Key=key, Body=content, ContentType=kind
            )
            self._world.cleanup(self._world.client("s3").delete_object, Bucket=self._world.out["BucketName"], Key=key)
        item = {
            "videoId": {"S": video},
            "title": {"S": f"A film of {video}"},
            "price": {"N": "499"},
            "currency": {"S": "EUR"},
            "file": {"S": FILE},
        }
        table = self._world.out["VideosTableName"]
        self.publisher.client("dynamodb").put_item(TableName=table, Item=item)
        self._world.cleanup(self._world.client("dynamodb").delete_item, TableName=table, Key={"videoId": {"S": video}})

    # --- viewers ------------------------------------------------------------------------------------------------

    def url(self, path: str, **query: object) -> str:
        """A URL of the API."""
        return f"{self._world.out['ApiUrl']}{path}" + (f"?{urlencode(query)}" if query else "")

    def buy(self, user: User, video: str, key: str | None = None) -> Response:
        """Ask to buy."""
        headers = {"Idempotency-Key": key} if key else {}
        return user.http("POST", self.url(f"/videos/{video}/purchase"), headers=headers)

    def link(self, user: User, video: str, **query: object) -> Response:
        """Ask for a link."""
        return user.http("GET", self.url(f"/videos/{video}/link", **query))

    def signed_url(self, user: User, video: str, **query: object) -> str:
        """A link that must be given."""
        answer = self.link(user, video, **query)
        assert answer.status == 200, f"link: expected 200, got {answer.status}: {answer.text}"
        return str(answer.json()["url"])

    def get(self, url: str, **headers: str) -> Response:
        """Ask CloudFront."""
        return self._world.http("GET", url, headers=headers)

    # --- the operator -------------------------------------------------------------------------------------------

    def charges(self, user: User) -> list[dict[str, Any]]:
        """What a user was charged."""
        answer = self._world.client("dynamodb").query(
            TableName=self._world.out["ChargesTableName"],
            KeyConditionExpression="userId = :user",
            ExpressionAttributeValues={":user": {"S": user.sub}},
            ConsistentRead=True,
        )
        return list(answer["Items"])

    def forget(self, user: User) -> None:
        """Remove a user's purchases and charges at the journey's end."""
        self._world.cleanup(self._remove, user.sub)

    def expire(self, user: User, video: str) -> None:
        """Let a user's purchase be over since a minute ago."""
        key = {"userId": {"S": user.sub}, "videoId": {"S": video}}
        table, dynamodb = self._world.out["PremiumTableName"], self._world.client("dynamodb")
        bought = dynamodb.get_item(TableName=table, Key=key)["Item"]
        over = str(int(bought["expiresAt"]["N"]) - 31 * 24 * 3600)
        dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET expiresAt = :over",
            ExpressionAttributeValues={":over": {"N": over}},
        )

    @cached_property
    def keys(self) -> dict[str, Key]:
        """The signing keys by name."""
        listed = json.loads(self._world.out["SigningKeys"])
        return {name: Key(name, key["id"], key["secret"]) for name, key in listed.items()}

    def public_key(self, key_id: str) -> str:
        """A public key as CloudFront has it."""
        answer = self._world.client("cloudfront").get_public_key(Id=key_id)
        return str(answer["PublicKey"]["PublicKeyConfig"]["EncodedKey"])

    def private_key(self, key: Key) -> str:
        """A private key, which the operator of the account may read; no role of the stack but the shop's may."""
        return str(self._world.client("secretsmanager").get_secret_value(SecretId=key.secret)["SecretString"])

    def _remove(self, sub: str) -> None:
        dynamodb = self._world.client("dynamodb")
        for table, sort in (("PremiumTableName", "videoId"), ("ChargesTableName", "chargeId")):
            found = dynamodb.query(
                TableName=self._world.out[table],
                KeyConditionExpression="userId = :user",
                ExpressionAttributeValues={":user": {"S": sub}},
            )
            for item in found["Items"]:
                key = {"userId": item["userId"], sort: item[sort]}
                dynamodb.delete_item(TableName=self._world.out[table], Key=key)
