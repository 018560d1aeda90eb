"""CloudFront's signatures, read and checked by other code than made them, and forged ones.

From AWS's description (Amazon CloudFront Developer Guide, "Create a signature for a signed URL that uses a canned
policy" and "... a custom policy"), with ``cryptography`` and nothing of AWS's.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

_TO_BASE64, _FROM_BASE64 = str.maketrans("-_~", "+=/"), str.maketrans("+=/", "-_~")


@dataclass(frozen=True)
class Signed:
    """A signed URL in its parts.

    Attributes:
        resource: The file's own URL.
        policy: The text that was signed.
        signature: The signature.
        key_id: Key-Pair-Id.
    """

    resource: str
    policy: bytes
    signature: bytes
    key_id: str

    @classmethod
    def read(cls, url: str) -> "Signed":
        """Take a signed URL apart; a canned policy is written again from the URL.

        Raises:
            AssertionError: It is not signed with SHA-256, or a part is missing.
        """
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query))
        assert {"Signature", "Key-Pair-Id"} <= given.keys(), f"not a signed URL: {sorted(given)}"
        assert given.get("Hash-Algorithm") == "SHA256", f"expected SHA256, got {given.get('Hash-Algorithm')}"
        resource = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
        canned = '{"Statement":[{"Resource":"%s","Condition":{"DateLessThan":{"AWS:EpochTime":%s}}}]}'
        policy = _decoded(given["Policy"]) if "Policy" in given else (canned % (resource, given["Expires"])).encode()
        return cls(resource, policy, _decoded(given["Signature"]), given["Key-Pair-Id"])

    @property
    def statement(self) -> Any:
        """What the policy says."""
        return json.loads(self.policy)["Statement"][0]

    @property
    def expires_at(self) -> int:
        """Seconds since 1970."""
        return int(self.statement["Condition"]["DateLessThan"]["AWS:EpochTime"])

    def holds(self, public_key: str, policy: bytes | None = None) -> bool:
        """Whether the signature is one of this policy, or of another one, under a public key (PEM)."""
        key = load_pem_public_key(public_key.encode())
        assert isinstance(key, rsa.RSAPublicKey), f"expected an RSA key, got {type(key).__name__}"
        try:
            key.verify(self.signature, self.policy if policy is None else policy, padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True


class Forger:
    """Signs what nobody asked for.

    Args:
        private_key: In PEM; None: a key of the forger's own.
    """

    def __init__(self, private_key: str | None = None) -> None:
        self._key: Any = (
            load_pem_private_key(private_key.encode(), password=None)
            if private_key
            else rsa.generate_private_key(public_exponent=65537, key_size=2048)
        )

    def url(self, resource: str, key_id: str, expires_at: int, *, address: str = "0.0.0.0/0") -> str:
        """A URL with a custom policy for some addresses, signed by this key under any key's id."""
        condition = {"DateLessThan": {"AWS:EpochTime": expires_at}, "IpAddress": {"AWS:SourceIp": address}}
        policy = json.dumps({"Statement": [{"Resource": resource, "Condition": condition}]}).encode()
        signature = self._key.sign(policy, padding.PKCS1v15(), SHA256())
        signed = f"Policy={_encoded(policy)}&Signature={_encoded(signature)}"
        return f"{resource}?{signed}&Key-Pair-Id={key_id}&Hash-Algorithm=SHA256"


def _decoded(text: str) -> bytes:
    return base64.b64decode(text.translate(_TO_BASE64), validate=True)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode().translate(_FROM_BASE64)
