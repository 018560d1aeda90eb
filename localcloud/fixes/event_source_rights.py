"""A function's role must be allowed to read the queue that feeds the function.

Without this fix the emulator polls every mapped queue whatever the role may do. AWS refuses to create a mapping whose
role lacks a right, and stops polling when it is taken away.
"""

import time
from collections.abc import Iterator
from typing import Any

from localcloud import iam_log, roles
from localcloud.internals import need

ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
KEEP_SECONDS = 1.0
"""How long an answer is kept: pollers ask many times a second."""


def apply() -> None:
    """Leave out the mappings that may not read, where the pollers list them."""
    functions = need("services.lambda_svc", "_iter_all_esms", "_functions", "_get_func_record_for_qualifier")
    scope = need("core.responses", "request_scope").request_scope
    every = functions._iter_all_esms
    answers: dict[tuple[str, str], tuple[float, bool]] = {}

    def may_read(role: str, queue: str) -> bool:
        asked, answer = answers.get((role, queue), (0.0, None))
        if time.monotonic() - asked < KEEP_SECONDS:
            return bool(answer)
        now = all(roles.may_all(role, action, queue, log=False) for action in ACTIONS)
        if now is not answer:  # the log tells changes, not every poll
            for action in ACTIONS:
                for each, resource in ((action, queue), *roles.key_rights(action, queue)):
                    allowed = roles.may(role, each, resource, log=False)
                    iam_log.record(principal=role, action=each, resource=resource, allowed=allowed)
        answers[role, queue] = (time.monotonic(), now)
        return now

    def permitted() -> Iterator[tuple[str, str, dict[str, Any]]]:
        for account, region, mapping in every():
            queue = mapping.get("EventSourceArn", "")
            with scope(account, region):
                record, _config = functions._get_func_record_for_qualifier(
                    mapping["FunctionName"], mapping.get("Qualifier")
                )
                denied = record and ":sqs:" in queue and not may_read(record["config"]["Role"], queue)
            if denied:
                mapping["LastProcessingResult"] = "PROBLEM: the function's role may not read the queue"
            else:
                yield account, region, mapping

    vars(functions)["_iter_all_esms"] = permitted
