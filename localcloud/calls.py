"""Calls of the emulator's own API in process. Runs inside the emulator.

In process, since a call over HTTP from a CloudFormation handler would wait for itself.
"""

import asyncio
import inspect
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from localcloud.internals import EmulatorMismatchError, need

Call = tuple[str, dict[str, str]]
"""An API call of the Query protocol: action and parameters."""


def do_all(service: str, calls: Iterable[Call]) -> None:
    """Call one after the other."""
    for action, parameters in calls:
        call(service, action, parameters)


def call(service: str, action: str, parameters: Mapping[str, str]) -> ET.Element:
    """Call the emulator's own API of a Query-protocol service in process; the answer without namespaces.

    Raises:
        ValueError: the service refused; CloudFormation shows the message as the resource's failure.
    """
    handle = need(f"services.{service}", "handle_request").handle_request
    body = urlencode({"Action": action, "Version": "", **parameters}).encode()
    answer = handle("POST", "/", {"content-type": "application/x-www-form-urlencoded"}, body, {})
    status, _headers, text = _finished(answer, service, action)
    root = ET.fromstring(text)  # noqa: S314 - the emulator's own answer
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if status >= 300:  # noqa: PLR2004
        raise ValueError(f"{action}: {root.findtext('.//Code')}: {root.findtext('.//Message')}")
    return root


def _finished(answer: Any, service: str, action: str) -> Any:
    """The result of a handler; on the event loop of one that never waits, though it is declared async."""
    if not inspect.isawaitable(answer):
        return answer
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # a thread of our own (localcloud/off_loop.py) may wait
        return asyncio.run(_awaited(answer))
    steps = answer.__await__()
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    raise EmulatorMismatchError(f"{service}.{action} waits now: its types must run on a worker thread")


async def _awaited(answer: Any) -> Any:
    return await answer
