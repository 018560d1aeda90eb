"""A queue of the journey's own that hears a topic."""

import json

from journeys._world import World


class Inbox:
    """Hears everything that is published from now on; it leaves with the journey.

    Args:
        world: The journey's world.
        topic: ARN of the topic.
        name: What the queue is for, as part of its name.
    """

    def __init__(self, world: World, topic: str, name: str = "inbox") -> None:
        self._world = world
        sqs, sns = world.client("sqs"), world.client("sns")
        self.url = sqs.create_queue(QueueName=f"journey-{world.token}-{name}")["QueueUrl"]
        world.cleanup(sqs.delete_queue, QueueUrl=self.url)
        arn = sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
            },
        }
        sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": json.dumps(policy)})
        subscription = sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"RawMessageDelivery": "true"},
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        world.cleanup(sns.unsubscribe, SubscriptionArn=subscription)

    def take(self) -> list[str]:
        """The messages that have come, each once."""
        sqs = self._world.client("sqs")
        answer = sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        found = answer.get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in found]
