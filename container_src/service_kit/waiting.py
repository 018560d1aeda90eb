"""Waiting with an end, whatever is waited for."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")
# A cancelled task is referred to until it has ended, or the garbage collector could take it half done.
_ending: set[asyncio.Task[Any]] = set()


async def within(seconds: float, work: Coroutine[Any, Any, _T]) -> _T:
    """What work returns, if it returns in time.

    ``asyncio.timeout`` waits for the cancelled work to tidy up, and a driver whose peer is gone may take seconds for
    that: psycopg tries for 5 s to cancel a statement. Here the caller gets its answer in time, the tidying goes on.

    Raises:
        TimeoutError: It did not.
    """
    task = asyncio.create_task(work)
    _ending.add(task)
    task.add_done_callback(_ended)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        raise TimeoutError(f"no answer within {seconds:g} s")
    return task.result()


def _ended(task: asyncio.Task[Any]) -> None:
    _ending.discard(task)
    if not task.cancelled():
        task.exception()
