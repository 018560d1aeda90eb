"""A distribution reaches an API that is its origin.

Without this fix the emulator refuses to dial any host of AWS, so that a REST API behind CloudFront answers 502. Here
the request goes back into the emulator, over TLS and under the API's own host name, as CloudFront sends it.
"""

import functools
import http.client
import os
import re
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

from localcloud.internals import need

_API = re.compile(r"[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com")


class _Connection(http.client.HTTPSConnection):
    """Connects to the emulator, whatever the host's name is, which stays in SNI, certificate and Host header."""

    def connect(self) -> None:
        own = urlsplit(os.environ["AWS_ENDPOINT_URL"])
        context = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
        plain = socket.create_connection((own.hostname, own.port), self.timeout)
        self.sock = context.wrap_socket(plain, server_hostname=self.host)


def apply() -> None:
    """Wrap the forwarding to custom origins; any host that is no API's goes the old way."""
    cloudfront = need(
        "services.cloudfront", "_forward_to_origin", "_origin_request_headers", "OriginTimeout", "OriginUnreachable"
    )
    forward = cloudfront._forward_to_origin

    @functools.wraps(forward)
    def forwarded(origin: dict[str, Any], method: str, uri: str, query_string: str, *request: Any, **more: Any) -> Any:
        host = origin["domain_name"].lower()
        if not _API.fullmatch(host) or origin["protocol_policy"] != "https-only":
            return forward(origin, method, uri, query_string, *request, **more)
        headers, body, _viewer_is_https, *viewer = request
        sent = cloudfront._origin_request_headers(origin, headers, *viewer)
        connection = _Connection(host, timeout=origin["read_timeout"])
        try:
            connection.request(
                method, f"{uri}?{query_string}" if query_string else uri, body=body or None, headers=sent
            )
            answer = connection.getresponse()
            return answer.status, answer.reason, answer.getheaders(), answer.read()
        except TimeoutError as late:
            raise cloudfront.OriginTimeout(str(late)) from late
        except (OSError, http.client.HTTPException) as error:
            raise cloudfront.OriginUnreachable(str(error)) from error
        finally:
            connection.close()

    vars(cloudfront)["_forward_to_origin"] = forwarded
