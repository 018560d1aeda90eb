"""The to-do API over real events of API Gateway, with DynamoDB in memory."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.functions.todo_fakes import APP, Context, FakeTable, refusal, request
from todo_api import handler as api

UNKNOWN = "/todos/" + "0" * 32


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTable]:
    fake = FakeTable()
    monkeypatch.setenv("TABLE_NAME", "todos")
    monkeypatch.setenv("USER_POOL_CLIENT_ID", APP)
    monkeypatch.delenv("DAX_ENDPOINT", raising=False)
    monkeypatch.setattr(boto3, "client", lambda service: {"dynamodb": fake}[service])
    _forget()
    yield fake
    _forget()


def _forget() -> None:
    api._store.cache_clear()
    api._settings.cache_clear()


def ask(method: str, url: str, **more: Any) -> tuple[int, Any]:
    """Status and JSON of the answer; a refusal must be problem details."""
    answer = api.handler(request(method, url, **more), Context())
    body: Any = json.loads(answer["body"]) if answer["body"] else None
    if answer["statusCode"] >= 400:
        assert body["status"] == answer["statusCode"]
        assert body.keys() >= {"type", "title", "detail"}
        assert "application/problem+json" in str(answer.get("headers") or answer["multiValueHeaders"])
    return answer["statusCode"], body


def add(title: str = "tea", **more: Any) -> Any:
    status, todo = ask("POST", "/todos", body={"title": title}, **more)
    assert status == 201
    return todo


def test_a_to_do_lives(table: FakeTable) -> None:
    todo = add("tea")
    assert (todo["done"], todo["due"], todo["version"]) == (False, None, 1)
    path = f"/todos/{todo['id']}"
    assert ask("GET", path) == (200, todo)
    status, changed = ask("PATCH", path, body={"version": 1, "done": True, "due": "2026-12-24"})
    assert (status, changed) == (200, todo | {"done": True, "due": "2026-12-24", "version": 2})
    assert ask("PATCH", path, body={"version": 2, "due": None})[1] == todo | {"done": True, "version": 3}
    assert ask("GET", "/todos")[1] == {"items": [todo | {"done": True, "version": 3}], "cursor": None}
    assert ask("DELETE", f"{path}?version=3") == (204, None)
    assert ask("GET", path)[0] == 404
    assert table.items == {}


def test_a_new_to_do_says_where_and_which_it_is(table: FakeTable) -> None:
    answer = api.handler(request("POST", "/todos", body={"title": "tea"}), Context())
    todo = json.loads(answer["body"])
    assert answer["multiValueHeaders"]["Location"] == [f"/todos/{todo['id']}"]
    assert answer["multiValueHeaders"]["ETag"] == [f'"{todo["id"]}-1"']


def test_the_user_comes_from_the_token_alone(table: FakeTable) -> None:
    mine = add("mine", user="ada")
    path = f"/todos/{mine['id']}"
    assert {user for user, _ in table.items} == {"ada"}
    for answer in (
        ask("GET", path, user="bob"),
        ask("GET", f"{path}?user=ada&sub=ada", user="bob"),
        ask("PATCH", path, user="bob", body={"version": 1, "title": "stolen"}),
        ask("DELETE", f"{path}?version=1", user="bob"),
    ):
        assert (answer[0], answer[1]["detail"]) == (404, "There is no such to-do.")
    assert ask("GET", "/todos", user="bob")[1]["items"] == []
    assert ask("GET", path, user="ada") == (200, mine)


def test_anothers_to_do_and_one_that_never_was_get_the_same_answer(table: FakeTable) -> None:
    mine = add(user="ada")
    assert ask("GET", f"/todos/{mine['id']}", user="bob") == ask("GET", UNKNOWN, user="bob")


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "ada", "aud": "another-app", "token_use": "id"},
        {"sub": "ada", "token_use": "access", "client_id": APP},
        {"sub": "ada", "aud": APP, "token_use": "access"},
        {"sub": "ada", "aud": APP},
        {},
    ],
    ids=["another app", "access token", "access token with aud", "no use", "no claims"],
)
def test_a_token_for_something_else_is_401_before_anything_is_looked_at(
    table: FakeTable, claims: dict[str, str]
) -> None:
    for url, body in (("/todos", {"title": ""}), ("/todos", "{"), ("/todos", {"title": "tea"})):
        assert ask("POST", url, body=body, claims=claims)[0] == 401
    assert ask("GET", "/nowhere", claims=claims)[0] == 401
    assert table.items == {}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["title"]),
        ({"title": ""}, ["title"]),
        ({"title": "x" * 201}, ["title"]),
        ({"title": "tea", "due": "soon"}, ["due"]),
        ({"title": "", "done": 1, "colour": "red"}, ["title", "done", "colour"]),
        ([], ["body"]),
        ("{", ["body"]),
        ("", ["body"]),
        ("null", ["body"]),
        ("7", ["body"]),
        ("[" * 5000, ["body"]),
        ('{"title": "\\ud800"}', ["title"]),
    ],
)
def test_a_wrong_body_is_400_that_names_the_fields(table: FakeTable, body: Any, fields: list[str]) -> None:
    status, problem = ask("POST", "/todos", body=body)
    assert status == 400
    named = [error["field"] for error in problem.get("errors", [{"field": problem["detail"].split(":")[0]}])]
    assert named == fields
    assert all(problem["detail"].count(f"{field}:") for field in fields)
    assert table.items == {}


def test_malformed_json_is_called_that(table: FakeTable) -> None:
    assert ask("POST", "/todos", body='{"title": ')[1]["detail"] == "body: must be JSON"


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("/todos?limit=0", "limit"),
        ("/todos?limit=101", "limit"),
        ("/todos?limit=many", "limit"),
        ("/todos?cursor=x", "cursor"),
        ("/todos?cursor=", "cursor"),
        (f"/todos?cursor={'x' * 101}", "cursor"),
        (f"/todos?seen={'x' * 101}", "seen"),
    ],
)
def test_a_wrong_parameter_is_400_that_names_it(table: FakeTable, url: str, field: str) -> None:
    status, problem = ask("GET", url)
    assert (status, [error["field"] for error in problem["errors"]]) == (400, [field])


def test_a_delete_without_a_version_is_400(table: FakeTable) -> None:
    todo = add()
    status, problem = ask("DELETE", f"/todos/{todo['id']}")
    assert (status, problem["errors"][0]["field"]) == (400, "version")
    assert len(table.items) == 1


@pytest.mark.parametrize("path", [UNKNOWN, "/todos/x", "/todos/" + "0" * 33, "/todos/..%2f", "/elsewhere"])
def test_what_is_not_there_is_404(table: FakeTable, path: str) -> None:
    assert ask("GET", path)[0] == 404


def test_other_media_and_huge_bodies_are_refused(table: FakeTable) -> None:
    assert ask("POST", "/todos", body="title=tea", kind="application/x-www-form-urlencoded")[0] == 415
    assert ask("POST", "/todos", body="x", kind="multipart/form-data")[0] == 415
    assert ask("POST", "/todos", body={"title": "tea", "note": "x" * 10_000})[0] == 413
    assert ask("POST", "/todos", body={"title": "tea"}, kind="application/json; charset=utf-8")[0] == 201


def test_a_version_conflict_is_409_that_tells_the_version(table: FakeTable) -> None:
    path = f"/todos/{add()['id']}"
    assert ask("PATCH", path, body={"version": 1, "title": "first"})[0] == 200
    status, problem = ask("PATCH", path, body={"version": 1, "title": "second"})
    assert (status, problem["current_version"]) == (409, 2)
    assert table.consistent[-1] is True, "the version of a moment ago would be told"
    assert ask("DELETE", f"{path}?version=1")[0] == 409
    assert ask("GET", path)[1]["title"] == "first"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.integers(0, 12), st.integers(1, 5))
def test_pages_are_the_list(table: FakeTable, count: int, limit: int) -> None:
    table.items.clear()
    added = [add(f"{number}")["id"] for number in range(count)]
    add("somebody else's", user="bob")
    found, url = [], f"/todos?limit={limit}"
    while True:
        page = ask("GET", url)[1]
        assert len(page["items"]) <= limit
        found += [todo["id"] for todo in page["items"]]
        assert page["items"] or not added, "an empty page was offered"
        if page["cursor"] is None:
            break
        assert len(page["items"]) == limit, "a page that is not full was not the last"
        url = f"/todos?limit={limit}&cursor={page['cursor']}"
    assert found == sorted(added)


def test_a_cursor_of_another_user_is_400_and_tells_nothing(table: FakeTable) -> None:
    for number in range(2):
        add(str(number), user="ada")
    cursor = ask("GET", "/todos?limit=1", user="ada")[1]["cursor"]
    assert ask("GET", f"/todos?cursor={cursor}", user="bob") == ask("GET", "/todos?cursor=nonsense", user="bob")
    assert ask("GET", f"/todos?cursor={cursor}", user="bob")[0] == 400


def test_seen_reads_past_the_caches(table: FakeTable) -> None:
    path = f"/todos/{add()['id']}"
    for url in (path, f"{path}?seen=1", "/todos", "/todos?seen=1"):
        assert ask("GET", url)[0] == 200
    assert table.consistent == [False, True, False, True]


def test_a_write_whose_answer_was_lost_may_be_sent_again(table: FakeTable) -> None:
    add()
    ((key, item),) = table.items.items()
    todo = api._store().get(*key)
    api._store().add(key[0], todo)
    assert table.items == {key: item}


def test_another_to_do_of_the_same_id_is_never_overwritten(table: FakeTable) -> None:
    add("first")
    ((key, _),) = table.items.items()
    other = api._store().get(*key).model_copy(update={"created": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)})
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        api._store().add(key[0], other)


def test_an_error_of_ours_is_raised_so_that_alarms_see_it(table: FakeTable) -> None:
    table.broken = True
    with pytest.raises(ClientError, match="InternalServerError"):
        api.handler(request("GET", UNKNOWN), Context())


def test_another_refusal_of_dynamodb_is_no_conflict(table: FakeTable, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(**_: Any) -> None:
        raise refusal("AccessDeniedException")

    monkeypatch.setattr(table, "update_item", denied)
    with pytest.raises(ClientError, match="AccessDenied"):
        api.handler(request("PATCH", UNKNOWN, body={"version": 1, "done": True}), Context())


@pytest.mark.parametrize("missing", ["TABLE_NAME", "USER_POOL_CLIENT_ID"])
def test_a_missing_setting_is_named(table: FakeTable, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.delenv(missing)
    with pytest.raises(ValidationError, match=missing.lower()):
        api.handler(request("GET", "/todos"), Context())
