"""The cache is asked first, never trusted to be there, and never keeps what was changed meanwhile."""

import inspect
import json
import socket
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from redis.exceptions import RedisError

from catalog_api.cache import Cache, redis
from catalog_api.rules import Product
from catalog_api.tokens import IamToken
from tests.functions.catalog_fakes import Clock, FakeRedis

TEA = Product(sku="tea", name="Tea", price=250, stock=9)
KEY = "product:v1:tea"


def make(server: FakeRedis, **props: Any) -> Cache:
    given: dict[str, Any] = {"seconds": 300, "unknown_seconds": 30, "clock": server.clock, "jitter": lambda: 1.0}
    return Cache(lambda: server, **{**given, **props})


def test_what_was_kept_is_found_until_it_ends() -> None:
    server = FakeRedis()
    cache = make(server)
    assert cache.get("tea").state == "miss"
    cache.keep("tea", TEA)
    assert (cache.get("tea").state, cache.get("tea").product) == ("hit", TEA)
    server.clock.now += 300
    assert cache.get("tea").state == "miss"


def test_that_there_is_no_such_product_is_kept_for_a_shorter_time() -> None:
    server = FakeRedis()
    cache = make(server)
    cache.keep("tea", None)
    assert (cache.get("tea").state, cache.get("tea").product) == ("hit", None)
    server.clock.now += 30
    assert cache.get("tea").state == "miss"


def test_what_was_kept_together_does_not_end_together() -> None:
    lives = set()
    for share in (0.9, 1.0, 1.1):
        server = FakeRedis()
        make(server, jitter=lambda share=share: share).keep("tea", TEA)
        lives.add(server.kept[KEY][1] - server.clock())
    assert lives == {270, 300, 330}


def test_a_reader_of_before_a_change_cannot_put_the_old_product_back() -> None:
    server = FakeRedis()
    reader, writer = make(server), make(server)
    assert reader.get("tea").state == "miss"
    read_before = TEA
    writer.changed("tea")
    reader.keep("tea", read_before)
    assert reader.get("tea").state == "miss", "the old product is back"
    server.clock.now += 10
    reader.keep("tea", TEA.model_copy(update={"price": 300}))
    assert reader.get("tea").product == TEA.model_copy(update={"price": 300})


@pytest.mark.parametrize("text", ["{", '{"sku": "tea"}', "[]"])
def test_something_else_is_no_product(text: str) -> None:
    server = FakeRedis()
    server.kept[KEY] = (text, float("inf"))
    assert make(server).get("tea").state == "miss"


def test_a_cache_that_is_away_is_left_alone_for_a_while() -> None:
    server = FakeRedis(broken=True)
    cache = make(server)
    assert [cache.get("tea").state for _ in range(3)] == ["error", "bypass", "bypass"]
    assert (cache.keep("tea", TEA), cache.changed("tea"), server.calls) == ("bypass", "bypass", 1)
    server.clock.now, server.broken = server.clock.now + 5, False
    assert cache.get("tea").state == "miss"


def test_a_change_that_the_cache_missed_is_made_up_for_before_it_is_asked_again() -> None:
    server = FakeRedis()
    cache = make(server)
    cache.keep("tea", TEA)
    server.broken = True
    assert cache.changed("tea") == "error"
    server.clock.now, server.broken = server.clock.now + 5, False
    assert cache.get("tea").state == "miss", "the old product is still there"
    assert server.kept[KEY][0] == "changed"
    server.clock.now += 10
    cache.keep("tea", TEA)
    assert cache.get("tea").state == "hit", "it is made up for once"


def test_a_mistake_of_ours_is_not_hidden_as_an_error_of_the_cache() -> None:
    def connect() -> Any:
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        Cache(connect, seconds=1, unknown_seconds=1).get("tea")


def test_a_connection_is_used_again_and_renewed_before_it_is_ended() -> None:
    clock, made = Clock(), []

    def connect() -> FakeRedis:
        made.append(FakeRedis(clock))
        return made[-1]

    cache = Cache(connect, seconds=1, unknown_seconds=1, clock=clock)
    for _ in range(3):
        cache.get("tea")
    assert len(made) == 1
    clock.now += 11 * 3600
    cache.get("tea")
    assert [one.closed for one in made] == [True, False]


def test_the_client_gives_up_soon_when_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refused at once
        cache = Cache(lambda: redis("127.0.0.1", held.getsockname()[1], token(Clock())), seconds=1, unknown_seconds=1)
        assert cache.get("tea").state == "error"


def test_those_who_try_again_do_not_all_come_back_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("redis.retry.sleep", pauses.append)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        for _ in range(5):
            with pytest.raises(RedisError):
                redis("127.0.0.1", held.getsockname()[1], token(Clock())).get("tea")
    assert len(set(pauses)) == len(pauses) >= 5
    assert all(0.02 <= pause <= 0.04 for pause in pauses)


def test_the_client_gives_up_soon_when_nobody_answers() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # connections are taken, and nothing is ever said
        client = redis("127.0.0.1", silent.getsockname()[1], token(Clock()))
        assert client.get_connection_kwargs()["socket_timeout"] == 0.2
        assert Cache(lambda: client, seconds=1, unknown_seconds=1).get("tea").state == "error"


def token(clock: Clock) -> IamToken:
    return IamToken(
        cache="shop-cache", user="shop-user", region="eu-west-1", credentials=Credentials("AK", "SK", "ST"), clock=clock
    )


def test_its_age_is_told_by_the_clock_that_signatures_are_dated_by() -> None:
    default = inspect.signature(IamToken).parameters["clock"].default
    assert default is time.time, "a clock that stands still while the environment is frozen makes it seem younger"


def test_the_token_is_a_signed_request_to_connect() -> None:
    user, text = token(Clock()).get_credentials()
    assert user == "shop-user"
    assert text.startswith("shop-cache/?"), "ElastiCache wants no scheme"
    said = {name: value[0] for name, value in parse_qs(urlsplit(f"//{text}").query).items()}
    assert said["Action"] == "connect"
    assert said["User"] == "shop-user"
    assert said["ResourceType"] == "ServerlessCache"
    assert said["X-Amz-Expires"] == "900"
    assert said["X-Amz-Security-Token"] == "ST"
    assert said["X-Amz-Credential"].endswith("/eu-west-1/elasticache/aws4_request")
    # Signed for what it says: with another user the same time gives another signature.
    request = AWSRequest("GET", "https://shop-cache/", params={"Action": "connect", "User": "other"})
    SigV4QueryAuth(Credentials("AK", "SK", "ST"), "elasticache", "eu-west-1", expires=900).add_auth(request)
    assert said["X-Amz-Signature"] not in str(request.url)


def test_a_token_is_used_again_while_it_is_good() -> None:
    clock = Clock()
    made = token(clock)
    first = made.get_credentials()
    made._token = "kept"
    clock.now += 599
    assert made.get_credentials() == ("shop-user", "kept")
    clock.now += 1
    assert made.get_credentials()[1] != "kept"
    assert first[1].split("X-Amz-Date")[0] == made.get_credentials()[1].split("X-Amz-Date")[0]


def test_what_is_kept_is_json_of_the_product() -> None:
    server = FakeRedis()
    make(server).keep("tea", TEA)
    assert json.loads(server.kept[KEY][0]) == {"sku": "tea", "name": "Tea", "price": 250, "stock": 9}
