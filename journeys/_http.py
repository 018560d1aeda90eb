"""HTTP for journeys.

Certificates are always verified; nothing is retried and no redirect followed: a journey sees each answer as it came.
"""

import json as jsonlib
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

import urllib3

_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_CONNECTIONS = 32
_SHOWN = 200


@dataclass(frozen=True)
class Response:
    """An HTTP answer.

    Attributes:
        status: The status code.
        headers: By name, in any case.
        body: The decoded bytes (gzip and the like are undone).
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8 text; what is not UTF-8 is shown as the replacement sign."""
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            AssertionError: The body is no JSON. Says the status and how the body begins.
        """
        try:
            return jsonlib.loads(self.body)
        except ValueError as error:
            message = f"HTTP {self.status}: expected JSON, got {self.text[:_SHOWN]!r}"
            raise AssertionError(message) from error


class Http:
    """Sends requests, on the local cloud to its endpoint whatever the URL's host is.

    The URL's own host name stays in the Host header and in TLS (SNI, and the name that the certificate must carry), as
    ``curl --connect-to`` does. Loopback URLs are left alone.

    Args:
        endpoint_url: The local cloud's TLS endpoint; None connects to the URL's host.
        plain_endpoint_url: The local cloud's endpoint without TLS, for ``http`` URLs.
        ca_bundle: The authority to trust (PEM file); None trusts the machine's.
    """

    def __init__(
        self, *, endpoint_url: str | None = None, plain_endpoint_url: str | None = None, ca_bundle: str | None = None
    ) -> None:
        self._connect_to = {"https": endpoint_url, "http": plain_endpoint_url}
        self._ca_bundle = ca_bundle
        self._context: ssl.SSLContext | None = None
        self._pools: dict[tuple[str, str], urllib3.HTTPConnectionPool] = {}
        self._making = threading.Lock()

    def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None) -> Response:
        """Send one request.

        Raises:
            ValueError: The URL is neither http nor https, or has no host.
            urllib3.exceptions.HTTPError: No answer, or a certificate that does not hold.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            message = f"url: must be an https:// or http:// URL with a host, got {url!r}"
            raise ValueError(message)
        # The path as it stands, not normalised: journeys also send what a well-behaved client would not.
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        sent = urllib3.HTTPHeaderDict(Host=parts.netloc.rpartition("@")[2])
        sent.update(headers)
        answer = self._pool(parts).urlopen(method, path, body=body, headers=sent)
        return Response(answer.status, answer.headers, answer.data)

    def close(self) -> None:
        """Close the connections."""
        while self._pools:
            self._pools.popitem()[1].close()

    def _pool(self, url: SplitResult) -> urllib3.HTTPConnectionPool:
        key = (url.scheme, url.netloc)
        with self._making:
            if key not in self._pools:
                self._pools[key] = self._new_pool(url)
            return self._pools[key]

    def _new_pool(self, url: SplitResult) -> urllib3.HTTPConnectionPool:
        name = url.hostname or ""
        override = None if _is_loopback(name) else self._connect_to[url.scheme]
        address = urlsplit(override) if override else url
        host = address.hostname or ""
        if url.scheme == "http":
            return urllib3.HTTPConnectionPool(host, address.port, timeout=_TIMEOUT, retries=False, maxsize=_CONNECTIONS)
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._ca_bundle)
        return urllib3.HTTPSConnectionPool(
            host,
            address.port,
            timeout=_TIMEOUT,
            retries=False,  # nor redirects
            maxsize=_CONNECTIONS,
            ssl_context=self._context,
            server_hostname=name,  # asked for by SNI, and verified
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
