"""A distribution reaches an API or a load balancer of this cloud that is its origin.

Without this fix the emulator refuses to dial any host of AWS, so that a REST API behind CloudFront answers 502, and
looks for a load balancer's recorded name in the real DNS. Here the request goes back into the emulator, by TLS or not
as the origin says and under the origin's own host name, as CloudFront sends it.
"""

import functools
import http.client
import os
import re
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

from localcloud.fixes._aliases import end_of
from localcloud.internals import need

_API = re.compile(r"[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com")


class _Secure(http.client.HTTPSConnection):
    """Connects to the emulator, whatever the host's name is, which stays in SNI, certificate and Host header."""

    def connect(self) -> None:
        own = urlsplit(os.environ["AWS_ENDPOINT_URL"])
        context = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
        plain = socket.create_connection((own.hostname, own.port), self.timeout)
        self.sock = context.wrap_socket(plain, server_hostname=self.host)


class _Plain(http.client.HTTPConnection):
    """The same without TLS."""

    def connect(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", int(os.environ["GATEWAY_PORT"])), self.timeout)


def is_balancer(host: str) -> bool:
    """Whether a name leads to a load balancer of this cloud."""
    return need("services.alb", "find_lb_for_host").find_lb_for_host(end_of(host)) is not None


def apply() -> None:
    """Wrap the forwarding to custom origins; any host that is not ours goes the old way."""
    cloudfront = need(
        "services.cloudfront",
        *("_forward_to_origin", "_origin_request_headers", "_origin_connect_target"),
        *("OriginTimeout", "OriginUnreachable"),
    )
    forward = cloudfront._forward_to_origin

    @functools.wraps(forward)
    def forwarded(origin: dict[str, Any], method: str, uri: str, query_string: str, *request: Any, **more: Any) -> Any:
        host = origin["domain_name"].lower()
        headers, body, viewer_is_https, *viewer = request
        secure = cloudfront._origin_connect_target(origin, viewer_is_https)[2]
        # An API has no door without TLS.
        if not (_API.fullmatch(host) and secure) and not is_balancer(host):
            return forward(origin, method, uri, query_string, *request, **more)
        sent = cloudfront._origin_request_headers(origin, headers, *viewer)
        connection = (_Secure if secure else _Plain)(host, timeout=origin["read_timeout"])
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
