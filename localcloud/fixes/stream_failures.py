"""A table's stream: the reader needs the right to read it, and what fails is tried again, alone, and told in the end.

Without this fix the emulator reads the stream whatever the function's role may do, forgets the records that a function
reports as failed, tries a batch that raises for ever, and tells no failure destination.
"""

import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from localcloud import roles
from localcloud.internals import need

ACTIONS = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
KEEP_SECONDS = 1.0
"""How long an answer is kept: pollers ask many times a second."""

_polling: ContextVar[bool] = ContextVar("polling", default=False)


def apply() -> None:
    """Wrap the poller, the list of mappings that it reads, and how it has a batch worked on."""
    functions = need(
        "services.lambda_svc",
        *("_poll_dynamodb_streams", "_iter_all_esms", "_execute_function", "_send_ddb_stream_failure_record"),
        "_get_func_record_for_qualifier",
    )
    poll = functions._poll_dynamodb_streams

    def polled() -> Any:
        token = _polling.set(True)
        try:
            return poll()
        finally:
            _polling.reset(token)

    reader = _Reader(functions)
    vars(functions)["_poll_dynamodb_streams"] = polled
    vars(functions)["_iter_all_esms"] = reader.permitted
    vars(functions)["_execute_function"] = reader.executed


class _Reader:
    """Lambda's part that reads streams, as far as the emulator lacks it."""

    def __init__(self, functions: Any) -> None:
        self._functions = functions
        self._every: Callable[[], Iterator[Any]] = functions._iter_all_esms
        self._execute: Callable[..., Any] = functions._execute_function
        self._answers: dict[tuple[str, str], tuple[float, bool]] = {}

    def permitted(self) -> Iterator[Any]:
        """The mappings, but for those whose function's role may not read its stream."""
        for account, region, mapping in self._every():
            stream = mapping.get("EventSourceArn", "")
            if _polling.get() and ":dynamodb:" in stream:
                name, qualifier = mapping["FunctionName"], mapping.get("Qualifier")
                record, _ = self._functions._get_func_record_for_qualifier(name, qualifier)
                if record and not self._may_read(record["config"]["Role"], stream):
                    mapping["LastProcessingResult"] = "PROBLEM: the function's role may not read the stream"
                    continue
            yield account, region, mapping

    def executed(self, function: dict[str, Any], event: Any, *rest: Any, **more: Any) -> Any:
        """Run a function; for the poller, until each record of its batch is done or given up."""
        records = event.get("Records") if _polling.get() and isinstance(event, dict) else None
        if not records or records[0].get("eventSource") != "aws:dynamodb":
            return self._execute(function, event, *rest, **more)
        mapping = self._mapping_of(function, records[0]["eventSourceARN"])
        if mapping is None or mapping.get("MaximumRetryAttempts", -1) < 0:
            return self._execute(function, event, *rest, **more)
        return self._work(function, mapping, records)

    def _may_read(self, role: str, stream: str) -> bool:
        asked, answer = self._answers.get((role, stream), (0.0, False))
        if time.monotonic() - asked < KEEP_SECONDS:
            return answer
        # Once it may, that is not logged again at every poll.
        now = all(roles.may(role, action, stream, log=not answer) for action in ACTIONS)
        self._answers[role, stream] = (time.monotonic(), now)
        return now

    def _mapping_of(self, function: dict[str, Any], stream: str) -> dict[str, Any] | None:
        arn = function["config"]["FunctionArn"]
        found = (mapping for _, _, mapping in self._every() if mapping.get("EventSourceArn") == stream)
        return next((mapping for mapping in found if mapping.get("FunctionArn", "").startswith(arn)), None)

    def _work(self, function: dict[str, Any], mapping: dict[str, Any], records: list[Any]) -> Any:
        """Work on records in their order; the last result, as a success."""
        attempts, bisect = 0, bool(mapping.get("BisectBatchOnFunctionError"))
        while True:
            result = self._execute(function, {"Records": records})
            first = _first_failed(result, records)
            if first is None:
                return result
            if first:
                records, attempts = records[first:], 0
            half = len(records) // 2
            if half and bisect and (result.get("error") or attempts >= mapping["MaximumRetryAttempts"]):
                self._work(function, mapping, records[:half])
                records, attempts = records[half:], 0
            elif attempts >= mapping["MaximumRetryAttempts"]:
                self._tell(function, mapping, records, result)
                return {**result, "error": False}
            else:
                attempts += 1

    def _tell(self, function: dict[str, Any], mapping: dict[str, Any], records: list[Any], result: Any) -> None:
        target = mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
        action = "sns:Publish" if ":sns:" in target else "sqs:SendMessage"
        if target and roles.may_all(function["config"]["Role"], action, target):
            send, stream = self._functions._send_ddb_stream_failure_record, mapping["EventSourceArn"]
            send(mapping, function, records, stream, result, "RetryAttemptsExhausted")


def _first_failed(result: Any, records: list[Any]) -> int | None:
    """Index of the first record that is not done; None when all are."""
    if result.get("error"):
        return 0
    body = result.get("body")
    failures = body.get("batchItemFailures", []) if isinstance(body, dict) else []
    named = {failure.get("itemIdentifier") for failure in failures}
    failed = [number for number, one in enumerate(records) if one["dynamodb"]["SequenceNumber"] in named]
    return min(failed, default=None)
