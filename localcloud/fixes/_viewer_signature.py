"""Whether a viewer's request carries a signature that CloudFront takes.

AWS's published scheme (Amazon CloudFront Developer Guide, "Use signed URLs" and "Use signed cookies"): a canned policy
is rebuilt from the URL and its expiry, a custom one is sent along; either is signed with RSA (PKCS #1 v1.5) or ECDSA
over SHA-1, or SHA-256 when the request says so. Written from the guide and not tried against AWS.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key

if TYPE_CHECKING:
    from collections.abc import Mapping

PARAMETERS = ("Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm")
"""What a signed URL's query has besides the file's own; in cookies each has the prefix `CloudFront-`."""


class RefusedError(Exception):
    """The request must be answered 403; `code` is the error's name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Viewer:
    """A request as CloudFront sees it.

    Attributes:
        url: scheme, host, path and query as they were sent.
        cookie: the Cookie header.
        address: the viewer's IP address.
        now: seconds since 1970.
    """

    url: str
    cookie: str
    address: str
    now: float


def own_query(query: str) -> str:
    """The query without the signature's parameters: what the file's URL and the origin know of."""
    return "&".join(part for part in query.split("&") if part.partition("=")[0] not in PARAMETERS)


def check(viewer: Viewer, keys: Mapping[str, str]) -> None:
    """Let a request pass.

    Args:
        viewer: the request.
        keys: the public keys of the trusted groups, id -> PEM.

    Raises:
        RefusedError: it is not signed, by no trusted key, or not for this file, moment and address.
    """
    base, _, query = viewer.url.partition("?")
    rest = own_query(query)
    url = f"{base}?{rest}" if rest else base
    given = dict(part.partition("=")[::2] for part in query.split("&"))
    # Where both are there, the URL's count and the cookies do not.
    if not any(name in given for name in PARAMETERS):
        pairs = (part.strip().partition("=")[::2] for part in viewer.cookie.split(";"))
        given = {name.removeprefix("CloudFront-"): text for name, text in pairs if name.startswith("CloudFront-")}
    if not given.get("Key-Pair-Id"):
        raise RefusedError("MissingKey", "Missing Key-Pair-Id query parameter or cookie value")
    if given["Key-Pair-Id"] not in keys:
        raise RefusedError("InvalidKey", "Unknown Key")
    policy = _policy(given, url)
    _verify(policy, given, keys[given["Key-Pair-Id"]])
    if not _allows(policy, url, viewer):
        raise RefusedError("AccessDenied", "Access denied")


def _policy(given: Mapping[str, str], url: str) -> bytes:
    """The text that was signed."""
    if "Policy" in given:
        return _decoded(given["Policy"])
    if not re.fullmatch(r"\d{1,12}", given.get("Expires", "")):
        raise RefusedError("AccessDenied", "Access denied")
    condition = f'{{"DateLessThan":{{"AWS:EpochTime":{given["Expires"]}}}}}'
    return f'{{"Statement":[{{"Resource":"{url}","Condition":{condition}}}]}}'.encode()


def _verify(policy: bytes, given: Mapping[str, str], pem: str) -> None:
    algorithms: dict[str, hashes.HashAlgorithm] = {"SHA1": hashes.SHA1(), "SHA256": hashes.SHA256()}  # noqa: S303
    algorithm = algorithms.get(given.get("Hash-Algorithm", "SHA1"))
    key, signature = load_pem_public_key(pem.encode()), _decoded(given.get("Signature", ""))
    if algorithm is None:
        raise RefusedError("AccessDenied", "Access denied")
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, policy, ec.ECDSA(algorithm))
        else:
            rsa_key: Any = key
            rsa_key.verify(signature, policy, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        raise RefusedError("AccessDenied", "Access denied") from None


def _allows(policy: bytes, url: str, viewer: Viewer) -> bool:
    """Whether a policy, whose signature holds, is for this file, moment and address."""
    try:
        (statement,) = json.loads(policy)["Statement"]
        condition = statement["Condition"]
        before = int(condition["DateLessThan"]["AWS:EpochTime"])
        after = int(condition.get("DateGreaterThan", {}).get("AWS:EpochTime", 0))
        network = ipaddress.ip_network(condition.get("IpAddress", {}).get("AWS:SourceIp", "0.0.0.0/0"), strict=False)
        resource = str(statement.get("Resource", "*"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError("MalformedPolicy", "Malformed policy") from None
    somebody = network.prefixlen == 0 or ipaddress.ip_address(viewer.address) in network
    return after <= viewer.now < before and somebody and _matches(resource, url)


def _matches(pattern: str, url: str) -> bool:
    """`*` stands for any characters or none, `?` for one; a canned policy's resource is the URL itself."""
    parts = (".*" if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in pattern)
    return re.fullmatch("".join(parts), url) is not None


def _decoded(text: str) -> bytes:
    """Base64 in the letters that CloudFront uses."""
    try:
        return base64.b64decode(text.translate(str.maketrans("-_~", "+=/")), validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError("AccessDenied", "Access denied") from None
