"""What a subscription cannot deliver to its queue goes to the subscription's dead-letter queue.

Without this fix the emulator stores a subscription's RedrivePolicy and drops what the queue is gone for or its policy
refuses.
"""

import json
from typing import Any

from localcloud.internals import need


def apply() -> None:
    """Wrap the delivery to a queue."""
    sns = need("services.sns", "_deliver_to_sqs", "_topic_by_arn_any_scope")
    sqs = need("services.sqs", "_queue_by_arn", "queue_policy_allows")
    deliver = sns._deliver_to_sqs

    def deliverable(queue_arn: str, topic_arn: str) -> bool:
        account = topic_arn.split(":")[4]
        if sqs._queue_by_arn(queue_arn) is None:
            return False
        return bool(sqs.queue_policy_allows(queue_arn, "sns.amazonaws.com", topic_arn, account))

    def dead_letter_queue(endpoint: str, topic_arn: str) -> str | None:
        topic = sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": []}
        for subscription in topic["subscriptions"]:
            if subscription["protocol"] == "sqs" and subscription["endpoint"] == endpoint:
                policy = json.loads(subscription.get("attributes", {}).get("RedrivePolicy") or "{}")
                target: str | None = policy.get("deadLetterTargetArn")
                return target
        return None

    def delivered(endpoint: str, *message: Any, topic_arn: str = "", **more: Any) -> None:
        target = endpoint
        if topic_arn and not deliverable(endpoint, topic_arn):
            target = dead_letter_queue(endpoint, topic_arn) or endpoint
        deliver(target, *message, topic_arn=topic_arn, **more)

    vars(sns)["_deliver_to_sqs"] = delivered
