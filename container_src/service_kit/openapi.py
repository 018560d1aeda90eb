"""The OpenAPI document of a server: what its routes say, with every refusal as a problem."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service_kit.problems import CONTENT_TYPE, Problem

_MADE_UP_BY_THE_GENERATOR = ("HTTPValidationError", "ValidationError")
_ANYWHERE = {"500": "Something went wrong here.", "504": "There was no answer in time."}
_EXTRA = "x-problems"
_INVALID = "A field breaks its rule; errors names it."


def problems(said: dict[int, str]) -> dict[str, Any]:
    """For ``openapi_extra`` of a route: the refusals that only it has."""
    return {_EXTRA: {str(status): text for status, text in said.items()}}


def document(app: FastAPI) -> dict[str, Any]:
    """The document of an application."""
    made = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
    )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for name in _MADE_UP_BY_THE_GENERATOR:
        schemas.pop(name, None)
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}", by_alias=True)
    schemas.update(schema.pop("$defs"), Problem=schema)
    for path, methods in made["paths"].items():
        for operation in methods.values():
            _describe(operation, about_one="{" in path)
    return made


def _describe(operation: dict[str, Any], *, about_one: bool) -> None:
    responses = operation["responses"]
    # The generator says 422; here it is 400, and what is wrong in a path names nothing: 404.
    responses.pop("422", None)
    has_body = "requestBody" in operation
    said = dict(_ANYWHERE)
    if has_body or any(one["in"] != "path" for one in operation.get("parameters", [])):
        said["400"] = _INVALID
    if about_one:
        said["404"] = "There is nothing of that name."
    if has_body:
        said |= {"408": "The body did not arrive in time.", "413": "The body is too large."}
    for status, text in (said | operation.pop(_EXTRA, {})).items():
        responses.setdefault(status, _problem(text))


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
