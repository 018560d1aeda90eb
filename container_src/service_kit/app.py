"""The application of a server: its routes inside everything that each server has."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from service_kit import correlation, health, openapi, problems
from service_kit.answers import Answers
from service_kit.limits import BodyLimit, TimeLimit
from service_kit.settings import ServerSettings

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    *,
    title: str,
    description: str,
    settings: ServerSettings,
    routers: Iterable[APIRouter],
    checks: Mapping[str, health.Check],
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """An application.

    Args:
        title: Of its OpenAPI document.
        description: Of its OpenAPI document.
        settings: Its limits.
        routers: Its routes.
        checks: Dependency -> its check, for /ready.
        lifespan: What is open while it runs.
    """
    app = _Server(
        title=title,
        description=description,
        version="1.0.0",
        lifespan=lifespan or _nothing,
        # The pages that show the document load scripts from elsewhere; the document itself is what clients are made of.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # The outermost first. Whatever is inside Answers may raise: it is answered, completed and logged.
        middleware=[
            Middleware(
                CorrelationIdMiddleware,
                header_name=correlation.HEADER,
                generator=correlation.new_id,
                validator=correlation.well_formed,
                transformer=None,
            ),
            Middleware(Answers),
            Middleware(TimeLimit, seconds=settings.request_seconds),
            Middleware(BodyLimit, max_bytes=settings.max_body_bytes),
        ],
    )
    problems.install(app)
    app.include_router(health.router(checks))
    for router in routers:
        app.include_router(router)
    return app


class _Server(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = openapi.document(self)
        return self.openapi_schema


@asynccontextmanager
async def _nothing(_app: FastAPI) -> AsyncIterator[None]:
    yield
