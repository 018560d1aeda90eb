"""Who calls AWS: the person who runs the journey, or a role that this person assumed."""

import json as jsonlib
import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import boto3
import botocore.session
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import NoCredentialsError

from journeys._http import Http, Response
from journeys._target import Target

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

# As botocore wants it: name in the files, environment variables, default, conversion.
_NO_PROFILE: dict[str, tuple[Any, Any, Any, Any]] = {
    "profile": (None, [], None, None),
    "config_file": (None, [], os.devnull, None),
    "credentials_file": (None, [], os.devnull, None),
}


class Identity:
    """Somebody's boto3 clients and HTTP requests.

    Args:
        target: The cloud.
        session: Holds the credentials.
        http: Sends the requests.
    """

    def __init__(self, target: Target, session: boto3.Session, http: Http) -> None:
        self._target = target
        self._session = session
        self._http = http
        self._clients: dict[tuple[str, str, bool], Any] = {}
        # Journeys call from several threads; clients may be shared, their making may not.
        self._making = threading.Lock()

    @property
    def region(self) -> str:
        """The region of the stack."""
        return self._target.region

    @overload
    def client(
        self, service: Literal["apigateway"], region: str | None = None, *, tls: bool = True
    ) -> "APIGatewayClient": ...
    @overload
    def client(
        self, service: Literal["cloudformation"], region: str | None = None, *, tls: bool = True
    ) -> "CloudFormationClient": ...
    @overload
    def client(
        self, service: Literal["dynamodb"], region: str | None = None, *, tls: bool = True
    ) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["iam"], region: str | None = None, *, tls: bool = True) -> "IAMClient": ...
    @overload
    def client(self, service: Literal["lambda"], region: str | None = None, *, tls: bool = True) -> "LambdaClient": ...
    @overload
    def client(self, service: Literal["s3"], region: str | None = None, *, tls: bool = True) -> "S3Client": ...
    @overload
    def client(self, service: Literal["sns"], region: str | None = None, *, tls: bool = True) -> "SNSClient": ...
    @overload
    def client(self, service: Literal["sqs"], region: str | None = None, *, tls: bool = True) -> "SQSClient": ...
    @overload
    def client(self, service: Literal["sts"], region: str | None = None, *, tls: bool = True) -> "STSClient": ...
    @overload
    def client(self, service: str, region: str | None = None, *, tls: bool = True) -> Any: ...
    def client(self, service: str, region: str | None = None, *, tls: bool = True) -> Any:
        """A boto3 client of this identity; asked for again, the same one.

        Args:
            service: boto3's name of it, ``"sqs"``.
            region: Another region than the stack's.
            tls: False connects without TLS, to prove that this is refused.
        """
        key = (service, region or self.region, tls)
        with self._making:
            if key not in self._clients:
                self._clients[key] = self._new_client(*key)
            return self._clients[key]

    def http(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        sign: str | None = None,
    ) -> Response:
        """Send an HTTP request and return the answer, whatever its status is.

        TLS is always verified, redirects are not followed, and nothing is retried. On the local cloud the request goes
        to its endpoint, under the URL's own host name.

        Args:
            method: ``"POST"``.
            url: An https URL, or an http one to see what happens to it.
            json: Sent as the body, with its content type.
            body: Sent as it is, in UTF-8 when it is text. Excludes ``json``.
            headers: Added, also over the content type of ``json``.
            sign: Sign with this identity's credentials (SigV4) for this service, ``"execute-api"``. Left out: unsigned.

        Raises:
            ValueError: Both ``json`` and ``body``, or a URL that is none.
            urllib3.exceptions.HTTPError: No answer, or a certificate that does not hold.
        """
        if json is not None and body is not None:
            message = "json, body: give one of them, got both"
            raise ValueError(message)
        sent = dict(headers or {})
        data = body.encode() if isinstance(body, str) else body
        if json is not None:
            data = jsonlib.dumps(json).encode()
            if not any(name.lower() == "content-type" for name in sent):
                sent["Content-Type"] = "application/json"
        if sign is not None:
            sent = self._signed(sign, method, url, sent, data)
        return self._http.send(method, url, headers=sent, body=data)

    def plain_http(self, service: str) -> str:
        """The base URL of a service's endpoint without TLS, to prove that it is refused."""
        if self._target.plain_endpoint_url is not None:
            return self._target.plain_endpoint_url
        return str(self.client(service, tls=False).meta.endpoint_url)

    def close(self) -> None:
        """Close the clients' connections."""
        while self._clients:
            self._clients.popitem()[1].close()

    def _new_client(self, service: str, region: str, tls: bool) -> Any:
        target = self._target
        config = Config(
            connect_timeout=10,
            read_timeout=65,
            retries={"mode": "standard", "total_max_attempts": 4},
            max_pool_connections=32,
        )
        # Overloads exist for literal names only.
        new_client = cast("Any", self._session).client
        if not target.is_local:
            return new_client(service, region_name=region, use_ssl=tls, config=config)
        # One address serves every service: no host prefixes, no bucket in the host name, and no proxy on the way.
        config = config.merge(Config(inject_host_prefix=False, proxies={}))
        if service == "s3":
            config = config.merge(Config(s3={"addressing_style": "path"}))
        return new_client(
            service,
            region_name=region,
            endpoint_url=target.endpoint_url if tls else target.plain_endpoint_url,
            verify=target.ca_bundle,
            config=config,
        )

    def _signed(
        self, service: str, method: str, url: str, headers: dict[str, str], data: bytes | None
    ) -> dict[str, str]:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        signer = S3SigV4Auth if service == "s3" else SigV4Auth
        request = AWSRequest(method=method, url=url, data=data or b"", headers=headers)
        signer(credentials.get_frozen_credentials(), service, self.region).add_auth(request)
        return dict(request.headers.items())


def person(target: Target) -> boto3.Session:
    """The session of whoever runs the journey: the local cloud's person, or the caller."""
    if not target.is_local:
        return boto3.Session(region_name=target.region)
    return with_keys(target, target.access_key_id, target.secret_access_key, None)


def with_keys(
    target: Target, access_key_id: str | None, secret_access_key: str | None, token: str | None
) -> boto3.Session:
    """A session with these keys; locally without the caller's profile and files, which are meant for AWS."""
    return boto3.Session(
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        aws_session_token=token,
        region_name=target.region,
        botocore_session=botocore.session.Session(session_vars=_NO_PROFILE if target.is_local else None),
    )
