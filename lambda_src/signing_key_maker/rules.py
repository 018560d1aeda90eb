"""Key pairs as CloudFront takes them; pure."""

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

# Source: Amazon CloudFront developer guide, "Create key pairs for your signers": RSA of 2048 bits (or ECDSA P-256,
# which botocore's CloudFrontSigner does not know).
KEY_BITS = 2048
_EXPONENT = 65537


def new_private_key() -> str:
    """A new RSA private key as PKCS #8 in PEM."""
    key = rsa.generate_private_key(public_exponent=_EXPONENT, key_size=KEY_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_key_of(private_key: str) -> str | None:
    """The public key of a private one in PEM; None when the text is no such key, as a new secret's placeholder."""
    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except ValueError:
        return None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != KEY_BITS:
        return None
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
