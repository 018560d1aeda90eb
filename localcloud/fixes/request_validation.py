"""REST request validators of a template validate, and say what was wrong.

Without this fix the emulator's CloudFormation makes up a validator's id without storing the validator, drops a
method's `RequestValidatorId`, so every body is accepted, and leaves `$context.error.validationErrorString` in a
gateway response unreplaced.
"""

import json
from typing import Any

from localcloud.fixes._json_schema import violations
from localcloud.internals import need


def apply() -> None:
    """Store validators, and fill in the validation error of a refused body."""
    provisioners = need("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
    _store_validators(provisioners._RESOURCE_HANDLERS)
    _tie_methods(provisioners._RESOURCE_HANDLERS)
    _say_what_was_wrong()


def _store_validators(handlers: dict[str, Any]) -> None:
    gateway = need("services.apigateway_v1", "_create_request_validator", "_request_validators")

    def create(logical_id: str, props: dict[str, Any], _stack_name: str) -> tuple[str, dict[str, str]]:
        wanted = {
            "name": props.get("Name", logical_id),
            "validateRequestBody": _true(props.get("ValidateRequestBody")),
            "validateRequestParameters": _true(props.get("ValidateRequestParameters")),
        }
        _status, _headers, body = gateway._create_request_validator(props["RestApiId"], wanted)
        made = json.loads(body)
        if "id" not in made:
            raise ValueError(f"AWS::ApiGateway::RequestValidator: {made.get('message')}")
        return made["id"], {"RequestValidatorId": made["id"]}

    def update(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, str]]:
        if any(old.get(key) != new.get(key) for key in ("RestApiId", "Name")):
            return create(physical_id, new, stack_name)
        stored = gateway._request_validators[new["RestApiId"]][physical_id]
        stored["validateRequestBody"] = _true(new.get("ValidateRequestBody"))
        stored["validateRequestParameters"] = _true(new.get("ValidateRequestParameters"))
        return physical_id, {"RequestValidatorId": physical_id}

    def delete(physical_id: str, props: dict[str, Any]) -> None:
        gateway._request_validators.get(props.get("RestApiId"), {}).pop(physical_id, None)

    handlers["AWS::ApiGateway::RequestValidator"] = {"create": create, "update": update, "delete": delete}


def _tie_methods(handlers: dict[str, Any]) -> None:
    gateway = need("services.apigateway_v1", "_put_method", "_resources")
    handler = handlers["AWS::ApiGateway::Method"]

    def tie(props: dict[str, Any]) -> None:
        resource = gateway._resources[props["RestApiId"]][props["ResourceId"]]
        resource["resourceMethods"][props["HttpMethod"]]["requestValidatorId"] = props.get("RequestValidatorId")

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        made = handler["create"](logical_id, props, stack_name)
        tie(props)
        return made

    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
        made = handler["update"](physical_id, old, new, stack_name)
        tie(new)
        return made

    handlers["AWS::ApiGateway::Method"] = handler | {"create": create, "update": update}


def _say_what_was_wrong() -> None:
    gateway = need(
        "services.apigateway_v1",
        *("_check_request_validation", "_gateway_error_response", "_gateway_responses", "_model_schema"),
        *("_deployed_gateway_responses", "_header_ci", "_resolve_schema_ref"),
    )
    check, render = gateway._check_request_validation, gateway._gateway_error_response

    def checked(method: dict[str, Any], api_id: str, request: dict[str, Any], headers: Any, *rest: Any) -> Any:
        error, body = check(method, api_id, request, headers, *rest), rest[0]
        if error is not None and error.response_type == "BAD_REQUEST_BODY":
            kind = (gateway._header_ci(headers, "content-type") or "application/json").split(";", 1)[0].strip()
            models = method.get("requestModels") or {}
            schema = gateway._model_schema(api_id, models.get(kind) or models.get("application/json"))
            error.validation_error = _describe(body, schema, gateway._resolve_schema_ref)
        return error

    def rendered(error: Any, request: dict[str, Any]) -> Any:
        status, headers, body = render(error, request)
        told = json.dumps(getattr(error, "validation_error", ""))[1:-1].encode()
        return status, headers, body.replace(b"$context.error.validationErrorString", told)

    vars(gateway).update(_check_request_validation=checked, _gateway_error_response=rendered)


def _describe(body: Any, schema: Any, resolve: Any) -> str:
    try:
        document = json.loads(body)
    except (ValueError, TypeError):
        return ""
    found = violations(document, schema, schema, resolve)
    return f"[{', '.join(found or ['instance failed to match all required schemas (matched only 0 out of 1)'])}]"


def _true(value: Any) -> bool:
    return str(value).lower() == "true"
