"""Signed URLs and signed cookies of CloudFront; pure.

botocore's CloudFrontSigner writes the policies. CloudFront takes signatures over SHA-1, its default, or over SHA-256
when the request says so, which is used here (source: Amazon CloudFront developer guide, "Create a signed URL using a
canned policy", parameter Hash-Algorithm, and "Set signed cookies using a custom policy", cookie
CloudFront-Hash-Algorithm).
"""

import base64
from datetime import UTC, datetime

from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_ALGORITHM = "SHA256"
# CloudFront's replacements for what base64 has and URLs and cookies do not.
_SAFE = str.maketrans("+=/", "-_~")


class Signer:
    """Signs with one key pair.

    Args:
        key_id: The public key's id at CloudFront.
        private_key: RSA, in PEM.

    Raises:
        ValueError: The text is no private key.
        TypeError: The key is not RSA.
    """

    def __init__(self, key_id: str, private_key: str) -> None:
        key = load_pem_private_key(private_key.encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"private key of {key_id}: must be RSA")
        self._key = key
        self._key_id = key_id
        self._signer = CloudFrontSigner(key_id, self._sign)

    def url(self, url: str, expires_at: int, *, address: str | None = None) -> str:
        """A URL that works until it expires, and only from ``address`` when one is given.

        Args:
            url: The file's own, without anything of a signature.
            expires_at: Seconds since 1970.
            address: IPv4 address.
        """
        until = datetime.fromtimestamp(expires_at, UTC)
        if address is None:
            signed = self._signer.generate_presigned_url(url, date_less_than=until)
        else:
            policy = self._signer.build_policy(url, until, ip_address=address)
            signed = self._signer.generate_presigned_url(url, policy=policy)
        return f"{signed}&Hash-Algorithm={_ALGORITHM}"

    def cookies(self, resource: str, expires_at: int, *, address: str | None = None) -> dict[str, str]:
        """Cookies, name -> value, that open every URL which ``resource`` covers.

        Args:
            resource: A URL, with ``*`` for any characters.
            expires_at: Seconds since 1970.
            address: IPv4 address.
        """
        until = datetime.fromtimestamp(expires_at, UTC)
        policy = self._signer.build_policy(resource, until, ip_address=address).encode()
        return {
            "CloudFront-Policy": _encoded(policy),
            "CloudFront-Signature": _encoded(self._sign(policy)),
            "CloudFront-Key-Pair-Id": self._key_id,
            "CloudFront-Hash-Algorithm": _ALGORITHM,
        }

    def _sign(self, policy: bytes) -> bytes:
        return self._key.sign(policy, padding.PKCS1v15(), SHA256())


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode().translate(_SAFE)
