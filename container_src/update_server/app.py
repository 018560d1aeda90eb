"""The application."""

import anyio.to_thread
from fastapi import FastAPI

from service_kit.app import create_app
from update_server.releases import Releases
from update_server.routes import router
from update_server.settings import Settings


def create(settings: Settings) -> FastAPI:
    """The server's application."""
    releases = Releases(settings.releases_root)

    async def check() -> None:
        await anyio.to_thread.run_sync(releases.check, abandon_on_cancel=True)

    return create_app(
        title="Software updates",
        description="Releases and their files.",
        settings=settings,
        routers=[router(releases)],
        checks={"releases": check},
    )
