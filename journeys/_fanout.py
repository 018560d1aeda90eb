"""The two sides of the fan-out's journey: who publishes, and what the consumers recorded."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from journeys._world import World

ORDER_CONSUMERS = ("inventory", "shipping", "analytics")
STOCK_CONSUMERS = ("warehouse", "storefront")
Attributes = Mapping[str, str | int]


class Fanout:
    """Publishes under the publisher's role, and looks at what the consumers recorded."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.publisher = world.as_role(world.out["PublisherRoleArn"])

    def id(self, name: str) -> str:
        """The id of an event, a SKU or a message in this run."""
        return f"{self._world.token}-{name}"

    def order(self, name: str, *, total: int = 500, tier: str = "basic", address: str | None = "Here 1") -> str:
        """The body of an order event; with an address every consumer can use it."""
        event = {"kind": "order", "id": self.id(name), "order": self.id(name), "total": total, "address": address}
        return json.dumps({**event, "customer": {"tier": tier}, "items": [{"sku": "tea", "quantity": 2}]})

    def publish(self, body: str, attributes: Attributes) -> str:
        """Publish an order event; the message's id."""
        answer = self.publisher.client("sns").publish(
            TopicArn=self._world.out["OrdersTopicArn"], Message=body, MessageAttributes=message_attributes(attributes)
        )
        return answer["MessageId"]

    def move(self, name: str, sku: str, *, of: str | None = None, once: str | None = None) -> str:
        """Publish a movement in the group of a SKU; the message's id.

        Args:
            name: The movement's name.
            sku: Whose group.
            of: The SKU that the body says; left out: the same.
            once: De-duplicated as the movement of this name; left out: as itself.
        """
        body = {"kind": "movement", "id": self.id(name), "sku": self.id(of or sku), "change": 1}
        answer = self.publisher.client("sns").publish(
            TopicArn=self._world.out["StockTopicArn"],
            Message=json.dumps(body),
            MessageGroupId=self.id(sku),
            MessageDeduplicationId=self.id(once or name),
        )
        return answer["MessageId"]

    def who_has(self, name: str, among: Collection[str] = ORDER_CONSUMERS) -> set[str]:
        """The consumers that recorded the event."""
        return {consumer for consumer in among if self.id(name) in self._recorded(consumer)}

    def all_have(self, name: str, consumers: Collection[str]) -> bool:
        """Whether all of these recorded the event."""
        return self.who_has(name, consumers) == set(consumers)

    def in_order(self, consumer: str, sku: str) -> list[str]:
        """Names of the group's recorded movements, in the order in which they were in the queue."""
        mine = [item for item in self._recorded(consumer).values() if item.get("group") == {"S": self.id(sku)}]
        ids = [item["id"]["S"] for item in sorted(mine, key=lambda item: int(item["sequence"]["N"]))]
        return [name.removeprefix(self.id("")) for name in ids]

    def handled(self, consumer: str, sku: str) -> int:
        """How many movements of the group were worked on; a consumer refuses one that comes after a later one."""
        progress = self._recorded(consumer, "group#").get(f"group#{self.id(sku)}")
        return int(progress["handled"]["N"]) if progress else 0

    def dead_letter(self, consumer: str, name: str) -> Any:
        """Take the dead letter of this name, once it is there."""
        return take(self._world, self._world.out[f"{consumer.capitalize()}DeadLetterQueueUrl"], self.id(name))

    def forget(self) -> None:
        """Delete what the consumers recorded of this run."""
        dynamodb, table = self._world.client("dynamodb"), self._world.out["RecordsTableName"]
        for consumer in (*ORDER_CONSUMERS, *STOCK_CONSUMERS):
            for record in (*self._recorded(consumer), *self._recorded(consumer, "group#")):
                dynamodb.delete_item(TableName=table, Key={"consumer": {"S": consumer}, "id": {"S": record}})

    def _recorded(self, consumer: str, prefix: str = "") -> dict[str, Any]:
        """Id -> record of this run."""
        answer = self._world.client("dynamodb").query(
            TableName=self._world.out["RecordsTableName"],
            KeyConditionExpression="consumer = :consumer AND begins_with(id, :id)",
            ExpressionAttributeValues={":consumer": {"S": consumer}, ":id": {"S": prefix + self.id("")}},
            ConsistentRead=True,
        )
        return {item["id"]["S"]: item for item in answer["Items"]}


def message_attributes(values: Attributes) -> dict[str, Any]:
    """Attributes as SNS wants them: numbers as numbers."""
    return {
        name: {"DataType": "Number" if isinstance(value, int) else "String", "StringValue": str(value)}
        for name, value in values.items()
    }


def take(world: World, url: str, event_id: str) -> Any:
    """Take the message of this event from a queue; others are left for their owners."""
    sqs = world.client("sqs")
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1, WaitTimeSeconds=1)
    for message in answer.get("Messages", []):
        if json.loads(message["Body"])["id"] == event_id:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return message
    return None


def stranger(world: World) -> str:
    """The ARN of a role of the account that may do nothing; it leaves with the journey."""
    iam, name = world.client("iam"), f"journey-{world.token}"
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{world.account}:root"},
        "Action": "sts:AssumeRole",
    }
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    world.cleanup(iam.delete_role, RoleName=name)
    return arn


def foreign_topic(world: World, queue_url: str) -> tuple[str, str]:
    """Another topic that delivers to a queue, or tries to, and what it could not deliver; both leave with the journey.

    Returns:
        The topic's ARN and the URL of the queue for what it could not deliver.
    """
    sns, sqs, name = world.client("sns"), world.client("sqs"), f"journey-{world.token}"
    topic = sns.create_topic(Name=name)["TopicArn"]
    world.cleanup(sns.delete_topic, TopicArn=topic)
    undelivered = sqs.create_queue(QueueName=name)["QueueUrl"]
    world.cleanup(sqs.delete_queue, QueueUrl=undelivered)
    arn, queue_arn = (
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for url in (undelivered, queue_url)
    )
    admitted = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    sqs.set_queue_attributes(QueueUrl=undelivered, Attributes={"Policy": _policy(admitted)})
    redrive = json.dumps({"deadLetterTargetArn": arn})
    subscription = sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=queue_arn,
        Attributes={"RawMessageDelivery": "true", "RedrivePolicy": redrive},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    world.cleanup(sns.unsubscribe, SubscriptionArn=subscription)
    return topic, undelivered


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
