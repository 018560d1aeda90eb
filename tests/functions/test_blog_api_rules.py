"""What posts, photos and subscriptions are; who may write."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from blog_api.rules import (
    ID_PATTERN,
    MAX_PHOTO_BYTES,
    Draft,
    NewPhoto,
    Subscription,
    excerpt,
    is_author,
    is_caller_of,
    new_id,
    subscriber_key,
)

ID = "0" * 24


@pytest.mark.parametrize(
    ("model", "good"),
    [
        (Draft, {"title": "t", "text": "x"}),
        (Draft, {"title": "t" * 120, "text": "x" * 20_000, "photo": ID}),
        (Draft, {"title": "t", "text": "x", "photo": None}),
        (Subscription, {"email": "ada@example.com"}),
        (Subscription, {"email": "  A.d+a_'1@mail.example.co.uk "}),
        (Subscription, {"email": f"{'a' * 64}@{'b' * 63}.com"}),
        (NewPhoto, {"contentType": "image/png", "size": 1}),
        (NewPhoto, {"contentType": "image/gif", "size": MAX_PHOTO_BYTES}),
    ],
)
def test_what_is_taken(model: type[BaseModel], good: dict[str, Any]) -> None:
    assert model.model_validate(good)


@pytest.mark.parametrize(
    ("model", "bad", "field"),
    [
        (Draft, {"title": "", "text": "x"}, "title"),
        (Draft, {"title": "   ", "text": "x"}, "title"),
        (Draft, {"title": "t" * 121, "text": "x"}, "title"),
        (Draft, {"title": "t", "text": "x" * 20_001}, "text"),
        (Draft, {"title": 1, "text": "x"}, "title"),
        (Draft, {"title": "t"}, "text"),
        (Draft, {"title": "t", "text": "x", "id": ID}, "id"),
        (Draft, {"title": "t", "text": "x", "photo": "../secret"}, "photo"),
        *[
            (Subscription, {"email": email}, "email")
            for email in (
                *("", "ada", "ada@", "@example.com", "ada@localhost", "a b@example.com", "a@b@example.com"),
                *(".a@example.com", "a.@example.com", "a..b@example.com", "a@-b.com", "a@b-.com", "a@b..com"),
                *(
                    "a@example.com\r\nBcc: b@example.com",
                    "a@example.com,b@example.com",
                    "<a@example.com>",
                    "ä@example.com",
                ),
                *(f"{'a' * 65}@example.com", f"a@{'b' * 64}.com", f"a@{'b.' * 130}com"),
            )
        ],
        (NewPhoto, {"contentType": "image/tiff", "size": 1}, "contentType"),
        (NewPhoto, {"contentType": "image/png", "size": 0}, "size"),
        (NewPhoto, {"contentType": "image/png", "size": MAX_PHOTO_BYTES + 1}, "size"),
        (NewPhoto, {"contentType": "image/png", "size": "1"}, "size"),
    ],
)
def test_what_is_not(model: type[BaseModel], bad: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        model.model_validate(bad)
    assert {error["loc"][0] for error in refusal.value.errors()} == {field}


@given(st.text())
def test_no_text_is_an_address_that_could_carry_more_than_one(text: str) -> None:
    try:
        taken = Subscription(email=text).email
    except ValidationError:
        return
    assert taken.count("@") == 1
    assert not set(taken) & set("\r\n,;<> \t")


@given(st.lists(st.integers(min_value=0, max_value=2**47), min_size=2, max_size=5, unique=True))
def test_ids_sort_by_time(milliseconds: list[int]) -> None:
    ids = [new_id(one / 1000 + 0.0001) for one in sorted(milliseconds)]
    assert ids == sorted(ids)
    assert all(re.fullmatch(ID_PATTERN, one) for one in ids)


def test_ids_of_one_moment_differ() -> None:
    assert len({new_id(1.0) for _ in range(100)}) == 100


@given(st.text(alphabet="ab \n\t", max_size=400))
def test_an_excerpt_is_one_short_line(text: str) -> None:
    found = excerpt(text)
    assert len(found) <= 162
    assert "\n" not in found
    assert " ".join(text.split()).startswith(found.removesuffix(" …"))


def test_an_excerpt_ends_with_a_word() -> None:
    assert excerpt("word " * 100).removesuffix(" …").endswith("word")
    assert excerpt("short") == "short"
    assert excerpt("x" * 200) == "x" * 160 + " …"


def test_two_spellings_are_one_mailbox() -> None:
    assert subscriber_key("Ada@Example.com") == subscriber_key("ada@example.com") != subscriber_key("bda@example.com")


@pytest.mark.parametrize(
    ("groups", "allowed"),
    [
        ("authors", True),
        ("[authors]", True),
        ("readers,authors", True),
        ("[readers authors]", True),
        ("", False),
        ("coauthors", False),
        ("authors-to-be", False),
        ("Authors", False),
    ],
)
def test_authors_are_in_their_group(groups: str, allowed: bool) -> None:
    assert is_author({"cognito:groups": groups}) is allowed
    assert not is_author({})


def test_a_token_is_for_this_app_alone() -> None:
    assert is_caller_of({"aud": "app"}, "app")
    assert not is_caller_of({"aud": "other"}, "app")
    assert not is_caller_of({}, "app")
    assert not is_caller_of({"aud": ""}, "")
