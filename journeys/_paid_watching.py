"""Watching: what a link opens, and everything that it does not."""

import time

from journeys._cognito import User
from journeys._paid_shop import FILE, Shop
from journeys._paid_signature import Forger, Signed
from journeys._paid_video import CONTENT_TYPE
from journeys._world import World

# What a player asks for at once; the first pieces, then the rest as it plays.
CHUNK = 8 * 1024
LONGEST = 5 * 60
# Of TEST-NET-3, which nobody has (RFC 5737).
ELSEWHERE = "203.0.113.7"
HEADERS = {
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'",
}


def signed_url(world: World, shop: Shop, user: User, film: str, data: bytes) -> None:
    """A link that was paid for."""
    with world.step("a premium user's link is signed by the deployed key, for this file and minutes") as step:
        asked_at = time.time()
        link = shop.signed_url(user, film)
        signed = Signed.read(link)
        public_key = shop.public_key(signed.key_id)
        assert signed.resource == _file(world, film), f"signed for {signed.resource}"
        lasts = signed.expires_at - asked_at
        assert 0 < lasts <= LONGEST + 2, f"it lasts {lasts:.0f} s"
        assert signed.holds(public_key), "the signature does not hold under the key that CloudFront has"
        places = range(len(signed.policy))
        held = [place for place in places if signed.holds(public_key, _flipped(signed, place))]
        assert not held, f"it holds for a policy that is changed at {held}"
        others = [key.name for key in shop.keys.values() if key.id != signed.key_id]
        assert not any(signed.holds(shop.public_key(shop.keys[name].id)) for name in others), "it holds for any key"
        step.show(verified_by="cryptography, public key from CloudFront", key=signed.key_id, lasts_seconds=round(lasts),
                  changed_bytes_refused=len(signed.policy))  # fmt: skip

    with world.step("the video plays through CloudFront, piece by piece (206, Content-Range)") as step:
        pieces = []
        for first in range(0, len(data), CHUNK):
            last = min(first + CHUNK, len(data)) - 1
            answer = shop.get(link, Range=f"bytes={first}-{last}")
            assert answer.status == 206, f"expected 206, got {answer.status}: {answer.text[:200]}"
            expected = f"bytes {first}-{last}/{len(data)}"
            assert answer.headers["Content-Range"] == expected, f"{answer.headers['Content-Range']}, not {expected}"
            pieces.append(answer.body)
        assert b"".join(pieces) == data, "the pieces are not the video"
        tail = shop.get(link, Range="bytes=-100")
        assert (tail.status, tail.body) == (206, data[-100:]), f"the last 100 bytes: {tail.status}"
        beyond = shop.get(link, Range=f"bytes={len(data)}-")
        assert beyond.status == 416, f"expected 416 beyond the end, got {beyond.status}"
        step.show(pieces=len(pieces), bytes=len(data), checked_by=_checker(world), beyond_the_end=416)

    with world.step("what CloudFront sends has a type and security headers, over HTTPS alone") as step:
        answer = shop.get(link)
        assert (answer.status, answer.body == data) == (200, True), f"{answer.status}, {len(answer.body)} bytes"
        assert answer.headers["Content-Type"] == CONTENT_TYPE, answer.headers["Content-Type"]
        sent = {name: str(answer.headers.get(name)) for name in HEADERS}
        wrong = {name: sent[name] for name, text in HEADERS.items() if text not in sent[name]}
        assert not wrong, f"missing or wrong: {wrong}"
        plain = world.http("GET", link.replace("https://", "http://"))
        assert plain.status == 403, f"expected 403 over HTTP, got {plain.status}"
        step.show(status=200, type=CONTENT_TYPE, over_http=403, **dict.fromkeys(HEADERS, "set"))


