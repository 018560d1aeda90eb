"""localcloud/fixes/integration_role.py."""

import json
from typing import Any

import pytest

from localcloud.cloud import ACCOUNT, REGION, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

ID = "$input.path('$.SendMessageResponse.SendMessageResult.MessageId')"


def post(cloud: LocalCloud, right: str, *, credentials: bool = True) -> tuple[int, str, list[str]]:
    """POST to a method that sends to a queue under a role with `right`; status, body, and what the queue got."""
    ref = {"RestApiId": {"Ref": "Api"}}
    integration: dict[str, Any] = {
        "Type": "AWS",
        "IntegrationHttpMethod": "POST",
        "Uri": {
            "Fn::Sub": f"arn:aws:apigateway:{REGION}:sqs:path/{ACCOUNT}/${{Queue.QueueName}}",
        },
        "PassthroughBehavior": "NEVER",
        "RequestParameters": {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
        "RequestTemplates": {"application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"},
        "IntegrationResponses": [
            {"StatusCode": "202", "ResponseTemplates": {"application/json": f'{{"id":"{ID}"}}'}},
            {
                "StatusCode": "503",
                "SelectionPattern": "[45]\\d{2}",
                "ResponseTemplates": {"application/json": '{"message":"try again"}'},
            },
        ],
    }
    if credentials:
        integration["Credentials"] = probes.attribute("Role")
    made = probes.deploy(
        cloud,
        {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Role": probes.role("apigateway.amazonaws.com", probes.allow(right, probes.attribute("Queue"))),
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "probe"}},
            "Method": {
                "Type": "AWS::ApiGateway::Method",
                "Properties": ref
                | {
                    "ResourceId": probes.attribute("Api", "RootResourceId"),
                    "HttpMethod": "POST",
                    "AuthorizationType": "NONE",
                    "Integration": integration,
                    "MethodResponses": [{"StatusCode": "202"}, {"StatusCode": "503"}],
                },
            },
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": ["Method"],
                "Properties": ref | {"StageName": "prod"},
            },
        },
    )
    status, text = probes.post(cloud, made["Api"], "", {"order": "a & b = ü"})
    return status, text, probes.bodies(cloud, made["Queue"], seconds=1)


def test_the_role_sends(cloud: LocalCloud) -> None:
    status, text, bodies = post(cloud, "sqs:SendMessage")
    assert status == 202
    assert json.loads(text)["id"]
    assert [json.loads(body) for body in bodies] == [{"order": "a & b = ü"}]


@pytest.mark.parametrize(("right", "credentials"), [("sqs:ReceiveMessage", True), ("sqs:SendMessage", False)])
def test_a_role_without_the_right_and_no_role_do_not(cloud: LocalCloud, right: str, credentials: bool) -> None:
    assert post(cloud, right, credentials=credentials) == (503, '{"message":"try again"}', [])


def test_the_emulator_alone_still_asks_no_role(bare: LocalCloud) -> None:
    assert post(bare, "sqs:ReceiveMessage")[0] == 202
