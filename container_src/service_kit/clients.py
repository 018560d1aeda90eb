"""Calls to other services: in time, tried again where that is safe, with the correlation id, and never past a limit."""

import ssl
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx
import stamina

from service_kit import correlation
from service_kit.logs import logger
from service_kit.problems import UnavailableError
from service_kit.waiting import within

_log = logger(__name__)
CONNECT_SECONDS = 1.0
READ_SECONDS = 1.0
# One call with all its attempts and pauses.
TOTAL_SECONDS = 2.5
# Shorter than a load balancer keeps an idle connection (60 s): what may be closed at any moment is not used again.
KEPT_SECONDS = 30.0
_ATTEMPTS = 3
_LONGEST_PAUSE = 1.0
# A bad moment of the service, or of what stands in front of it; everything else will not be better the next time.
_RETRYABLE = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


class Dependency:
    """Another service.

    Args:
        name: For logs and for what callers are told.
        base_url: Where it is.
        auth: Signs the requests; None sends them as they are.
        read_seconds: How long one attempt waits for its answer. Left out: 1 s.
        total_seconds: How long all attempts and pauses may take. Left out: 2.5 s.
        transport: Another way there, for tests.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str,
        auth: httpx.Auth | None = None,
        read_seconds: float | None = None,
        total_seconds: float | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self._total_seconds = total_seconds or TOTAL_SECONDS
        self._client = httpx.AsyncClient(
            base_url=base_url.rstrip("/"),
            auth=auth,
            verify=_authorities(),
            trust_env=True,
            # Redirects of a service to elsewhere are not followed with our signature on them.
            follow_redirects=False,
            timeout=httpx.Timeout(read_seconds or READ_SECONDS, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=KEPT_SECONDS),
            headers={"Accept": "application/json"},
            transport=transport,
        )

    async def get(self, path: str) -> Any | None:
        """What is there; None if it says that there is nothing.

        Reading is idempotent, so what fails for the moment is asked again: 3 times, with growing, jittered pauses.

        Raises:
            UnavailableError: It did not answer, or not usably, within the limit.
        """
        try:
            response = await within(self._total_seconds, self._tried(path))
            if response.status_code == HTTPStatus.NOT_FOUND:
                return None
            response.raise_for_status()
            return response.json()
        except httpx.HTTPStatusError as error:
            raise self._unavailable(error, _retry_after(error.response)) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise self._unavailable(error, status=HTTPStatus.GATEWAY_TIMEOUT) from error
        except (httpx.HTTPError, ValueError) as error:
            raise self._unavailable(error) from error

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def _tried(self, path: str) -> httpx.Response:
        attempts = stamina.retry_context(
            on=_pause,
            attempts=_ATTEMPTS,
            timeout=self._total_seconds,
            wait_initial=0.05,
            wait_max=0.5,
            wait_jitter=0.1,
        )
        async for attempt in attempts:
            with attempt:
                response = await self._client.get(path, headers=_passed_on())
                if response.status_code in _RETRYABLE:
                    response.raise_for_status()
        return response

    def _unavailable(
        self,
        error: Exception,
        retry_after: float | None = None,
        status: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE,
    ) -> UnavailableError:
        _log.warning("a service does not answer", dependency=self.name, reason=f"{type(error).__name__}: {error}"[:500])
        detail = f"The service {self.name} does not answer; try again."
        return UnavailableError(detail, retry_after=retry_after or 5, status=status)


@cache
def _authorities() -> ssl.SSLContext:
    """Those of the system, or SSL_CERT_FILE; httpx alone would bring its own. Reading them takes a while: once."""
    return ssl.create_default_context()


def _passed_on() -> dict[str, str]:
    current = correlation.current()
    return {correlation.HEADER: current} if current else {}


def _pause(error: Exception) -> bool | float:
    """Whether to try again, or when the service itself said how long to wait."""
    if isinstance(error, httpx.HTTPStatusError):
        wanted = _retry_after(error.response)
        if wanted is None:
            return True
        return wanted if wanted <= _LONGEST_PAUSE else False
    return isinstance(error, httpx.TransportError)


def _retry_after(response: httpx.Response) -> float | None:
    said = response.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdigit() else None
