"""What a to-do is, and which cursors are good for whom."""

import base64
import datetime as dt
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from todo_api import cursors
from todo_api.rules import Change, NewTodo, Todo, new_todo

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
IDS = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
USERS = st.text(min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"title": ""}, "title\n.*at least 1 character"),
        ({"title": " \t\n"}, "title\n.*at least 1 character"),
        ({"title": "x" * 201}, "title\n.*at most 200 characters"),
        ({"title": 7}, "title\n.*valid string"),
        ({"title": None}, "title\n.*valid string"),
        ({"title": "\ud800"}, "title\n.*valid string"),
        ({"done": "true"}, "done\n.*valid boolean"),
        ({"done": 1}, "done\n.*valid boolean"),
        ({"due": "2026-02-30"}, "due\n.*valid date"),
        ({"due": "24.12.2026"}, "due\n.*must be a date of ISO 8601"),
        ({"due": "2026-12-24T00:00:00"}, "due\n.*must be a date of ISO 8601"),
        ({"due": 1_800_000_000}, "due\n.*must be a date of ISO 8601"),
        ({"due": "20261224"}, "due\n.*must be a date of ISO 8601"),
        ({"id": "0" * 32}, "id\n.*not permitted"),
        ({"user": "bob"}, "user\n.*not permitted"),
    ],
)
def test_a_to_do_that_breaks_a_rule_is_refused_with_the_field_and_the_rule(change: dict[str, Any], rule: str) -> None:
    good = {"title": "tea", "done": False, "due": "2026-12-24"}
    NewTodo.model_validate(good)
    with pytest.raises(ValidationError, match=rule):
        NewTodo.model_validate(good | change)


@pytest.mark.parametrize("title", ["x", "x" * 200, " x ", "日本茶 \U0001f375"])
def test_a_title_has_1_to_200_characters_without_the_blanks_around_it(title: str) -> None:
    assert NewTodo.model_validate({"title": title}).title == title.strip()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({}, "version\n.*Field required"),
        ({"version": 1}, "must change title, done or due"),
        ({"version": 0, "done": True}, "version\n.*greater than or equal to 1"),
        ({"version": "1", "done": True}, "version\n.*valid integer"),
        ({"version": True, "done": True}, "version\n.*valid integer"),
        ({"version": 1, "title": None}, "title must not be null"),
        ({"version": 1, "done": None}, "done must not be null"),
        ({"version": 1, "title": ""}, "title\n.*at least 1 character"),
        ({"version": 1, "created": "x"}, "created\n.*not permitted"),
    ],
)
def test_a_change_says_what_and_of_which_version(change: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        Change.model_validate(change)


def test_a_change_is_of_what_was_given_alone() -> None:
    assert Change.model_validate({"version": 1, "due": None}).values() == {"due": None}
    assert Change.model_validate({"version": 1, "done": False}).values() == {"done": False}


@given(st.integers(1, 10**12), st.integers(1, 10**9))
def test_ids_sort_by_time(milliseconds: int, later_by: int) -> None:
    start = NOW + dt.timedelta(milliseconds=milliseconds)
    earlier = new_todo(NewTodo(title="x"), start)
    later = new_todo(NewTodo(title="x"), start + dt.timedelta(milliseconds=later_by))
    assert earlier.id < later.id


def test_two_of_the_same_moment_are_two() -> None:
    assert len({new_todo(NewTodo(title="x"), NOW).id for _ in range(100)}) == 100


def test_each_version_has_an_etag_of_its_own() -> None:
    todo = new_todo(NewTodo(title="x"), NOW)
    assert todo.etag != todo.model_copy(update={"version": 2}).etag


@given(st.builds(NewTodo, title=st.text("abc 日", min_size=1).filter(str.strip).map(lambda text: text[:200].strip())))
def test_a_to_do_round_trips_through_json(asked: NewTodo) -> None:
    todo = new_todo(asked, NOW)
    assert Todo.model_validate_json(todo.model_dump_json()) == todo


@given(USERS, IDS)
def test_a_cursor_leads_its_user_on(user: str, last_id: str) -> None:
    assert cursors.decode(user, cursors.encode(user, last_id)) == last_id


@given(USERS, USERS, IDS)
def test_a_cursor_is_for_nobody_else(user: str, other: str, last_id: str) -> None:
    assume(user != other)
    with pytest.raises(cursors.InvalidCursorError, match="must be one that this list gave you"):
        cursors.decode(other, cursors.encode(user, last_id))


@given(USERS, IDS, st.data())
def test_a_changed_cursor_is_refused(user: str, last_id: str, data: st.DataObject) -> None:
    cursor = cursors.encode(user, last_id)
    spot = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda sign: sign != cursor[spot]))
    with pytest.raises(cursors.InvalidCursorError, match="must be one that this list gave you"):
        cursors.decode(user, cursor[:spot] + other + cursor[spot + 1 :])


@given(st.text(max_size=100))
def test_whatever_else_is_no_cursor_either(text: str) -> None:
    with pytest.raises(cursors.InvalidCursorError, match=r"^cursor: must be one that this list gave you; start again"):
        cursors.decode("ada", text)


@pytest.mark.parametrize("last_id", ["", "00", "0" * 30, "0" * 34])
def test_a_cursor_leads_to_an_id_and_nothing_else(last_id: str) -> None:
    """Whoever works out how cursors are made can still make none that is not one of their own list."""
    with pytest.raises(cursors.InvalidCursorError, match="must be one that this list gave you"):
        cursors.decode("ada", cursors.encode("ada", last_id))


@given(USERS, IDS)
def test_a_cursor_does_not_tell_whose_it_is(user: str, last_id: str) -> None:
    cursor = cursors.encode(user, last_id)
    assert len(cursor) == len(cursors.encode("somebody else entirely", last_id))
    inside = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert inside[12:] == bytes.fromhex(last_id)
    assert len(user.encode()) < 4 or user.encode() not in inside
