"""localcloud/fixes/_viewer_signature.py: AWS's published scheme, signed here by botocore."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from localcloud.fixes._viewer_signature import RefusedError, Viewer, check, own_query

NOW = 1_800_000_000
LATER = datetime.fromtimestamp(NOW + 60, UTC)
URL = "https://d1.cloudfront.net/videos/film.mp4"
HERE, THERE = "198.51.100.4", "203.0.113.7"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


def pem(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


KEYS = {"KEY": pem(KEY), "OTHER": pem(OTHER), "CURVE": pem(CURVE)}


def signer(key_id: str = "KEY", key: rsa.RSAPrivateKey = KEY, hashed: HashAlgorithm | None = None) -> CloudFrontSigner:
    return CloudFrontSigner(key_id, lambda text: key.sign(text, padding.PKCS1v15(), hashed or SHA1()))  # noqa: S303


def canned(url: str = URL, **how: Any) -> str:
    return str(signer(**how).generate_presigned_url(url, date_less_than=LATER))


def custom(url: str = URL, resource: str = URL, *, text: str | None = None, **conditions: Any) -> str:
    policy = text or signer().build_policy(resource, conditions.pop("date_less_than", LATER), **conditions)
    return str(signer().generate_presigned_url(url, policy=policy))


def ask(url: str, **more: Any) -> None:
    viewer = Viewer(url, "", HERE, NOW)
    check(replace(viewer, **more), KEYS)


@pytest.mark.parametrize(
    "url",
    [
        canned(),
        canned(f"{URL}?quality=hd&lang=de"),
        canned(hashed=SHA256()) + "&Hash-Algorithm=SHA256",
        canned() + "&Hash-Algorithm=SHA1",
        canned(key_id="OTHER", key=OTHER),
        custom(),
        custom(f"{URL}?t=5", "https://d1.cloudfront.net/videos/*"),
        custom(resource="http*://d1.cloudfront.net/video?/film.mp4"),
        custom(ip_address=HERE),
        custom(ip_address="198.51.100.0/24"),
        custom(date_greater_than=datetime.fromtimestamp(NOW, UTC)),
    ],
)
def test_what_is_signed_for_this_request_passes(url: str) -> None:
    ask(url)


def test_a_signature_by_a_curve_passes() -> None:
    policy = signer().build_policy(URL, LATER).encode()
    made = CloudFrontSigner("CURVE", lambda text: CURVE.sign(text, ec.ECDSA(SHA256())))
    ask(made.generate_presigned_url(URL, policy=policy) + "&Hash-Algorithm=SHA256")


def changed_signature(url: str) -> str:
    before, after = url.split("Signature=")
    return f"{before}Signature={'B' if after[0] == 'A' else 'A'}{after[1:]}"


REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("MissingKey", URL, {}),
    ("MissingKey", f"{URL}?Expires=1&Signature=x", {}),
    ("InvalidKey", canned(key_id="UNKNOWN"), {}),
    ("AccessDenied", canned(key_id="OTHER"), {}),
    ("AccessDenied", canned(), {"now": NOW + 60}),
    ("AccessDenied", canned().replace(f"Expires={NOW + 60}", f"Expires={NOW + 61}"), {}),
    ("AccessDenied", canned().replace(f"Expires={NOW + 60}", "Expires=soon"), {}),
    ("AccessDenied", canned().replace("film.mp4", "other.mp4"), {}),
    ("AccessDenied", canned().replace("https:", "http:"), {}),
    ("AccessDenied", canned().replace("?", "?more=1&"), {}),
    ("AccessDenied", changed_signature(canned()), {}),
    ("AccessDenied", canned().split("Signature=")[0] + "Signature=%%&Key-Pair-Id=KEY", {}),
    ("AccessDenied", canned().replace("Signature=", "Was="), {}),
    ("AccessDenied", canned() + "&Hash-Algorithm=SHA256", {}),
    ("AccessDenied", canned() + "&Hash-Algorithm=MD5", {}),
    ("AccessDenied", custom(ip_address=THERE), {}),
    ("AccessDenied", custom(ip_address=HERE), {"address": THERE}),
    ("AccessDenied", custom(date_greater_than=datetime.fromtimestamp(NOW + 1, UTC)), {}),
    ("AccessDenied", custom(date_less_than=datetime.fromtimestamp(NOW, UTC)), {}),
    ("AccessDenied", custom(resource="https://d1.cloudfront.net/music/*"), {}),
    ("AccessDenied", custom(resource="https://d1.cloudfront.net/videos"), {}),
    ("MalformedPolicy", custom(text="[]"), {}),
    ("MalformedPolicy", custom(text='{"Statement":[]}'), {}),
    ("MalformedPolicy", custom(text=json.dumps({"Statement": [{"Resource": URL, "Condition": {}}]})), {}),
    ("MalformedPolicy", custom(text="no policy"), {}),
    ("AccessDenied", custom().replace("Policy=", "Policy=A"), {}),
]


@pytest.mark.parametrize(("code", "url", "how"), REFUSED)
def test_what_is_not_is_refused(code: str, url: str, how: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refusal:
        ask(url, **how)
    assert refusal.value.code == code


def cookies(url: str) -> str:
    return "; ".join(f"CloudFront-{pair}" for pair in url.partition("?")[2].split("&"))


@pytest.mark.parametrize("url", [custom(), canned(), canned(hashed=SHA256()) + "&Hash-Algorithm=SHA256"])
def test_cookies_say_the_same_as_the_query(url: str) -> None:
    ask(URL, cookie=f"theme=dark; {cookies(url)}")


@pytest.mark.parametrize(
    ("code", "url", "cookie"),
    [
        ("AccessDenied", URL.replace("film", "other"), cookies(custom())),
        ("AccessDenied", URL, cookies(changed_signature(custom()))),
        ("MissingKey", URL, "theme=dark"),
        ("MissingKey", URL, cookies(custom()).replace("CloudFront-", "")),
        # The URL's signature counts, be the cookies as good as they may.
        ("InvalidKey", canned(key_id="UNKNOWN"), cookies(custom())),
    ],
)
def test_cookies_that_do_not_fit_are_refused(code: str, url: str, cookie: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        ask(url, cookie=cookie)
    assert refusal.value.code == code


@pytest.mark.parametrize("position", range(0, 160, 7))
def test_any_changed_byte_of_a_custom_policy_is_refused(position: int) -> None:
    before, _, after = custom().partition("Policy=")
    encoded, _, rest = after.partition("&")
    policy = bytearray(base64.b64decode(encoded.translate(str.maketrans("-_~", "+=/"))))
    policy[position % len(policy)] ^= 1
    altered = base64.b64encode(bytes(policy)).decode().translate(str.maketrans("+=/", "-_~"))
    with pytest.raises(RefusedError):
        ask(f"{before}Policy={altered}&{rest}")


@pytest.mark.parametrize(
    ("query", "own"),
    [
        ("", ""),
        ("a=1&Expires=2&b=3", "a=1&b=3"),
        ("Policy=x&Signature=y&Key-Pair-Id=z&Hash-Algorithm=SHA256", ""),
        ("expires=2&policy", "expires=2&policy"),
    ],
)
def test_the_origin_gets_the_query_without_the_signature(query: str, own: str) -> None:
    assert own_query(query) == own


CHECKS: list[Callable[[], None]] = [lambda: ask(canned()), lambda: ask(custom())]


@pytest.mark.parametrize("passes", CHECKS)
def test_a_key_that_is_taken_out_of_the_group_opens_nothing(passes: Callable[[], None], monkeypatch: Any) -> None:
    passes()
    monkeypatch.delitem(KEYS, "KEY")
    with pytest.raises(RefusedError, match="Unknown Key"):
        passes()
