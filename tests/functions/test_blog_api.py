"""The blog's API: real events in, answers out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from blog_api import handler as api
from tests.functions.blog_fakes import Context, FakeDynamoDb, FakeS3, request

ENVIRONMENT = {
    "POSTS_TABLE": "posts",
    "SUBSCRIBERS_TABLE": "subscribers",
    "UPLOADS_BUCKET": "uploads",
    "UPLOADS_ENDPOINT": "https://s3.eu-west-1.amazonaws.com",
    "UPLOADS_PREFIX": "photos/",
    "RENDITIONS_BUCKET": "renditions",
    "USER_POOL_CLIENT_ID": "app",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "hidden",
}
AUTHOR = {"aud": "app", "sub": "1", "cognito:groups": "authors"}
POST = {"title": "Hello", "text": "It is me."}
ID = "0" * 24


@dataclass
class Fakes:
    dynamodb: FakeDynamoDb = field(default_factory=FakeDynamoDb)
    s3: FakeS3 = field(default_factory=FakeS3)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fakes]:
    fakes, real = Fakes(), boto3.client
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    # With an endpoint it is the client that only signs.
    monkeypatch.setattr(boto3, "client", lambda name, **said: real(name, **said) if said else getattr(fakes, name))
    caches = (api._settings, api._posts, api._subscribers, api._photos)
    for one in caches:
        one.cache_clear()
    yield fakes
    for one in caches:
        one.cache_clear()


def send(method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any, dict[str, Any]]:
    answer = api.handler(request(method, path, body, **more), Context())
    headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    return answer["statusCode"], json.loads(answer["body"]), headers


def test_a_post_is_written_listed_and_read(cloud: Fakes) -> None:
    status, made, headers = send("POST", "/api/posts", POST, claims=AUTHOR)
    assert (status, headers["Location"], headers["Cache-Control"]) == (201, f"/api/posts/{made['id']}", "no-store")
    status, page, headers = send("GET", "/api/posts")
    assert (status, headers["Cache-Control"]) == (200, "public, max-age=0, s-maxage=60")
    assert page["posts"] == [{name: made[name] for name in ("id", "title", "excerpt", "published")}]
    assert page["before"] is None
    assert send("GET", f"/api/posts/{made['id']}")[:2] == (200, made)


def test_pages_have_no_gaps_and_an_end(cloud: Fakes) -> None:
    for number in range(4):
        item = {"blog": {"S": "blog"}, "id": {"S": f"{number:024x}"}, "title": {"S": str(number)}}
        cloud.dynamodb.items["posts", item["id"]["S"]] = item
    seen: list[str] = []
    before = None
    for _ in range(2):
        page = send("GET", "/api/posts", limit="2", **({"before": before} if before else {}))[1]
        seen += [post["title"] for post in page["posts"]]
        before = page["before"]
    assert (seen, before) == (["3", "2", "1", "0"], None), "a last page that is full must not promise another"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "51"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"before": "x"}, "before"),
    ],
)
def test_a_wrong_page_is_refused(cloud: Fakes, query: dict[str, str], named: str) -> None:
    status, problem, headers = send("GET", "/api/posts", **query)
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    assert problem["detail"].startswith(f"{named}: must be")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/posts", POST),
        ("POST", "/api/photos", {"contentType": "image/png", "size": 1}),
        ("GET", f"/api/photos/{ID}", None),
    ],
)
@pytest.mark.parametrize(
    ("claims", "status"),
    [
        (None, 401),
        ({}, 401),
        ({**AUTHOR, "aud": "other"}, 401),
        ({"aud": "app"}, 403),
        ({**AUTHOR, "cognito:groups": "readers"}, 403),
        (AUTHOR, None),
    ],
)
def test_writing_is_for_authors(
    cloud: Fakes, method: str, path: str, body: Any, claims: dict[str, str] | None, status: int | None
) -> None:
    found = send(method, path, body, claims=claims)[0]
    assert found == status if status else found in {200, 201}
    if status:
        assert cloud.dynamodb.items == {}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (None, ["body"]),
        ("{", ["body"]),
        ("[]", ["body"]),
        ({"title": "x"}, ["text"]),
        ({"title": "", "text": 1, "x": "private"}, ["text", "title", "x"]),
    ],
)
def test_a_wrong_body_is_400_with_the_fields_and_never_with_the_values(
    cloud: Fakes, body: Any, fields: list[str]
) -> None:
    status, problem, _ = send("POST", "/api/posts", body, claims=AUTHOR)
    assert (status, sorted(error["field"] for error in problem["errors"])) == (400, fields)
    assert "private" not in json.dumps(problem)


def test_subscribing_twice_is_one_subscriber_and_the_same_answer(cloud: Fakes) -> None:
    first = send("POST", "/api/subscribers", {"email": "Ada@example.com"})
    again = send("POST", "/api/subscribers", {"email": "ada@example.com"})
    assert first[:2] == again[:2]
    assert first[0] == 202
    ((key, item),) = cloud.dynamodb.items.items()
    assert key == ("subscribers", "ada@example.com")
    assert item["address"] == {"S": "Ada@example.com"}


def test_a_fault_of_ours_is_no_success(cloud: Fakes) -> None:
    cloud.dynamodb.broken = "ProvisionedThroughputExceededException"
    with pytest.raises(ClientError, match="ProvisionedThroughput"):
        send("POST", "/api/subscribers", {"email": "ada@example.com"})


def test_a_ticket_signs_one_key_type_and_size(cloud: Fakes) -> None:
    status, ticket, _ = send("POST", "/api/photos", {"contentType": "image/png", "size": 77}, claims=AUTHOR)
    assert (status, ticket["method"], ticket["headers"]) == (201, "PUT", {"Content-Type": "image/png"})
    assert ticket["url"].startswith(f"https://uploads.s3.eu-west-1.amazonaws.com/photos/{ticket['id']}?")
    assert "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost" in ticket["url"]
    assert "X-Amz-Expires=300" in ticket["url"]


@pytest.mark.parametrize(
    ("objects", "told"),
    [
        ({}, {"status": "pending"}),
        ({f"thumbnail/photos/{ID}.jpg": b""}, {"status": "ready", "thumbnail": f"/thumbnail/photos/{ID}.jpg"}),
        ({f"thumbnail/photos/{ID}.webp": b""}, {"status": "ready", "thumbnail": f"/thumbnail/photos/{ID}.webp"}),
        (
            {f"rejected/thumbnail/photos/{ID}.json": b'{"message": "It is a text."}'},
            {"status": "rejected", "reason": "It is a text."},
        ),
    ],
)
def test_what_became_of_a_photo(cloud: Fakes, objects: dict[str, bytes], told: dict[str, str]) -> None:
    for key, data in objects.items():
        cloud.s3.put(key, data)
    assert send("GET", f"/api/photos/{ID}", claims=AUTHOR)[:2] == (200, told)
    status, post, _ = send("POST", "/api/posts", {**POST, "photo": ID}, claims=AUTHOR)
    if told["status"] == "ready":
        assert (status, post["photo"]) == (201, told["thumbnail"])
    else:
        assert (status, cloud.dynamodb.items) == (409, {})
        assert told["status"] in post["detail"]


def test_a_missing_right_is_no_pending_photo(cloud: Fakes) -> None:
    cloud.s3.forbidden = True
    with pytest.raises(ClientError, match="403"):
        send("GET", f"/api/photos/{ID}", claims=AUTHOR)


@pytest.mark.parametrize("path", ["/api/photos/x", "/api/posts/x", f"/api/posts/{ID}", "/api/nothing"])
def test_what_is_not_there_is_404(cloud: Fakes, path: str) -> None:
    status, problem, headers = send("GET", path, claims=AUTHOR)
    assert (status, problem["title"], headers["Cache-Control"]) == (404, "Not Found", "no-store")