def refused(world: World, shop: Shop, user: User, film: str, other: str) -> None:
    """Everything but the link itself."""
    link = shop.signed_url(user, film)
    signed = Signed.read(link)
    stranger, resource = Forger(), signed.resource
    another = next(key.id for key in shop.keys.values() if key.id != signed.key_id)
    signature = link.split("Signature=")[1].split("&")[0]
    forged = {
        "unsigned": resource,
        "no_key_id": link.replace(f"&Key-Pair-Id={signed.key_id}", ""),
        "another_file": link.replace(f"/{film}/", f"/{other}/"),
        "later_expiry": link.replace(f"Expires={signed.expires_at}", f"Expires={signed.expires_at + 3600}"),
        "earlier_expiry": link.replace(f"Expires={signed.expires_at}", f"Expires={signed.expires_at - 1}"),
        "changed_signature": link.replace(signature, ("B" if signature[0] == "A" else "A") + signature[1:]),
        "other_hash": link.replace("SHA256", "SHA1"),
        "another_key": link.replace(signed.key_id, another),
        "unknown_key": link.replace(signed.key_id, "K0000000000000"),
        "key_of_a_stranger": stranger.url(resource, signed.key_id, signed.expires_at),
        "more_in_the_query": link.replace("?", "?as=admin&"),
    }
    with world.step(f"{len(forged)} links that are not quite the one given are refused") as step:
        unchanged = [name for name, url in forged.items() if url == link]
        assert not unchanged, f"nothing was changed: {unchanged}"
        answers = {name: shop.get(url).status for name, url in forged.items()}
        assert set(answers.values()) == {403}, f"expected 403 for each, got {answers}"
        assert shop.get(link).status == 200, "the link itself is refused"
        step.show(checked_by=_checker(world), **answers)

    with world.step("a link plays until it expires, and no longer") as step:
        short = shop.signed_url(user, film, seconds=3)
        assert shop.get(short).status == 200, "refused before it expired"
        over = Signed.read(short).expires_at
        world.eventually(lambda: shop.get(short).status == 403, within=15, what="the expired link refused")
        assert time.time() >= over - 1, f"refused {over - time.time():.0f} s too early"
        longer = shop.link(user, film, seconds=LONGEST + 1)
        assert longer.status == 400, f"a longer link: expected 400, got {longer.status}: {longer.text}"
        step.show(played=200, expired=403, longer_than_allowed=400)

    with world.step("S3 itself gives the video to nobody") as step:
        bucket, key = world.out["BucketName"], f"videos/{film}/{FILE}"
        endpoint = world.client("s3").generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
        unsigned = world.http("GET", endpoint.split("?", maxsplit=1)[0])
        assert unsigned.status == 403, f"expected 403, got {unsigned.status}"
        world.refused(("AccessDenied", "403"), shop.publisher.client("s3").get_object, Bucket=bucket, Key=key)
        step.show(anonymous=403, publisher="AccessDenied")


def other_people(world: World, shop: Shop, ada: User, cleo: User, film: str) -> None:
    """A link is of use to whom it is given."""
    with world.step("another user cannot get a link of what she did not buy") as step:
        answer = shop.link(cleo, film)
        assert answer.status == 402, f"expected 402, got {answer.status}: {answer.text}"
        assert not shop.charges(cleo), "she was charged"
        step.show(status=402)

    with world.step("a link bound to an address plays there and nowhere else") as step:
        link = shop.signed_url(ada, film, bindIp="true")
        bound = Signed.read(link)
        assert bound.holds(shop.public_key(bound.key_id)), "the signature does not hold"
        address = bound.statement["Condition"]["IpAddress"]["AWS:SourceIp"]
        assert shop.get(link).status == 200, f"refused though it is bound to {address}, which asked for it"
        key = next(key for key in shop.keys.values() if key.id == bound.key_id)
        # What somebody at another address was given: signed by the deployed key itself, which the operator may read.
        theirs = Forger(shop.private_key(key)).url(bound.resource, key.id, bound.expires_at, address=f"{ELSEWHERE}/32")
        assert Signed.read(theirs).holds(shop.public_key(key.id)), "the signature must hold, or this proves nothing"
        stolen = shop.get(theirs)
        assert stolen.status == 403, f"a link of {ELSEWHERE} played here: {stolen.status}"
        step.show(bound_to=address, plays=200, of_another_address=403)


def stream(world: World, shop: Shop, user: User, film: str, other: str) -> None:
    """Signed cookies, for players that fetch many files."""
    with world.step("signed cookies open a stream's playlist and segments, and nothing else") as step:
        answer = user.http("GET", shop.url(f"/videos/{film}/stream"))
        assert answer.status == 200, f"expected 200, got {answer.status}: {answer.text}"
        given = answer.json()
        cookie = "; ".join(f"{name}={value}" for name, value in given["cookies"].items())
        playlist = shop.get(given["url"], Cookie=cookie)
        assert playlist.status == 200, f"the playlist: expected 200, got {playlist.status}"
        (name,) = [line for line in playlist.text.splitlines() if not line.startswith("#")]
        segment = given["url"].replace("index.m3u8", name)
        assert shop.get(segment, Cookie=cookie).status == 200, "the segment is refused"
        refused_ = {
            "no_cookies": shop.get(given["url"]),
            "another_stream": shop.get(given["url"].replace(film, other), Cookie=cookie),
            "the_file": shop.get(_file(world, film), Cookie=cookie),
            "changed_policy": shop.get(given["url"], Cookie=_longer(given["cookies"])),
        }
        answers = {what: one.status for what, one in refused_.items()}
        assert set(answers.values()) == {403}, f"expected 403 for each, got {answers}"
        step.show(playlist=200, segment=200, checked_by=_checker(world), **answers)


def _longer(cookies: dict[str, str]) -> str:
    """The cookies with a policy of which one letter is another."""
    policy = cookies["CloudFront-Policy"]
    changed = {**cookies, "CloudFront-Policy": policy[:40] + ("A" if policy[40] != "A" else "B") + policy[41:]}
    return "; ".join(f"{name}={value}" for name, value in changed.items())


def _flipped(signed: Signed, position: int) -> bytes:
    changed = bytearray(signed.policy)
    changed[position] ^= 1
    return bytes(changed)


def _file(world: World, film: str) -> str:
    return f"https://{world.out['DistributionDomain']}/videos/{film}/{FILE}"


def _checker(world: World) -> str:
    """Who looked at the signatures: CloudFront, or what stands in for it."""
    return f"CloudFront of the {world.place}"
