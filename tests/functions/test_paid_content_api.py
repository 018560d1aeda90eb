"""The shop of paid videos: its handler over real API Gateway events, with fakes of DynamoDB and Secrets Manager."""

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from pydantic import ValidationError

from journeys._paid_signature import Signed
from paid_content_api import handler as api
from paid_content_api import shop
from tests.functions.paid_fakes import (
    ENVIRONMENT,
    PRIVATE_PEM,
    PUBLIC_PEM,
    USER,
    Context,
    FakeDynamoDb,
    refused,
    request,
)

CACHED = (api._settings, api._dynamodb, api._shop, api._service, api._signer)
SOON = int(time.time()) + 3600
LINK = "/videos/film/link"


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDynamoDb]:
    fake = FakeDynamoDb()
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "client", lambda service, **_: {"dynamodb": fake}[service])
    monkeypatch.setattr(api, "get_secret", {"arn:green": PRIVATE_PEM}.__getitem__)
    for made in CACHED:
        made.cache_clear()
    yield fake
    for made in CACHED:
        made.cache_clear()


def ask(method: str, path: str, **more: Any) -> tuple[int, Any]:
    answer = api.handler(request(method, path, **more), Context())
    return answer["statusCode"], json.loads(answer["body"])


def buy(key: str | None = None, video: str = "film") -> tuple[int, Any]:
    return ask("POST", f"/videos/{video}/purchase", headers={"Idempotency-Key": key} if key else {})


def test_a_free_user_is_told_to_pay_and_gets_no_url(dynamodb: FakeDynamoDb) -> None:
    assert ask("GET", "/status") == (200, {"premium": False, "videos": []})
    for path in (LINK, "/videos/film/stream"):
        answer = api.handler(request("GET", path), Context())
        problem = json.loads(answer["body"])
        assert (answer["statusCode"], problem["status"], problem["title"]) == (402, 402, "Payment Required")
        assert problem["price"] == "4.99 EUR"
        assert "POST /videos/film/purchase" in problem["detail"]
        assert "cloudfront" not in answer["body"]
        assert answer["multiValueHeaders"]["Content-Type"] == ["application/problem+json"]


def test_a_purchase_is_charged_once_with_a_key_without_and_with_another(dynamodb: FakeDynamoDb) -> None:
    status, first = buy("k-1")
    assert (status, first["charged"], first["amount"], first["currency"]) == (201, True, 499, "EUR")
    assert buy("k-1") == (201, first), "the same request gets the same answer"
    for key in (None, None, "k-2"):
        status, again = buy(key)
        assert (status, again["charged"], again["chargeId"]) == (200, False, first["chargeId"])
    assert list(dynamodb.tables["charges"]) == [first["chargeId"]]
    assert ask("GET", "/status")[1]["videos"] == [{"videoId": "film", "expiresAt": first["expiresAt"]}]


def test_a_key_of_another_purchase_is_refused(dynamodb: FakeDynamoDb) -> None:
    dynamodb.tables["videos"]["other"] = dynamodb.tables["videos"]["film"]
    buy("k-1")
    status, problem = buy("k-1", video="other")
    assert (status, "belongs to another purchase" in problem["detail"]) == (422, True)
    assert len(dynamodb.tables["charges"]) == 1


def test_the_same_key_of_another_user_is_another_purchase(dynamodb: FakeDynamoDb) -> None:
    buy("k-1")
    other = {"sub": "user-2", "aud": ENVIRONMENT["USER_POOL_CLIENT_ID"]}
    status, _ = ask("POST", "/videos/film/purchase", headers={"Idempotency-Key": "k-1"}, claims=other)
    assert status == 201
    assert len(dynamodb.tables["charges"]) == 2


def test_while_a_purchase_is_on_its_way_the_same_one_is_asked_to_wait(dynamodb: FakeDynamoDb) -> None:
    buy("k-1")
    (record,) = dynamodb.tables["answered"].values()
    record |= {"status": {"S": "INPROGRESS"}, "in_progress_expiration": {"N": str(SOON * 1000)}}
    answer = api.handler(request("POST", "/videos/film/purchase", headers={"Idempotency-Key": "k-1"}), Context())
    assert (answer["statusCode"], answer["multiValueHeaders"]["Retry-After"]) == (409, ["1"])


def test_a_conflict_of_two_writers_is_told_and_not_remembered(dynamodb: FakeDynamoDb) -> None:
    dynamodb.cancelled = [["TransactionConflict", "None"]]
    assert buy("k-1")[0] == 409
    assert dynamodb.tables["answered"] == {}
    assert buy("k-1")[0] == 201


def test_what_the_table_refuses_otherwise_is_a_fault_of_ours(dynamodb: FakeDynamoDb) -> None:
    dynamodb.cancelled = [["None", "ThrottlingError"]]
    with pytest.raises(type(refused("x")), match="TransactionCanceledException"):
        buy("k-1")
    assert dynamodb.tables["charges"] == {}


def test_a_purchase_that_is_over_opens_nothing_and_may_be_bought_anew(dynamodb: FakeDynamoDb) -> None:
    dynamodb.bought(until=int(time.time()) - 1)
    status, problem = ask("GET", LINK)
    assert (status, "the purchase was over on" in problem["detail"]) == (402, True)
    assert ask("GET", "/status")[1] == {"premium": False, "videos": []}
    assert buy("k-1")[0] == 201
    assert ask("GET", LINK)[0] == 200


