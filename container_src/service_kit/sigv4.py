"""Signature Version 4 for httpx: each request is signed with the credentials that the process has at that moment."""

from collections.abc import AsyncGenerator
from typing import Any

import anyio.to_thread
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import Session


class SignedByAws(httpx.Auth):
    """Signs requests to an AWS service.

    Args:
        service: Its name in signatures; an API behind API Gateway is ``execute-api``, by its own domain name too.
        region: Where it is.
        session: Where the credentials come from.
    """

    requires_request_body = True

    def __init__(self, *, service: str, region: str, session: Session | None = None) -> None:
        self._service = service
        self._region = region
        self._session = session or Session()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign it. Credentials of a task or an instance are renewed by a call, so they are got in a thread."""
        await request.aread()
        credentials = await anyio.to_thread.run_sync(self._credentials)
        # Only what makes the request what it is: proxies may change the other headers on the way.
        kept = {name: request.headers[name] for name in ("host", "content-type") if name in request.headers}
        to_sign = AWSRequest(request.method, str(request.url), headers=kept, data=request.content)
        SigV4Auth(credentials, self._service, self._region).add_auth(to_sign)
        request.headers.update(dict(to_sign.headers.items()))
        yield request

    def _credentials(self) -> Credentials:
        found: Any = self._session.get_credentials()
        if found is None:
            raise RuntimeError("there are no AWS credentials: the process has no role")
        frozen = found.get_frozen_credentials()
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)
