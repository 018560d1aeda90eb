"""One thread at a time changes a queue.

Without this fix the emulator's pollers replace a queue's list of messages while requests and deliveries append to the
old one: rarely, under load, a message that was accepted is lost.
"""

import functools
import threading
from collections.abc import Callable
from typing import Any

from localcloud.internals import need

QUEUE = (
    *("_act_send_message", "_act_send_message_batch", "_act_delete_message", "_act_delete_message_batch"),
    *("_act_change_visibility", "_act_change_visibility_batch", "_act_purge_queue"),
    *("_collect_msgs", "_dlq_sweep", "_expire_retained"),
)
"""What changes a queue in the queue service; none of it waits, so the lock is held for a moment only."""
DELIVERIES = {"services.sns": "_deliver_to_sqs", "services.s3": "_deliver_event_to_sqs"}


def apply() -> None:
    """Take the pollers' lock in everything else that changes a queue."""
    sqs = need("services.sqs", "_HANDLERS", "_queues_lock", *QUEUE)
    lock = threading.RLock()  # batch actions call the single ones
    vars(sqs)["_queues_lock"] = lock
    for name in QUEUE:
        original = getattr(sqs, name)
        vars(sqs)[name] = _locked(lock, original)
        for action, handler in sqs._HANDLERS.items():
            if handler is original:
                sqs._HANDLERS[action] = vars(sqs)[name]
    for module, name in DELIVERIES.items():
        service = need(module, name)
        vars(service)[name] = _locked(lock, getattr(service, name))


def _locked(lock: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def locked(*args: Any, **more: Any) -> Any:
        with lock:
            return original(*args, **more)

    return locked
