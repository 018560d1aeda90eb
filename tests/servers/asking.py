"""Requests to an application in this process."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

_T = TypeVar("_T")


def ask(app: FastAPI, method: str, path: str, **request: Any) -> httpx.Response:
    """The answer to one request."""
    return using(app, lambda client: client.request(method, path, **request))


def using(app: FastAPI, work: Callable[[httpx.AsyncClient], Awaitable[_T]]) -> _T:
    """What work returns that uses a client of the application; its lifespan is around it."""

    async def run() -> _T:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://test") as it,
        ):
            return await work(it)

    return asyncio.run(run())
