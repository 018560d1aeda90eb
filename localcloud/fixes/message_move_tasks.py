"""Redrive: StartMessageMoveTask, ListMessageMoveTasks and CancelMessageMoveTask.

Without this fix the emulator answers InvalidAction.
"""

import asyncio
import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any

from localcloud.internals import need

ACTIONS = ("StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask")
RATE = 500
"""Messages per second when a task names no other rate; AWS's own maximum."""


@dataclass
class Task:
    """One move of the messages of a dead-letter queue; `destination` None sends each back to where it came from."""

    source: str
    destination: str | None
    rate: int
    handle: str
    expected: int
    started: int = field(default_factory=lambda: int(time.time() * 1000))
    moved: int = 0
    status: str = "RUNNING"
    reason: str = ""

    def told(self) -> dict[str, Any]:
        """As ListMessageMoveTasks tells it; the handle only while it runs."""
        optional = {
            "TaskHandle": self.handle if self.status == "RUNNING" else None,
            "DestinationArn": self.destination,
            "MaxNumberOfMessagesPerSecond": self.rate if self.rate != RATE else None,
            "FailureReason": self.reason or None,
        }
        return {
            "Status": self.status,
            "SourceArn": self.source,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.expected,
            "StartedTimestamp": self.started,
        } | {name: value for name, value in optional.items() if value is not None}


def apply() -> None:
    """Add the actions to the queue service, and say which queue they are about."""
    sqs = need(
        "services.sqs",
        *("_HANDLERS", "_Err", "_queue_by_arn", "_queues", "_queues_lock", "_ensure_msg_fields", "_collect_msgs"),
    )
    actions = need("core.iam_actions", "extract_resource_arn")
    mover = Mover(sqs)
    sqs._HANDLERS.update(zip(ACTIONS, (mover.start, mover.list, mover.cancel), strict=True))
    extract = actions.extract_resource_arn

    def resource(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> Any:
        if service == "sqs" and headers.get("x-amz-target", "").endswith(ACTIONS):
            asked = json.loads(body)
            return asked.get("SourceArn") or _source_of(asked.get("TaskHandle", ""))
        return extract(service, method, path, headers, body, *rest)

    vars(actions)["extract_resource_arn"] = resource


class Mover:
    """The three actions and their state."""

    def __init__(self, sqs: Any) -> None:
        self._sqs = sqs
        self._tasks: list[Task] = []
        self._running: set[asyncio.Task[None]] = set()

    def start(self, data: dict[str, Any], _url: str) -> dict[str, Any]:
        """StartMessageMoveTask."""
        source, destination = data.get("SourceArn", ""), data.get("DestinationArn")
        queue = self._queue(source)
        if destination:
            self._queue(destination)
        if not any(self._feeds(other, source) for other in list(self._sqs._queues.values())):
            raise self._sqs._Err("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        if any(task.source == source and task.status == "RUNNING" for task in self._tasks):
            raise self._sqs._Err("UnsupportedOperation", "There is already a task running for this source queue.")
        rate = int(data.get("MaxNumberOfMessagesPerSecond", RATE))
        if not 1 <= rate <= RATE:
            said = f"Value {rate} for parameter MaxNumberOfMessagesPerSecond is invalid: Must be between 1 and {RATE}."
            raise self._sqs._Err("InvalidParameterValue", said)
        handle = base64.b64encode(json.dumps({"sourceArn": source, "n": len(self._tasks)}).encode()).decode()
        task = Task(source, destination, rate, handle, expected=len(queue["messages"]))
        self._tasks.append(task)
        # On the event loop, where the queue service changes queues too.
        running = asyncio.get_running_loop().create_task(self._move(task, queue))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return {"TaskHandle": handle}

    def list(self, data: dict[str, Any], _url: str) -> dict[str, Any]:
        """ListMessageMoveTasks: the latest first."""
        source = data.get("SourceArn", "")
        self._queue(source)
        found = [task.told() for task in reversed(self._tasks) if task.source == source]
        return {"Results": found[: int(data.get("MaxResults", 1))]}

    def cancel(self, data: dict[str, Any], _url: str) -> dict[str, Any]:
        """CancelMessageMoveTask."""
        for task in self._tasks:
            if task.handle == data.get("TaskHandle") and task.status == "RUNNING":
                task.status = "CANCELLED"
                return {"ApproximateNumberOfMessagesMoved": task.moved}
        raise self._sqs._Err("ResourceNotFoundException", "Task does not exist.")

    async def _move(self, task: Task, source: dict[str, Any]) -> None:
        while task.status == "RUNNING":
            with self._sqs._queues_lock:
                message = next((m for m in source["messages"] if m.get("visible_at", 0) <= time.time()), None)
                if message is None:
                    task.status = "COMPLETED"
                    return
                target = self._sqs._queue_by_arn(task.destination or _origin(message))
                if target is None:
                    task.status, task.reason = "FAILED", "AWS.SimpleQueueService.NonExistentQueue"
                    return
                source["messages"].remove(message)
                target["messages"].append(self._anew(message))
            self._wake()
            task.moved += 1
            await asyncio.sleep(1 / task.rate if task.rate < RATE else 0)

    def _anew(self, message: dict[str, Any]) -> dict[str, Any]:
        """AWS: redriven messages are new ones, with a new id and a new retention period."""
        now = time.time()
        kept = {name: message.get(name) for name in ("body", "md5_body", "md5_attrs", "message_attributes", "group_id")}
        kept |= {"dedup_id": message.get("dedup_id"), "seq": message.get("seq"), "receive_count": 0}
        made = {"id": need("core.responses", "new_uuid").new_uuid(), "sent_at": now, "visible_at": now} | kept
        self._sqs._ensure_msg_fields(made)
        return made

    def _queue(self, arn: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self._sqs._queue_by_arn(arn)
        if found is None:
            raise self._sqs._Err("ResourceNotFoundException", "The resource that you specified doesn't exist.")
        return found

    @staticmethod
    def _feeds(queue: dict[str, Any], dead_letters: str) -> bool:
        policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
        return bool(policy.get("deadLetterTargetArn") == dead_letters)

    @staticmethod
    def _wake() -> None:
        need("core.concurrency", "esm_wake").esm_wake.set()


def _origin(message: dict[str, Any]) -> str:
    return str((message.get("sys") or {}).get("DeadLetterQueueSourceArn", ""))


def _source_of(handle: str) -> str:
    try:
        return str(json.loads(base64.b64decode(handle))["sourceArn"])
    except (ValueError, KeyError, TypeError):
        return "*"
