"""Batch calls of SQS and SNS are authorized as the single action they repeat, as AWS does.

Without this fix the emulator asks for `sqs:SendMessageBatch` or `sns:PublishBatch`, which no AWS policy ever allows, so
a role that may send messages is denied sending ten at once.
"""

from typing import Any

from localcloud.internals import need

SINGLE = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
}


def apply() -> None:
    """Rename the batch actions where the emulator derives a request's action."""
    actions = need("core.iam_actions", "extract_iam_action")
    extract = actions.extract_iam_action

    def renamed(*request: Any, **more: Any) -> str | None:
        action: str | None = extract(*request, **more)
        return SINGLE.get(action or "", action)

    vars(actions)["extract_iam_action"] = renamed
