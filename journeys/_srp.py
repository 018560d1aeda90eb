"""Signing in to a Cognito user pool without sending the password (SRP-6a), as the AWS SDKs for apps do.

Sources: RFC 5054 (the 3072-bit group), and the AWS SDKs' ``AuthenticationHelper`` for Cognito's derivation of the key.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

# RFC 5054, appendix A: 2^3072 - 2^3008 - 1 + 2^64 * (floor(2^2942 * pi) + 1690314).
_PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
_GENERATOR = 2
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Proof:
    """One sign-in: ``public`` goes out first, :meth:`answer` answers the challenge that comes back."""

    def __init__(self, pool: str, password: str) -> None:
        self._pool_name = pool.split("_", 1)[1]
        self._password = password
        self._secret = secrets.randbelow(_PRIME - 2) + 1
        self._public = pow(_GENERATOR, self._secret, _PRIME)

    @property
    def public(self) -> str:
        """SRP_A."""
        return f"{self._public:x}"

    def answer(self, challenge: Mapping[str, str], now: datetime | None = None) -> dict[str, str]:
        """The responses to PASSWORD_VERIFIER.

        Raises:
            AssertionError: The server's public value is one that would give the password away.
        """
        user, server = challenge["USER_ID_FOR_SRP"], int(challenge["SRP_B"], 16)
        mixed = _hash(_padded(self._public), _padded(server))
        assert 0 not in {server % _PRIME, mixed}, "the server's SRP_B is zero: it is no honest server"
        inner = hashlib.sha256(f"{self._pool_name}{user}:{self._password}".encode()).digest()
        private = _hash(_padded(int(challenge["SALT"], 16)), inner)
        multiplier = _hash(_padded(_PRIME), _padded(_GENERATOR))
        base = server - multiplier * pow(_GENERATOR, private, _PRIME)
        shared = pow(base, self._secret + mixed * private, _PRIME)
        seed = hmac.digest(_padded(mixed), _padded(shared), "sha256")
        key = hmac.digest(seed, b"Caldera Derived Key\x01", "sha256")[:16]
        stamp = _stamp(now or datetime.now(UTC))
        block = base64.b64decode(challenge["SECRET_BLOCK"])
        signed = hmac.digest(key, f"{self._pool_name}{user}".encode() + block + stamp.encode(), "sha256")
        return {
            "USERNAME": user,
            "TIMESTAMP": stamp,
            "PASSWORD_CLAIM_SECRET_BLOCK": challenge["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(signed).decode(),
        }


def _stamp(now: datetime) -> str:
    """English whatever the machine speaks, the day without a leading zero."""
    return f"{_DAYS[now.weekday()]} {_MONTHS[now.month - 1]} {now.day} {now:%H:%M:%S} UTC {now.year}"


def _padded(number: int) -> bytes:
    """Big-endian, with a zero byte in front where the first bit is set."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")
