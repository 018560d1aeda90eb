"""What a topic delivers to a FIFO queue gets a sequence number.

Without this fix it has none, so neither a consumer nor a journey can tell the order of a group's messages.
"""

from typing import Any

from localcloud.internals import need


def apply() -> None:
    """Wrap the delivery to a queue."""
    sns, sqs = need("services.sns", "_deliver_to_sqs"), need("services.sqs", "_queue_by_arn", "_queues_lock")
    deliver = sns._deliver_to_sqs

    def numbered(endpoint: str, *message: Any, **more: Any) -> None:
        queue = sqs._queue_by_arn(endpoint)
        if not queue or not queue["is_fifo"]:
            deliver(endpoint, *message, **more)
            return
        # Pollers take messages under this lock: none sees one that has no number yet.
        with sqs._queues_lock:
            before = len(queue["messages"])
            deliver(endpoint, *message, **more)
            for made in queue["messages"][before:]:
                queue["fifo_seq"] += 1
                made["seq"] = str(queue["fifo_seq"]).zfill(20)

    vars(sns)["_deliver_to_sqs"] = numbered
