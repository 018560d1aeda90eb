"""Logs: one JSON object a line on standard output, ours and the libraries' alike, each with the correlation id."""

import logging
import sys
from types import TracebackType

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from service_kit import correlation

# These say at INFO what is said better here: every call, every statement.
_TALKATIVE = ("httpx", "httpcore", "botocore", "boto3", "urllib3", "sqlalchemy.engine", "asgi_correlation_id")


def set_up(service: str) -> None:
    """Send all logs of this process to standard output.

    Args:
        service: Its name, in every line.
    """

    def named(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        event["correlation_id"] = correlation.current()
        # Uvicorn repeats its message with the colours of a terminal.
        event.pop("color_message", None)
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named,
        # As text: the structured form would print the local variables, and with them secrets.
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    # What Python itself says to standard error: warnings, and what nobody caught. A trace there would be 20 events.
    logging.captureWarnings(capture=True)
    sys.excepthook = _last_words


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger(__name__).critical("the process fails", exc_info=(kind, error, trace))


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger of a module."""
    made: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return made
