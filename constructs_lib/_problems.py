"""What API Gateway itself answers when it refuses, as problem details (RFC 9457)."""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import aws_apigateway as apigateway

_ABOUT = "about:blank"
# Gateway responses know no VTL, only plain substitution: `messageString` comes with its quotes, the others without.
# Source: Amazon API Gateway developer guide, "Set up gateway responses to customize error responses".
_MESSAGE = "$context.error.messageString"
UNAVAILABLE = json.dumps(
    {"type": _ABOUT, "title": "Service Unavailable", "status": 503, "detail": "The request was not taken; try again."}
)

_THROTTLED = (
    "Throttled",
    apigateway.ResponseType.THROTTLED,
    429,
    "Too Many Requests",
    "Wait a little and try again.",
)


def field_rules(schema: apigateway.JsonSchema) -> dict[str, str]:
    """Property -> its description, since the validator's own text does not always name the field."""
    rules: Mapping[str, apigateway.JsonSchema] = schema.properties or {}
    return {name: rule.description for name, rule in rules.items() if rule.description}


def answer_refusals(api: apigateway.RestApi, schema: apigateway.JsonSchema) -> None:
    """A body against the schema: 400 with the broken rule and the rules of all fields; others: their message."""
    _answer_bodies(api, field_rules(schema))
    answer_others(api)


def _answer_bodies(api: apigateway.RestApi, rules: Mapping[str, str]) -> None:
    body = {
        "type": _ABOUT,
        "title": "Invalid request body",
        "status": 400,
        "detail": "$context.error.validationErrorString",
        "rules": rules,
    }
    api.add_gateway_response(
        "InvalidBody",
        type=apigateway.ResponseType.BAD_REQUEST_BODY,
        status_code="400",
        templates={"application/json": json.dumps(body)},
    )


def answer_others(api: apigateway.RestApi) -> None:
    """Whatever has no answer of its own: the message that API Gateway has for it."""
    for construct_id, kind in (
        ("ClientError", apigateway.ResponseType.DEFAULT_4_XX),
        ("ServerError", apigateway.ResponseType.DEFAULT_5_XX),
    ):
        other = json.dumps({"type": _ABOUT, "title": _MESSAGE, "requestId": "$context.requestId"})
        api.add_gateway_response(
            construct_id, type=kind, templates={"application/json": other.replace(f'"{_MESSAGE}"', _MESSAGE)}
        )


def answer_callers(api: apigateway.RestApi) -> None:
    """Who is not let in is told so: 401 without a good token, 429 when too quick, 404 for what is not there."""
    _answer(
        api,
        ("Unauthorized", apigateway.ResponseType.UNAUTHORIZED, 401, "Unauthorized", "Sign in and send a valid token."),
        ("Forbidden", apigateway.ResponseType.ACCESS_DENIED, 403, "Forbidden", "You may not do this."),
        # API Gateway's answer to a path or method that the API does not have; its own text misleads.
        ("NoRoute", apigateway.ResponseType.MISSING_AUTHENTICATION_TOKEN, 404, "Not Found", "There is nothing here."),
        _THROTTLED,
    )
    answer_others(api)


def answer_signers(api: apigateway.RestApi, schemas: Sequence[apigateway.JsonSchema]) -> None:
    """Who does not sign, or may not do this, is told so: 403; a body against its schema: 400; too quick: 429."""
    if schemas:
        _answer_bodies(api, {name: rule for schema in schemas for name, rule in field_rules(schema).items()})
    unsigned = "Sign the request (SigV4, service execute-api)."
    _answer(
        api,
        ("Unsigned", apigateway.ResponseType.MISSING_AUTHENTICATION_TOKEN, 403, "Forbidden", unsigned),
        ("BadSignature", apigateway.ResponseType.INVALID_SIGNATURE, 403, "Forbidden", "The signature does not match."),
        ("Forbidden", apigateway.ResponseType.ACCESS_DENIED, 403, "Forbidden", "You may not do this."),
        _THROTTLED,
    )
    answer_others(api)


def _answer(api: apigateway.RestApi, *answers: tuple[str, apigateway.ResponseType, int, str, str]) -> None:
    for construct_id, kind, status, title, detail in answers:
        body = {"type": _ABOUT, "title": title, "status": status, "detail": detail, "requestId": "$context.requestId"}
        api.add_gateway_response(
            construct_id, type=kind, status_code=str(status), templates={"application/json": json.dumps(body)}
        )
