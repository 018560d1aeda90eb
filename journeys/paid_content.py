"""Users buy videos and watch them by links that last for minutes; who did not pay, or alters a link, gets nothing."""

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from journeys import _paid_rotation, _paid_video, _paid_watching
from journeys._cognito import User, Users, tampered, unsigned
from journeys._http import Response
from journeys._paid_shop import FILE, Shop
from journeys._token_expiry import refused_when_expired
from journeys._world import World

READS = (
    "ApiUrl",
    "UserPoolId",
    "UserPoolClientId",
    "DistributionDomain",
    "BucketName",
    "KeyGroupId",
    "SigningKeys",
    "KeyMakerName",
    "ShopFunctionName",
    "VideosTableName",
    "PremiumTableName",
    "ChargesTableName",
    "PublisherRoleArn",
)
AT_ONCE = 8


def run(world: World) -> None:
    shop = Shop(world)
    film, other = f"{world.token}-film", f"{world.token}-other"
    with world.step("a publisher puts two videos into the shop") as step:
        data = _paid_video.video()
        shop.publish(film, data)
        shop.publish(other, _paid_video.video(seconds=1, seed=1))
        world.save(FILE, data)
        step.show(video=film, bytes=len(data), sha256=hashlib.sha256(data).hexdigest()[:16], type="VP8 in WebM")
    with world.step("three users sign up and sign in") as step:
        users = Users(world, pool=world.out["UserPoolId"], client=world.out["UserPoolClientId"])
        ada, bob, cleo = (users.sign_up(name) for name in ("ada", "bob", "cleo"))
        for user in (ada, bob, cleo):
            shop.forget(user)
        step.show(ada=ada.sub, bob=bob.sub, cleo=cleo.sub)
    _strangers(world, shop, ada, film)
    refused_when_expired(world, ada, shop.url(f"/videos/{film}/link"))
    _before_paying(world, shop, ada, film)
    _buying(world, shop, ada, film, other)
    _buying_from_many_sides(world, shop, bob, film)
    _paid_watching.signed_url(world, shop, ada, film, data)
    _paid_watching.refused(world, shop, ada, film, other)
    _paid_watching.other_people(world, shop, ada, cleo, film)
    _paid_watching.stream(world, shop, ada, film, other)
    _expired(world, shop, bob, film)
    _paid_rotation.keys_stay(world, shop)
    _paid_rotation.rotation(world, shop, ada, film)
    _paid_rotation.keys_are_nowhere_else(world, shop)


def _strangers(world: World, shop: Shop, ada: User, film: str) -> None:
    url = shop.url(f"/videos/{film}/link")
    with world.step("without a valid token of this app there is no answer but 401") as step:
        tokens = {
            "none": None,
            "forged": tampered(ada.id_token, sub="somebody-else"),
            "unsigned": unsigned(ada.id_token),
            "access_token": ada.access_token,
            "another_app": _token_of_another_app(world, ada),
        }
        answers = {name: _with_token(world, url, token).status for name, token in tokens.items()}
        assert set(answers.values()) == {401}, f"expected 401 for each, got {answers}"
        step.show(**answers)


def _with_token(world: World, url: str, token: str | None) -> Response:
    return world.http("GET", url, headers={"Authorization": token} if token else {})


def _token_of_another_app(world: World, ada: User) -> str:
    """A good ID token of the same user and pool, made for another app."""
    cognito, pool = world.client("cognito-idp"), world.out["UserPoolId"]
    app = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName=f"journey-{world.token}",
        ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    world.cleanup(cognito.delete_user_pool_client, UserPoolId=pool, ClientId=app)
    elsewhere = User(world, pool, app, ada.email, ada.password)
    elsewhere.sign_in()
    return elsewhere.id_token