def test_an_answer_is_remembered_for_less_than_the_shortest_purchase_lasts(dynamodb: FakeDynamoDb) -> None:
    before = int(time.time())
    buy("k-1")
    (record,) = dynamodb.tables["answered"].values()
    assert int(record["expiration"]["N"]) - before <= shop._DAY


def test_a_link_is_signed_by_the_key_that_is_named(dynamodb: FakeDynamoDb) -> None:
    dynamodb.bought(until=SOON)
    status, given = ask("GET", LINK)
    signed = Signed.read(given["url"])
    assert (status, signed.key_id, signed.resource) == (200, "KGREEN", "https://d1.cloudfront.net/videos/film/film.mp4")
    assert signed.holds(PUBLIC_PEM)
    assert 298 <= signed.expires_at - time.time() <= 300
    assert given["boundTo"] is None


def test_a_link_is_shorter_or_bound_when_asked_and_never_outlives_the_purchase(dynamodb: FakeDynamoDb) -> None:
    over = int(time.time()) + 60
    dynamodb.bought(until=over)
    assert Signed.read(ask("GET", LINK)[1]["url"]).expires_at == over
    short = Signed.read(ask("GET", LINK, seconds="2", bindIp="true")[1]["url"])
    assert 0 <= short.expires_at - time.time() <= 2
    assert short.statement["Condition"]["IpAddress"] == {"AWS:SourceIp": "198.51.100.4/32"}
    assert short.holds(PUBLIC_PEM)


def test_links_are_kept_by_nobody_on_the_way(dynamodb: FakeDynamoDb) -> None:
    dynamodb.bought(until=SOON)
    for path in (LINK, "/videos/film/stream", "/status"):
        answer = api.handler(request("GET", path), Context())
        assert answer["multiValueHeaders"]["Cache-Control"] == ["no-store"]


def test_a_stream_is_opened_by_cookies_for_its_folder_alone(dynamodb: FakeDynamoDb) -> None:
    dynamodb.bought(until=SOON)
    status, given = ask("GET", "/videos/film/stream")
    assert (status, given["url"]) == (200, "https://d1.cloudfront.net/videos/film/hls/index.m3u8")
    named = {name.removeprefix("CloudFront-"): text for name, text in given["cookies"].items()}
    assert set(named) == {"Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"}
    query = "&".join(f"{name}={text}" for name, text in named.items())
    signed = Signed.read(f"{given['url']}?{query}")
    assert signed.statement["Resource"] == "https://d1.cloudfront.net/videos/film/hls/*"
    assert signed.holds(PUBLIC_PEM)


@pytest.mark.parametrize(
    ("path", "query", "status", "says"),
    [
        (LINK, {"seconds": "301"}, 400, "seconds: must be a whole number from 1 to 300, got '301'"),
        (LINK, {"seconds": "0"}, 400, "seconds: must be"),
        (LINK, {"seconds": "x"}, 400, "seconds: must be"),
        (LINK, {"bindIp": "yes"}, 400, "bindIp: must be true or false, got 'yes'"),
        ("/videos/none/link", {}, 404, "video: there is none called 'none'"),
        ("/videos/UPPER/link", {}, 404, "video: there is none called 'UPPER'"),
    ],
)
def test_what_is_wrong_is_named(
    dynamodb: FakeDynamoDb, path: str, query: dict[str, str], status: int, says: str
) -> None:
    dynamodb.bought(until=SOON)
    got, problem = ask("GET", path, **query)
    assert (got, says in problem["detail"]) == (status, True), problem


@pytest.mark.parametrize("key", ["a b", "x" * 129, "ä"])
def test_a_wrong_key_is_refused_before_anything_is_charged(dynamodb: FakeDynamoDb, key: str) -> None:
    status, problem = buy(key)
    assert (status, "Idempotency-Key: must be" in problem["detail"]) == (400, True)
    assert dynamodb.tables["charges"] == {}


@pytest.mark.parametrize("claims", [{"sub": USER, "aud": "another-app"}, {"sub": USER}, {"aud": "app-1"}, {}])
def test_a_token_of_another_app_is_no_token(dynamodb: FakeDynamoDb, claims: dict[str, str]) -> None:
    dynamodb.bought(until=SOON)
    for method, path in (("GET", "/status"), ("GET", LINK), ("POST", "/videos/film/purchase")):
        assert ask(method, path, claims=claims)[0] == 401
    assert dynamodb.tables["charges"] == {}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"SIGNING_KEY": "red"}, r"SIGNING_KEY: must be one of \['blue', 'green'\], got 'red'"),
        ({"LINK_SECONDS": "0"}, "link_seconds"),
        ({"PREMIUM_DAYS": ""}, "premium_days"),
        ({"SIGNING_KEYS": '{"green": {"id": "K"}}'}, "signing_keys.green.secret"),
    ],
)
def test_a_wrong_setting_is_named(
    dynamodb: FakeDynamoDb, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], says: str
) -> None:
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=says):
        ask("GET", "/status")
