"""A table's stream: the reader needs the right to read it, and what fails is tried again, alone, and told in the end.

Without this fix the emulator reads the stream whatever the function's role may do, forgets the records that a function
reports as failed, tries a batch that raises for ever, and tells no failure destination.
"""

import time
from collections.abc import Iterator
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
    poll, every, execute = functions._poll_dynamodb_streams, functions._iter_all_esms, functions._execute_function
    answers: dict[tuple[str, str], tuple[float, bool]] = {}

    def polled() -> Any:
        token = _polling.set(True)
        try:
            return poll()
        finally:
            _polling.reset(token)

    def may_read(role: str, stream: str) -> bool:
        asked, answer = answers.get((role, stream), (0.0, False))
        if time.monotonic() - asked >= KEEP_SECONDS:
            # The first answer is logged, and each that is another one than before.
            now = all(roles.may(role, action, stream, log=not answer) for action in ACTIONS)
            answers[role, stream] = (time.monotonic(), now)
            return now
        return answer

    def permitted() -> Iterator[Any]:
        for account, region, mapping in every():
            stream = mapping.get("EventSourceArn", "")
            if _polling.get() and ":dynamodb:" in stream:
                record, _ = functions._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
                if record and not may_read(record["config"]["Role"], stream):
                    mapping["LastProcessingResult"] = "PROBLEM: the function's role may not read the stream"
                    continue
            yield account, region, mapping

    def mapping_of(function: dict[str, Any], stream: str) -> dict[str, Any] | None:
        arn = function["config"]["FunctionArn"]
        found = (mapping for _, _, mapping in every() if mapping.get("EventSourceArn") == stream)
        return next((mapping for mapping in found if mapping.get("FunctionArn", "").startswith(arn)), None)

    def executed(function: dict[str, Any], event: Any, *rest: Any, **more: Any) -> Any:
        records = event.get("Records") if _polling.get() and isinstance(event, dict) else None
        if not records or records[0].get("eventSource") != "aws:dynamodb":
            return execute(function, event, *rest, **more)
        mapping = mapping_of(function, records[0]["eventSourceARN"])
        if mapping is None or mapping.get("MaximumRetryAttempts", -1) < 0:
            return execute(function, event, *rest, **more)
        return work(function, mapping, records)

    def work(function: dict[str, Any], mapping: dict[str, Any], records: list[Any]) -> Any:
        """Work on records in their order until each is done or given up; the last result, as a success."""
        attempts = 0
        while True:
            result = execute(function, {"Records": records})
            first = _first_failed(result, records)
            if first is None:
                return result
            if first:
                records, attempts = records[first:], 0
            attempts += 1
            if attempts <= mapping["MaximumRetryAttempts"] and not (
                result.get("error") and len(records) > 1 and mapping.get("BisectBatchOnFunctionError")
            ):
                continue
            half = len(records) // 2
            if half and (result.get("error") or mapping.get("BisectBatchOnFunctionError")):
                work(function, mapping, records[:half])
                records, attempts = records[half:], 0
                continue
            tell(function, mapping, records, result)
            return {**result, "error": False}

    def tell(function: dict[str, Any], mapping: dict[str, Any], records: list[Any], result: Any) -> None:
        target = mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
        action = "sns:Publish" if ":sns:" in target else "sqs:SendMessage"
        if target and roles.may_all(function["config"]["Role"], action, target):
            stream = mapping["EventSourceArn"]
            functions._send_ddb_stream_failure_record(
                mapping, function, records, stream, result, "RetryAttemptsExhausted"
            )

    vars(functions)["_poll_dynamodb_streams"] = polled
    vars(functions)["_iter_all_esms"] = permitted
    vars(functions)["_execute_function"] = executed


def _first_failed(result: Any, records: list[Any]) -> int | None:
    """Index of the first record that is not done; None when all are."""
    if result.get("error"):
        return 0
    body = result.get("body")
    failures = body.get("batchItemFailures", []) if isinstance(body, dict) else []
    named = {failure.get("itemIdentifier") for failure in failures}
    failed = [number for number, one in enumerate(records) if one["dynamodb"]["SequenceNumber"] in named]
    return min(failed, default=None)
