"""What API Gateway itself answers when it refuses, as problem details (RFC 9457)."""

import json
from collections.abc import Mapping

from aws_cdk import aws_apigateway as apigateway

_ABOUT = "about:blank"
# Gateway responses know no VTL, only plain substitution: `messageString` comes with its quotes, the others without.
# Source: Amazon API Gateway developer guide, "Set up gateway responses to customize error responses".
_MESSAGE = "$context.error.messageString"
UNAVAILABLE = json.dumps(
    {"type": _ABOUT, "title": "Service Unavailable", "status": 503, "detail": "The request was not taken; try again."}
)


def field_rules(schema: apigateway.JsonSchema) -> dict[str, str]:
    """Property -> its description, since the validator's own text does not always name the field."""
    rules: Mapping[str, apigateway.JsonSchema] = schema.properties or {}
    return {name: rule.description for name, rule in rules.items() if rule.description}


def answer_refusals(api: apigateway.RestApi, schema: apigateway.JsonSchema) -> None:
    """A body against the schema: 400 with the broken rule and the rules of all fields; others: their message."""
    body = {
        "type": _ABOUT,
        "title": "Invalid request body",
        "status": 400,
        "detail": "$context.error.validationErrorString",
        "rules": field_rules(schema),
    }
    api.add_gateway_response(
        "InvalidBody",
        type=apigateway.ResponseType.BAD_REQUEST_BODY,
        status_code="400",
        templates={"application/json": json.dumps(body)},
    )
    answer_others(api)


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
    for construct_id, kind, status, title, detail in (
        ("Unauthorized", apigateway.ResponseType.UNAUTHORIZED, 401, "Unauthorized", "Sign in and send a valid token."),
        ("Forbidden", apigateway.ResponseType.ACCESS_DENIED, 403, "Forbidden", "You may not do this."),
        # API Gateway's answer to a path or method that the API does not have; its own text misleads.
        ("NoRoute", apigateway.ResponseType.MISSING_AUTHENTICATION_TOKEN, 404, "Not Found", "There is nothing here."),
        ("Throttled", apigateway.ResponseType.THROTTLED, 429, "Too Many Requests", "Wait a little and try again."),
    ):
        body = {"type": _ABOUT, "title": title, "status": status, "detail": detail, "requestId": "$context.requestId"}
        api.add_gateway_response(
            construct_id, type=kind, status_code=str(status), templates={"application/json": json.dumps(body)}
        )
    answer_others(api)
