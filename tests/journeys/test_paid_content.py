"""What the paid-content journey brings with it: the video that it makes, and the verifier that it judges with."""

import io
import struct
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image

from journeys._paid_signature import Forger, Signed
from journeys._paid_video import FRAMES_PER_SECOND, HEIGHT, WIDTH, video, vp8, webm

URL = "https://d1.cloudfront.net/videos/film.webm"
MASTERS = {0x18538067, 0x1654AE6B, 0xAE, 0xE0, 0x1549A966, 0x1F43B675, 0x1A45DFA3}


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(id, content) of every element of an EBML file (RFC 8794), those inside others too."""
    position = 0
    while position < len(data):
        length = 9 - data[position].bit_length()
        name = int.from_bytes(data[position : position + length])
        position += length
        size_length = 9 - data[position].bit_length()
        size = int.from_bytes(data[position : position + size_length]) & ~(1 << 7 * size_length)
        position += size_length
        content = data[position : position + size]
        assert len(content) == size, f"{name:x}: says {size} bytes, has {len(content)}"
        yield name, content
        if name in MASTERS:
            yield from elements(content)
        position += size


def test_the_video_is_a_webm_of_vp8_frames_in_order() -> None:
    found = list(elements(video(seconds=2)))
    by_name = dict(found)
    assert found[0][0] == 0x1A45DFA3
    assert (by_name[0x4282], by_name[0x86]) == (b"webm", b"V_VP8")
    assert (int.from_bytes(by_name[0xB0]), int.from_bytes(by_name[0xBA])) == (WIDTH, HEIGHT)
    assert struct.unpack(">d", by_name[0x4489]) == (2000.0,)
    times, begins = [], 0
    for name, content in found:
        if name == 0xE7:
            begins = int.from_bytes(content)
        if name == 0xA3:
            track, after, flags = struct.unpack(">BhB", content[:4])
            times.append(begins + after)
            assert (track, flags) == (0x81, 0x80)
            # A VP8 key frame: its start code, and its size (RFC 6386, section 9.1).
            assert content[4] & 1 == 0
            assert content[7:10] == b"\x9d\x01\x2a"
            assert struct.unpack("<HH", content[10:14]) == (WIDTH, HEIGHT)
    assert times == [number * 1000 // FRAMES_PER_SECOND for number in range(2 * FRAMES_PER_SECOND)]


def test_a_frame_is_still_the_picture_that_it_was_made_of() -> None:
    picture = Image.new("RGB", (WIDTH, HEIGHT), (200, 30, 40))
    frame = vp8(picture)
    riff = b"WEBPVP8 " + struct.pack("<I", len(frame)) + frame + b"\0" * (len(frame) % 2)
    decoded = Image.open(io.BytesIO(b"RIFF" + struct.pack("<I", len(riff)) + riff)).convert("RGB")
    colour = decoded.getpixel((WIDTH // 2, HEIGHT // 2))
    assert isinstance(colour, tuple)
    assert all(abs(got - wanted) <= 6 for got, wanted in zip(colour, (200, 30, 40), strict=True))


def test_a_picture_with_holes_is_no_frame() -> None:
    with pytest.raises(ValueError, match="frame: must be a plain lossy WebP, got b'WEBPVP8X'"):
        vp8(Image.new("RGBA", (16, 16), (1, 2, 3, 4)))


def test_another_seed_is_another_film_and_the_same_seed_is_not() -> None:
    assert video(1) == video(1)
    assert video(1) != video(1, seed=1)
    assert len(webm([], 16, 16, 12)) < 300


def verifiable() -> tuple[Signed, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    policy = b'{"Statement":[{"Resource":"x","Condition":{"DateLessThan":{"AWS:EpochTime":5}}}]}'
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return Signed("x", policy, key.sign(policy, padding.PKCS1v15(), SHA256()), "K"), public


def test_the_verifier_takes_the_signature_and_no_other() -> None:
    signed, public = verifiable()
    assert signed.holds(public)
    assert signed.expires_at == 5
    assert not signed.holds(public, signed.policy + b" ")
    assert not signed.holds(verifiable()[1]), "another key"
    assert not Signed("x", signed.policy, b"\0" * 256, "K").holds(public)


def test_the_verifier_knows_rsa_alone() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    public = curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(AssertionError, match="expected an RSA key"):
        verifiable()[0].holds(public)


def test_a_forged_url_reads_as_it_was_written_and_holds_for_nobody() -> None:
    signed = Signed.read(Forger().url(URL, "K", 77, address="203.0.113.7/32"))
    assert (signed.resource, signed.key_id, signed.expires_at) == (URL, "K", 77)
    assert signed.statement["Condition"]["IpAddress"] == {"AWS:SourceIp": "203.0.113.7/32"}
    assert not signed.holds(verifiable()[1])


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (URL, "not a signed URL"),
        (f"{URL}?Signature=x&Key-Pair-Id=K", "expected SHA256, got None"),
        (f"{URL}?Signature=x&Key-Pair-Id=K&Hash-Algorithm=SHA1", "expected SHA256, got SHA1"),
    ],
)
def test_what_is_not_signed_as_it_should_be_is_said(url: str, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        Signed.read(url)
