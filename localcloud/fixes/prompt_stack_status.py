"""Who asks for the status of a stack in progress is answered when it is done, if that is in a moment.

Without this fix the emulator answers at once that a stack is in progress, and the CDK command line sleeps five seconds
before it asks anew, though most stacks are done within one.
"""

import asyncio
import time
from typing import Any

from localcloud.internals import need

PATIENCE = 3.0
"""Seconds; well under every client's timeout."""


def apply() -> None:
    """Wrap the CloudFormation service."""
    service = need("services.cloudformation", "handle_request")
    handle = service.handle_request

    async def patient(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        answer = await handle(method, path, headers, body, query)
        until = time.monotonic() + PATIENCE
        while _in_progress(body, answer[2]) and time.monotonic() < until:
            await asyncio.sleep(0.05)
            answer = await handle(method, path, headers, body, query)
        return answer

    vars(service)["handle_request"] = patient


def _in_progress(asked: bytes, answered: Any) -> bool:
    """Whether one stack's status was asked for and it is not done; one to be reviewed waits for people, not for us."""
    if b"Action=DescribeStacks" not in asked or b"StackName=" not in asked:
        return False
    text = answered.encode() if isinstance(answered, str) else bytes(answered)
    return b"_IN_PROGRESS</StackStatus>" in text and b"REVIEW_IN_PROGRESS" not in text
