"""localcloud/fixes/request_validation.py."""

import json
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from localcloud.fixes._json_schema import violations
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

MODEL = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {"id": {"type": "string", "pattern": "^[a-z]+$"}, "count": {"type": "integer", "minimum": 1}},
}


def api(cloud: LocalCloud) -> str:
    """Deploy an API with a validated method and a telling gateway response; its id."""
    ref = {"RestApiId": {"Ref": "Api"}}
    said = '{"message":$context.error.messageString,"detail":"$context.error.validationErrorString"}'
    resources: dict[str, Any] = {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "probe"}},
        "Model": {
            "Type": "AWS::ApiGateway::Model",
            "Properties": ref | {"ContentType": "application/json", "Name": "Order", "Schema": MODEL},
        },
        "Validator": {
            "Type": "AWS::ApiGateway::RequestValidator",
            "Properties": ref | {"ValidateRequestBody": True},
        },
        "Refusal": {
            "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": ref
            | {
                "ResponseType": "BAD_REQUEST_BODY",
                "StatusCode": "400",
                "ResponseTemplates": {"application/json": said},
            },
        },
        "Orders": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": ref | {"ParentId": probes.attribute("Api", "RootResourceId"), "PathPart": "orders"},
        },
        "Post": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": ref
            | {
                "ResourceId": {"Ref": "Orders"},
                "HttpMethod": "POST",
                "AuthorizationType": "NONE",
                "RequestValidatorId": {"Ref": "Validator"},
                "RequestModels": {"application/json": {"Ref": "Model"}},
                "Integration": {
                    "Type": "MOCK",
                    "RequestTemplates": {"application/json": '{"statusCode": 200}'},
                    "IntegrationResponses": [{"StatusCode": "200"}],
                },
            },
        },
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": ["Post", "Refusal"],
            "Properties": ref | {"StageName": "prod"},
        },
    }
    return probes.deploy(cloud, resources)["Api"]


def test_violations_are_refused_at_the_edge_in_awss_words(cloud: LocalCloud) -> None:
    orders = api(cloud)
    assert probes.post(cloud, orders, "orders", {"id": "abc", "count": 1})[0] == 200
    status, text = probes.post(cloud, orders, "orders", {"count": 1})
    assert (status, json.loads(text)) == (
        400,
        {"message": "Invalid request body", "detail": '[object has missing required properties (["id"])]'},
    )
    assert probes.post(cloud, orders, "orders", "{not json")[0] == 400


def test_the_emulator_alone_still_accepts_anything(bare: LocalCloud) -> None:
    assert probes.post(bare, api(bare), "orders", {"count": 1})[0] == 200


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"id": "abc"}, None),
        ([], 'instance type (array) does not match any allowed primitive type (allowed: ["object"])'),
        ({"id": 1}, 'instance type (integer) does not match any allowed primitive type (allowed: ["string"])'),
        ({"id": "A"}, 'ECMA 262 regex "^[a-z]+$" does not match input string "A"'),
        ({"id": "a", "count": 0}, "numeric instance is lower than the required minimum (minimum: 1, found: 0)"),
        ({"id": "a", "x": 0}, 'object instance has properties which are not allowed by the schema: ["x"]'),
    ],
)
def test_violations(document: Any, message: str | None) -> None:
    assert violations(document, MODEL, MODEL, lambda _ref, root: (root, root)) == ([message] if message else [])
