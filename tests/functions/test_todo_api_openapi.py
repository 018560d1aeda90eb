"""The OpenAPI document is kept in step with the routes, and the stack with the document."""

import json
from typing import Any

import pytest

from stacks.my_todo_list import ROUTES
from todo_api import openapi
from todo_api.rules import Change, NewTodo


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(openapi.DOCUMENT.read_text(encoding="utf-8"))
    return found


def test_the_document_is_in_step() -> None:
    assert openapi.DOCUMENT.read_text(encoding="utf-8") == openapi.text(), (
        "run, in lambda_src: python -m todo_api.openapi"
    )


def test_a_changed_rule_is_another_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openapi, "_REFUSALS", {})
    assert openapi.DOCUMENT.read_text(encoding="utf-8") != openapi.text()


def test_api_gateway_has_the_routes_of_the_document_and_no_other(kept: dict[str, Any]) -> None:
    documented = {(method.upper(), path) for path, methods in kept["paths"].items() for method in methods}
    assert documented == {(route.method, route.path) for route in ROUTES}


def test_the_cache_knows_every_parameter_that_an_answer_depends_on(kept: dict[str, Any]) -> None:
    for route in ROUTES:
        parameters = kept["paths"][route.path][route.method.lower()].get("parameters", [])
        if route.method == "GET":
            assert set(route.query) == {one["name"] for one in parameters if one["in"] == "query"}, route


def test_every_refusal_is_problem_details(kept: dict[str, Any]) -> None:
    for path, methods in kept["paths"].items():
        for method, operation in methods.items():
            refusals = {status: one for status, one in operation["responses"].items() if status >= "400"}
            assert {"400", "401", "429"} <= refusals.keys(), (path, method)
            assert all(list(one["content"]) == ["application/problem+json"] for one in refusals.values())
            assert "422" not in refusals


def test_the_rules_are_in_the_document(kept: dict[str, Any]) -> None:
    schemas = kept["components"]["schemas"]
    title = schemas["NewTodo"]["properties"]["title"]
    assert (title["minLength"], title["maxLength"]) == (1, 200)
    assert schemas["NewTodo"]["properties"].keys() == NewTodo.model_fields.keys()
    assert schemas["Change"]["required"] == ["version"]
    assert schemas["Change"]["properties"].keys() == Change.model_fields.keys()
    assert schemas["NewTodo"]["additionalProperties"] is schemas["Change"]["additionalProperties"] is False


def test_every_reference_leads_somewhere(kept: dict[str, Any]) -> None:
    text = json.dumps(kept)
    named = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert named == kept["components"]["schemas"].keys()
