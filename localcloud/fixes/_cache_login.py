"""Signing in to a cache with IAM: the password is a signed request, which ElastiCache checks with IAM.

Amazon ElastiCache user guide, "Authenticating with IAM": a request `GET https://<cache>/?Action=connect&User=<user>
&ResourceType=ServerlessCache`, presigned for the service `elasticache` for at most 900 seconds, without its scheme.
Its principal needs `elasticache:Connect` on the cache and on the user.
"""

import datetime as dt
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from localcloud import iam_log
from localcloud.internals import need

ACTION = "elasticache:Connect"
LONGEST = 900
_EMPTY = hashlib.sha256(b"").hexdigest()
_SKEW = dt.timedelta(minutes=5)


class RefusedError(Exception):
    """Why somebody is not let in; told to nobody outside, as on AWS."""


def check(token: str, *, user: dict[str, Any], cache: dict[str, Any]) -> None:
    """Check that a token is of somebody who may connect to a cache as a user now.

    In the scope of the cache's account and region.

    Args:
        token: the password that the client gave.
        user: the emulator's record of the ElastiCache user.
        cache: likewise, of the serverless cache.

    Raises:
        RefusedError: it is not.
    """
    parts = urlsplit(f"//{token}")
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    wanted = {"Action": "connect", "User": user["UserId"], "ResourceType": "ServerlessCache"}
    if parts.netloc.lower() != cache["ServerlessCacheName"] or parts.path != "/":
        raise RefusedError("it is signed for another cache")
    if any(asked.get(name) != value for name, value in wanted.items()):
        raise RefusedError("it is signed for another user, or another kind of cache")
    region, account = cache["ARN"].split(":")[3:5]
    principal = _signed_by(parts.netloc, asked, region, account)
    for resource in (cache["ARN"], user["ARN"]):
        if not _may(principal, resource, region):
            raise RefusedError(f"{principal.arn} is not authorized to perform: {ACTION} on resource: {resource}")


def _signed_by(host: str, asked: dict[str, str], region: str, account: str) -> Any:
    """The principal whose valid signature a request has."""
    sigv4 = need(
        "core.sigv4", "build_canonical_request", "build_string_to_sign", "calculate_signature", "signatures_match"
    )
    evaluator = need("core.iam_evaluator", "resolve_credential", "resolve_principal", "AuthError")
    scope, when = asked.get("X-Amz-Credential", "").split("/"), asked.get("X-Amz-Date", "")
    if scope[1:] != [when[:8], region, "elasticache", "aws4_request"] or asked.get("X-Amz-SignedHeaders") != "host":
        raise RefusedError("it is signed for something else")
    _check_time(when, asked.get("X-Amz-Expires", ""))
    credential = evaluator.resolve_credential(scope[0], account, asked.get("X-Amz-Security-Token", ""))
    if not hasattr(credential, "secret_access_key"):
        raise RefusedError("its credentials are unknown or have ended")
    canonical = sigv4.build_canonical_request("GET", "/", {"host": host}, asked, "host", payload_hash=_EMPTY)
    document = sigv4.build_string_to_sign(when, when[:8], region, "elasticache", canonical)
    signature = sigv4.calculate_signature(credential.secret_access_key, when[:8], region, "elasticache", document)
    if not sigv4.signatures_match(signature, asked.get("X-Amz-Signature", "")):
        raise RefusedError("its signature is wrong")
    principal = evaluator.resolve_principal(scope[0], account, credential)
    if isinstance(principal, evaluator.AuthError):
        raise RefusedError("its credentials have ended")
    return principal


def _check_time(when: str, lifetime: str) -> None:
    try:
        signed = dt.datetime.strptime(when, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        seconds = int(lifetime)
    except ValueError:
        raise RefusedError("it has no time") from None
    now = dt.datetime.now(dt.UTC)
    if not 0 < seconds <= LONGEST or not signed - _SKEW <= now < signed + dt.timedelta(seconds=seconds):
        raise RefusedError("it has expired")


def _may(principal: Any, resource: str, region: str) -> bool:
    evaluator = need("core.iam_evaluator", "EvalContext", "evaluate")
    context = evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=ACTION,
        resource_arn=resource,
        region=region,
        secure_transport=True,  # the endpoint takes nothing else
        principal_keys=principal.keys,
    )
    # Without policies: the account's root.
    allowed = principal.policies is None or (
        evaluator.evaluate(context, principal.policies, *principal.limits).decision == "Allow"
    )
    iam_log.record(principal=principal.arn, action=ACTION, resource=resource, allowed=allowed)
    return allowed
