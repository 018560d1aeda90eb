"""The OpenAPI document is kept in step with the routes and their rules."""

import json
from typing import Any

import pytest

from catalog_api import openapi
from catalog_api.handler import DOCUMENT
from catalog_api.rules import NewProduct, Product


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return found


def test_the_document_is_in_step() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == openapi.text(), "run, in lambda_src: python -m catalog_api.openapi"


def test_a_changed_rule_is_another_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openapi, "_REFUSALS", {})
    assert DOCUMENT.read_text(encoding="utf-8") != openapi.text()


def test_every_operation_has_a_name_for_clients(kept: dict[str, Any]) -> None:
    names = [one["operationId"] for methods in kept["paths"].values() for one in methods.values()]
    assert sorted(names) == ["getProduct", "putProduct"]


def test_every_refusal_is_problem_details(kept: dict[str, Any]) -> None:
    for methods in kept["paths"].values():
        for operation in methods.values():
            refusals = {status: one for status, one in operation["responses"].items() if status >= "400"}
            assert {"403", "429", "503"} <= refusals.keys()
            assert all(list(one["content"]) == ["application/problem+json"] for one in refusals.values())
            assert "422" not in refusals


def test_the_rules_are_in_the_document(kept: dict[str, Any]) -> None:
    schemas = kept["components"]["schemas"]
    assert schemas["NewProduct"]["properties"].keys() == NewProduct.model_fields.keys()
    assert schemas["Product"]["properties"].keys() == Product.model_fields.keys()
    assert schemas["NewProduct"]["additionalProperties"] is False
    assert schemas["NewProduct"]["properties"]["price"]["minimum"] == 0


def test_every_reference_leads_somewhere(kept: dict[str, Any]) -> None:
    named = {part.split('"')[0] for part in json.dumps(kept).split('"#/components/schemas/')[1:]}
    assert named == kept["components"]["schemas"].keys()
