"""The API's OpenAPI document. ``python -m catalog_api.openapi`` (in lambda_src) writes it anew to openapi.json."""

import json
from typing import Any

from catalog_api.handler import CORRELATION, DOCUMENT, app
from catalog_api.problems import CONTENT_TYPE, Problem

_REFUSALS = {
    "400": "A field is wrong; errors names it.",
    "403": "The request is not signed (SigV4), or not by one who may do this.",
    "404": "There is no such product.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "429": "Too many requests; wait a little.",
    "503": "The table does not answer; try again after Retry-After.",
}
_MADE_UP_BY_THE_GENERATOR = ("HTTPValidationError", "ValidationError", "ResponseValidationError")
# OpenAPI has no kind of its own for AWS's signatures; this is how API Gateway exports them.
_SIGNED = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "x-amazon-apigateway-authtype": "awsSigv4",
}
_TEXT = {"schema": {"type": "string"}}


def document() -> dict[str, Any]:
    """The document, made from the routes and their types."""
    made: dict[str, Any] = json.loads(
        app.get_openapi_json_schema(
            title="Catalog",
            version="1.0.0",
            description="Products by SKU. Sign requests with SigV4 for the service execute-api.",
        )
    )
    # Where it is served is the deployment's business.
    made.pop("servers", None)
    made["security"] = [{"Signature": []}]
    made["components"]["securitySchemes"] = {"Signature": _SIGNED}
    schemas = made["components"]["schemas"]
    for name in _MADE_UP_BY_THE_GENERATOR:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"), Problem=problem)
    for methods in made["paths"].values():
        for method, operation in methods.items():
            _finish(method, operation)
    return made


def _finish(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    # Validation is answered 400 here; the generator says 422.
    responses.pop("422", None)
    if method == "put":
        responses["201"] = {**responses["200"], "description": "It is a new product."}
    left_out = {"413", "415", "400"} if method == "get" else {"404"}
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, description in _REFUSALS.items():
        if status not in left_out:
            responses[status] = {"description": description, "content": content}
    for status, answer in responses.items():
        answer["headers"] = {CORRELATION: {"description": "The caller's, or a new one.", **_TEXT}}
        if method == "get" and status in {"200", "404"}:
            answer["headers"]["X-Cache"] = {"description": "hit, miss, error or bypass", **_TEXT}


def text() -> str:
    """The document as it is kept."""
    return json.dumps(document(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(text(), encoding="utf-8")
