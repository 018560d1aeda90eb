"""The process of a server: settings, logs, uvicorn, and an orderly end."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn, TypeVar

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from service_kit import logs
from service_kit.settings import ServerSettings, complaint

# Longer than a load balancer keeps an idle connection (60 s unless told otherwise). The other way round it would send
# a request on a connection that is just being closed here, and answer 502. Source: Elastic Load Balancing,
# "Troubleshoot your Application Load Balancers", HTTP 502: keep-alive of the target shorter than the idle timeout.
KEEP_ALIVE_SECONDS = 75
_MISCONFIGURED = 2
_Settings = TypeVar("_Settings", bound=ServerSettings)


def told(settings: type[_Settings]) -> _Settings:
    """The settings of this process; without them it ends with one sentence and status 2."""
    try:
        return settings()
    except ValidationError as error:
        sys.stderr.write(f"error: {complaint(error)}\n")
        raise SystemExit(_MISCONFIGURED) from None


def serve(service: str, settings: type[_Settings], create: Callable[[_Settings], FastAPI]) -> None:
    """Serve until TERM or INT; then take nothing new, finish what is under way, and end with status 0.

    Args:
        service: Name of the package.
        settings: What it needs to be told.
        create: Makes its application.
    """
    given = told(settings)
    logs.set_up(service)
    # Uvicorn ends in order and then repeats the signal, so that a process dies of it. Asked to stop, it has stopped.
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, _end)
    server(create(given), given).run()


def server(app: FastAPI, settings: ServerSettings) -> uvicorn.Server:
    """What serves an application: no more than HTTP, and nobody is believed who says for whom it asks."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host="0.0.0.0",  # noqa: S104 - the security group decides who gets here
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=settings.shutdown_seconds,
        )
    )


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
