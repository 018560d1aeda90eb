"""GET /health: the process can take requests. GET /ready: so can what it depends on."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from service_kit.logs import logger
from service_kit.waiting import within

_log = logger(__name__)
_CHECK_SECONDS = 3
# It returns, or raises what is wrong.
Check = Callable[[], Awaitable[object]]


class Health(BaseModel):
    """It is up."""

    status: Literal["up"] = "up"


class Readiness(BaseModel):
    """Whether each dependency answers."""

    status: Literal["ready", "unready"]
    dependencies: dict[str, Literal["up", "down"]]


def router(checks: Mapping[str, Check]) -> APIRouter:
    """The two routes.

    The load balancer asks /health, which asks nobody: a dependency that is down for all targets must not take all of
    them out of service, since then nobody is left to say so.

    Args:
        checks: Dependency -> its check.
    """
    made = APIRouter(tags=["health"])

    @made.get("/health", summary="Can it take requests?", operation_id="health")
    async def health() -> Health:
        return Health()

    @made.get(
        "/ready",
        summary="Do its dependencies answer?",
        operation_id="ready",
        responses={503: {"model": Readiness, "description": "One does not answer."}},
    )
    async def ready(response: Response) -> Readiness:
        found = {name: await _state(name, check) for name, check in checks.items()}
        whole = "down" not in found.values()
        if not whole:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Readiness(status="ready" if whole else "unready", dependencies=found)

    return made


async def _state(name: str, check: Check) -> Literal["up", "down"]:
    async def asked() -> None:
        await check()

    try:
        await within(_CHECK_SECONDS, asked())
    except Exception as reason:  # noqa: BLE001 - whatever it is, the dependency is not usable
        _log.warning("a dependency does not answer", dependency=name, reason=f"{type(reason).__name__}: {reason}"[:500])
        return "down"
    return "up"
