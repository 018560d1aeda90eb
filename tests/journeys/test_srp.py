"""Signing in without sending the password, against the other side of the protocol; and what forgers make of tokens."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys import _srp
from journeys._cognito import claims, tampered, unsigned

POOL = "us-east-1_Abcdef123"
NOW = dt.datetime(2026, 11, 1, 9, 5, 7, tzinfo=dt.UTC)


class Server:
    """The user pool's side: it keeps a salt and a verifier, never the password."""

    def __init__(self, password: str) -> None:
        self.salt = secrets.token_bytes(16)
        inner = hashlib.sha256(f"Abcdef123ada:{password}".encode()).digest()
        private = _srp._hash(_srp._padded(int.from_bytes(self.salt, "big")), inner)
        self._verifier = pow(2, private, _srp._PRIME)
        self._secret = secrets.randbelow(_srp._PRIME)
        multiplier = _srp._hash(_srp._padded(_srp._PRIME), _srp._padded(2))
        self._public = (multiplier * self._verifier + pow(2, self._secret, _srp._PRIME)) % _srp._PRIME
        self._block = secrets.token_bytes(32)

    def challenge(self) -> dict[str, str]:
        return {
            "USER_ID_FOR_SRP": "ada",
            "SALT": self.salt.hex(),
            "SRP_B": f"{self._public:x}",
            "SECRET_BLOCK": base64.b64encode(self._block).decode(),
        }

    def accepts(self, public: str, answer: dict[str, str]) -> bool:
        theirs = int(public, 16)
        mixed = _srp._hash(_srp._padded(theirs), _srp._padded(self._public))
        shared = pow(theirs * pow(self._verifier, mixed, _srp._PRIME), self._secret, _srp._PRIME)
        seed = hmac.digest(_srp._padded(mixed), _srp._padded(shared), "sha256")
        key = hmac.digest(seed, b"Caldera Derived Key\x01", "sha256")[:16]
        signed = hmac.digest(key, b"Abcdef123ada" + self._block + answer["TIMESTAMP"].encode(), "sha256")
        return hmac.compare_digest(base64.b64encode(signed).decode(), answer["PASSWORD_CLAIM_SIGNATURE"])


@pytest.mark.parametrize(("said", "accepted"), [("Passw0rd!", True), ("passw0rd!", False), ("", False)])
def test_who_knows_the_password_gets_in(said: str, accepted: bool) -> None:
    server, proof = Server("Passw0rd!"), _srp.Proof(POOL, said)
    assert server.accepts(proof.public, proof.answer(server.challenge())) is accepted


def test_an_answer_is_good_for_one_challenge() -> None:
    server, other, proof = Server("Passw0rd!"), Server("Passw0rd!"), _srp.Proof(POOL, "Passw0rd!")
    assert not other.accepts(proof.public, proof.answer(server.challenge()))


def test_the_password_is_not_in_what_is_sent() -> None:
    proof = _srp.Proof(POOL, "Passw0rd!")
    sent = json.dumps([proof.public, proof.answer(Server("Passw0rd!").challenge())])
    assert "Passw0rd!" not in sent


def test_the_time_is_english_and_the_day_is_not_padded() -> None:
    answer = _srp.Proof(POOL, "x").answer(Server("x").challenge(), NOW)
    assert answer["TIMESTAMP"] == "Sun Nov 1 09:05:07 UTC 2026"


def test_a_server_that_would_learn_the_password_is_refused() -> None:
    challenge = Server("x").challenge() | {"SRP_B": f"{_srp._PRIME:x}"}
    with pytest.raises(AssertionError, match="SRP_B is zero"):
        _srp.Proof(POOL, "x").answer(challenge)


@given(st.integers(1, 2**3072))
def test_numbers_are_never_negative_on_the_wire(number: int) -> None:
    padded = _srp._padded(number)
    assert padded[0] < 0x80
    assert int.from_bytes(padded, "big") == number
    assert len(padded) == 1 or padded[0] or padded[1] >= 0x80


def _part(data: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


TOKEN = f"{_part({'alg': 'RS256', 'kid': 'k'})}.{_part({'sub': 'ada', 'exp': 1})}.c2lnbmF0dXJl"


def test_a_tampered_token_says_something_else_under_the_old_signature() -> None:
    forged = tampered(TOKEN, sub="bob")
    assert claims(forged) == {"sub": "bob", "exp": 1}
    assert forged.split(".")[0::2] == TOKEN.split(".")[0::2]


def test_an_unsigned_token_says_the_same_without_a_signature() -> None:
    header, payload, signature = unsigned(TOKEN).split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "none", "kid": "k"}
    assert (payload, signature) == (TOKEN.split(".")[1], "")
