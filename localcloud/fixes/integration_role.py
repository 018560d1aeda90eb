"""A REST method that sends to a queue acts under its integration's role.

Without this fix the emulator ignores `Credentials`: a method whose role may not send, or that has no role, reaches the
queue all the same. With it SQS answers 403 and the integration's responses are chosen by that, as on AWS.
"""

from contextvars import ContextVar
from typing import Any

from localcloud import roles
from localcloud.fixes.batch_actions import SINGLE
from localcloud.internals import need

_NONE = "none"
_acting: ContextVar[str | None] = ContextVar("acting_role", default=None)
"""The role under which API Gateway is calling SQS now; `_NONE` for an integration without; None for other callers."""


def apply() -> None:
    """Wrap the integration and the queue service's dispatch that it calls."""
    gateway = need("services.apigateway_v1", "_invoke_sqs_v1")
    sqs = need("services.sqs", "_dispatch", "_Err", "_get_q")
    invoke, dispatch = gateway._invoke_sqs_v1, sqs._dispatch

    async def invoked(integration: dict[str, Any], *request: Any, **more: Any) -> Any:
        token = _acting.set(integration.get("credentials") or _NONE)
        try:
            return await invoke(integration, *request, **more)
        finally:
            _acting.reset(token)

    async def dispatched(action: str, data: dict[str, Any], queue_url: str) -> Any:
        role = _acting.get()
        if role:
            arn = sqs._get_q(data.get("QueueUrl", queue_url))["attributes"]["QueueArn"]
            name = SINGLE.get(f"sqs:{action}", f"sqs:{action}")
            if role == _NONE or not roles.may_all(role, name, arn):
                raise sqs._Err("AccessDenied", f"Access to the resource {queue_url} is denied.", 403)
        return await dispatch(action, data, queue_url)

    vars(gateway)["_invoke_sqs_v1"] = invoked
    vars(sqs)["_dispatch"] = dispatched