def _before_paying(world: World, shop: Shop, ada: User, film: str) -> None:
    with world.step("a free user is told to pay, and gets no URL") as step:
        status = ada.http("GET", shop.url("/status")).json()
        assert status == {"premium": False, "videos": []}, f"expected a free user, got {status}"
        for what in ("link", "stream"):
            answer = ada.http("GET", shop.url(f"/videos/{film}/{what}"))
            assert answer.status == 402, f"{what}: expected 402, got {answer.status}: {answer.text}"
            assert answer.headers["Content-Type"] == "application/problem+json", answer.headers["Content-Type"]
            assert world.out["DistributionDomain"] not in answer.text, f"{what}: a URL was given: {answer.text}"
            assert "Signature" not in answer.text, f"{what}: a signature was given: {answer.text}"
        step.show(status=402, detail=answer.json()["detail"], price=answer.json()["price"])

    with world.step("an unknown video is 404, to buy and to watch; a wrong wish is 400") as step:
        for answer in (shop.buy(ada, "no-such-video"), shop.link(ada, "no-such-video"), shop.link(ada, "NOT%20ONE")):
            assert answer.status == 404, f"expected 404, got {answer.status}: {answer.text}"
        wrong = shop.buy(ada, film, key="not a key")
        assert wrong.status == 400, f"expected 400, got {wrong.status}: {wrong.text}"
        step.show(status=404, detail=answer.json()["detail"], wrong_key=400)
        assert not shop.charges(ada), "somebody was charged for nothing"


def _buying(world: World, shop: Shop, ada: User, film: str, other: str) -> None:
    key = f"{world.token}-once"
    with world.step(f"{AT_ONCE} purchases at once with one key are one charge") as step:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda _: shop.buy(ada, film, key), range(AT_ONCE)))
        seen = Counter(answer.status for answer in answers)
        # 409: asked while the first one was worked on.
        assert set(seen) <= {201, 409}, f"expected 201 or 409, got {dict(seen)}"
        assert seen[201], f"nobody was served: {dict(seen)}"
        bought = {answer.json()["chargeId"] for answer in answers if answer.status == 201}
        charges = shop.charges(ada)
        assert [{charge["chargeId"]["S"]} for charge in charges] == [bought], f"charged {len(charges)} times: {bought}"
        step.show(answers=dict(seen), charges=len(charges), charge=bought.pop())

    with world.step("replayed, with the key and without one, it is the same purchase") as step:
        again, keyless = shop.buy(ada, film, key), shop.buy(ada, film)
        assert again.status == 201, f"expected 201, got {again.status}: {again.text}"
        assert keyless.status == 200, f"expected 200, got {keyless.status}: {keyless.text}"
        assert again.json()["chargeId"] == keyless.json()["chargeId"], "another charge"
        assert keyless.json()["charged"] is False, f"charged again: {keyless.text}"
        assert len(shop.charges(ada)) == 1, "charged again"
        step.show(with_key=201, without=200, charge=again.json()["chargeId"], charges=1)

    with world.step("the same key for another video is refused") as step:
        answer = shop.buy(ada, other, key)
        assert answer.status == 422, f"expected 422, got {answer.status}: {answer.text}"
        assert len(shop.charges(ada)) == 1, "charged again"
        step.show(status=422, detail=answer.json()["detail"])


def _buying_from_many_sides(world: World, shop: Shop, bob: User, film: str) -> None:
    with world.step(f"{AT_ONCE} purchases at once, each with a key of its own, are one charge too") as step:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda number: shop.buy(bob, film, f"{world.token}-{number}"), range(AT_ONCE)))
        seen = Counter(answer.status for answer in answers)
        assert set(seen) <= {200, 201, 409}, f"expected 200, 201 or 409, got {dict(seen)}"
        assert seen[201] == 1, f"expected one to be charged, got {dict(seen)}"
        assert len(shop.charges(bob)) == 1, f"charged {len(shop.charges(bob))} times"
        status = bob.http("GET", shop.url("/status")).json()
        assert [one["videoId"] for one in status["videos"]] == [film], f"expected the film, got {status}"
        step.show(answers=dict(seen), charges=1, premium=status["premium"], until=status["videos"][0]["expiresAt"])


def _expired(world: World, shop: Shop, bob: User, film: str) -> None:
    with world.step("a purchase that is over opens nothing, though the table still has it") as step:
        shop.expire(bob, film)
        answer = shop.link(bob, film)
        assert answer.status == 402, f"expected 402, got {answer.status}: {answer.text}"
        assert "was over on" in answer.json()["detail"], answer.text
        status = bob.http("GET", shop.url("/status")).json()
        assert status["premium"] is False, f"expected a free user, got {status}"
        step.show(status=402, detail=answer.json()["detail"], premium=False)

    with world.step("bought anew it is charged anew, and opens again") as step:
        bought = shop.buy(bob, film, f"{world.token}-anew")
        assert bought.status == 201, f"expected 201, got {bought.status}: {bought.text}"
        assert len(shop.charges(bob)) == 2, f"expected two charges, got {len(shop.charges(bob))}"
        assert shop.get(shop.signed_url(bob, film)).status == 200, "the new purchase does not open"
        step.show(status=201, charges=2)
