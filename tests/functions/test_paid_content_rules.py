"""What a signature of the shop holds for, and the rules that decide who gets one."""

import json
from datetime import UTC, datetime

import pytest
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from journeys._paid_signature import Signed
from paid_content_api import rules
from paid_content_api.problems import ProblemError
from paid_content_api.rules import Purchase, Video
from paid_content_api.signing import Signer
from tests.functions.paid_fakes import NOW, PRIVATE_PEM, PUBLIC_PEM

SIGNER = Signer("KEY", PRIVATE_PEM)
URL = "https://d1.cloudfront.net/videos/film/film.mp4"
FILM = Video("film", "A film", 499, "EUR")
ADDRESSES = st.one_of(st.none(), st.ip_addresses(v=4).map(str))


@given(address=ADDRESSES, place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_any_changed_byte_of_the_policy_breaks_the_signature(address: str | None, place: int, change: int) -> None:
    signed = Signed.read(SIGNER.url(URL, NOW, address=address))
    assert signed.holds(PUBLIC_PEM)
    altered = bytearray(signed.policy)
    altered[place % len(altered)] ^= change
    assert not signed.holds(PUBLIC_PEM, bytes(altered))


@given(seconds=st.integers(0, 2**40), change=st.integers(-1000, 1000).filter(bool))
def test_another_expiry_breaks_the_signature(seconds: int, change: int) -> None:
    expires = seconds % (2**31) + 2000
    url = SIGNER.url(URL, expires)
    assert Signed.read(url).holds(PUBLIC_PEM)
    assert not Signed.read(url.replace(f"Expires={expires}", f"Expires={expires + change}")).holds(PUBLIC_PEM)


@given(name=st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True).filter(lambda name: name != "film"))
def test_another_resource_breaks_the_signature(name: str) -> None:
    url = SIGNER.url(URL, NOW)
    assert not Signed.read(url.replace("/film/", f"/{name}/")).holds(PUBLIC_PEM)


def test_a_canned_policy_is_what_cloudfront_will_write_from_the_url() -> None:
    expected = '{"Statement":[{"Resource":"%s","Condition":{"DateLessThan":{"AWS:EpochTime":%s}}}]}' % (URL, NOW)  # noqa: UP031
    signer = CloudFrontSigner("KEY", lambda _: b"")
    assert signer.build_policy(URL, datetime.fromtimestamp(NOW, UTC)) == expected
    assert Signed.read(SIGNER.url(URL, NOW)).policy == expected.encode()


def test_a_bound_link_names_the_address_and_the_expiry() -> None:
    statement = Signed.read(SIGNER.url(URL, NOW, address="198.51.100.4")).statement
    assert statement == {
        "Resource": URL,
        "Condition": {"DateLessThan": {"AWS:EpochTime": NOW}, "IpAddress": {"AWS:SourceIp": "198.51.100.4/32"}},
    }


def test_cookies_have_no_letters_that_cookies_cannot_have() -> None:
    cookies = SIGNER.cookies("https://d1.cloudfront.net/videos/film/hls/*", NOW)
    assert cookies["CloudFront-Key-Pair-Id"] == "KEY"
    assert cookies["CloudFront-Hash-Algorithm"] == "SHA256"
    for text in cookies.values():
        assert not set(text) & set('+=/;, "')
    assert json.dumps(cookies)


def test_another_kind_of_key_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(TypeError, match="private key of KEY: must be RSA"):
        Signer("KEY", pem)
    with pytest.raises(ValueError, match="Unable to load PEM file") as refused:
        Signer("KEY", "a placeholder, no key")
    assert "placeholder" not in str(refused.value)


@pytest.mark.parametrize(("until", "lasts"), [(NOW + 1, True), (NOW, False), (NOW - 1, False)])
def test_a_purchase_lasts_until_its_expiry_and_not_at_it(until: int, lasts: bool) -> None:
    purchase = Purchase("film", until, "c")
    assert purchase.lasts(NOW) is lasts
    if lasts:
        rules.must_be_premium(purchase, FILM, NOW)
    else:
        with pytest.raises(ProblemError, match="the purchase was over on 2027-01-15T0"):
            rules.must_be_premium(purchase, FILM, NOW)


def test_without_a_purchase_nobody_is_premium() -> None:
    with pytest.raises(ProblemError, match="video 'film': not bought yet; buy it with POST /videos/film/purchase"):
        rules.must_be_premium(None, FILM, NOW)


@pytest.mark.parametrize("good", ["a", "film-1", "0", "x" * 64])
def test_an_id_of_a_video(good: str) -> None:
    assert rules.video_id(good) == good


@pytest.mark.parametrize("bad", ["", "-a", "A", "a/b", "../a", "a b", "x" * 65, "a\n", "a*"])
def test_no_id_of_a_video(bad: str) -> None:
    with pytest.raises(ProblemError, match="video: there is none called"):
        rules.video_id(bad)


@given(st.text(max_size=80))
def test_whatever_is_taken_for_an_id_stays_in_its_folder(text: str) -> None:
    try:
        found = rules.video_id(text)
    except ProblemError:
        return
    url = rules.stream_url("d", found, "index.m3u8")
    assert url == f"https://d/videos/{text}/hls/index.m3u8"
    assert not set(text) & set("/.?*#%")


@pytest.mark.parametrize(
    ("asked", "always", "bound"),
    [(None, False, None), ("false", False, None), ("true", False, "198.51.100.4"), ("false", True, "198.51.100.4")],
)
def test_a_link_is_bound_when_asked_or_always(asked: str | None, always: bool, bound: str | None) -> None:
    assert rules.bound_address(asked, "198.51.100.4", always=always) == bound


def test_an_address_that_cloudfront_cannot_compare_is_refused() -> None:
    with pytest.raises(ProblemError, match="bindIp: only an IPv4 address can be bound, got '2001:db8::1'"):
        rules.bound_address("true", "2001:db8::1", always=False)
    assert rules.bound_address(None, "2001:db8::1", always=False) is None


def test_a_files_name_is_quoted() -> None:
    video = Video("film", "A film", 499, "EUR", "director's cut?.mp4")
    assert rules.file_url("d", video) == "https://d/videos/film/director%27s%20cut%3F.mp4"
