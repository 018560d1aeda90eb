"""The API's OpenAPI document. ``python -m todo_api.openapi`` (in lambda_src) writes it anew to openapi.json."""

import json
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer

from todo_api.handler import app
from todo_api.problems import CONTENT_TYPE, Problem

DOCUMENT = Path(__file__).with_name("openapi.json")
_REFUSALS = {
    "400": "A field is wrong; errors names it.",
    "401": "No token, or not a valid one of this app.",
    "404": "There is no such to-do of yours.",
    "409": "The to-do has changed; current_version is its version now.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "429": "Too many requests; wait a little.",
}
_MADE_UP_BY_THE_GENERATOR = ("HTTPValidationError", "ValidationError", "ResponseValidationError")


def document() -> dict[str, Any]:
    """The document, made from the routes and their types."""
    made: dict[str, Any] = json.loads(
        app.get_openapi_json_schema(
            title="My to-do list",
            version="1.0.0",
            description="Everybody sees and changes their own to-dos. Send the ID token of the user pool.",
            security_schemes={"IdToken": HTTPBearer(bearerFormat="JWT")},
            security=[{"IdToken": []}],
        )
    )
    # Where it is served is the deployment's business.
    made.pop("servers", None)
    schemas = made["components"]["schemas"]
    for name in _MADE_UP_BY_THE_GENERATOR:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"), Problem=problem)
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            # Validation is answered 400 here; the generator says 422.
            operation["responses"].pop("422", None)
            operation["responses"].get("204", {}).pop("content", None)
            operation["responses"].update(_refusals(path, method))
    return made


def _refusals(path: str, method: str) -> dict[str, Any]:
    about_one, has_body = "{" in path, method in {"post", "patch"}
    left_out = set() if about_one else {"404"}
    left_out |= set() if method in {"patch", "delete"} else {"409"}
    left_out |= set() if has_body else {"413", "415"}
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": description, "content": content}
        for status, description in _REFUSALS.items()
        if status not in left_out
    }


def text() -> str:
    """The document as it is kept."""
    return json.dumps(document(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(text(), encoding="utf-8")
