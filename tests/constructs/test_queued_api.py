"""Requests are checked at the edge, put into a queue, and worked on when there is time."""

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_

from constructs_lib import PythonFunction, QueuedApi
from tests.templates import Template, bare_stack, only, resources, synthesized

API, STAGE, METHOD = "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage", "AWS::ApiGateway::Method"
VALIDATOR, ANSWER = "AWS::ApiGateway::RequestValidator", "AWS::ApiGateway::GatewayResponse"
QUEUE, SOURCE = "AWS::SQS::Queue", "AWS::Lambda::EventSourceMapping"
SCHEMA = apigateway.JsonSchema(
    type=apigateway.JsonSchemaType.OBJECT,
    required=["name"],
    properties={
        "name": apigateway.JsonSchema(type=apigateway.JsonSchemaType.STRING, description="any text"),
        "note": apigateway.JsonSchema(type=apigateway.JsonSchemaType.STRING),
    },
)


def make(stack: cdk.Stack, construct_id: str = "Intake", *, timeout: int = 30, **props: Any) -> QueuedApi:
    worker = PythonFunction(
        stack, f"{construct_id}Worker", package="order_worker", timeout=Duration.seconds(timeout)
    ).function
    return QueuedApi(stack, construct_id, **{"path": "orders", "schema": SCHEMA, "worker": worker, **props})


@pytest.fixture(scope="module")
def default() -> Template:
    stack = bare_stack()
    make(stack)
    return synthesized(stack)


def test_the_api_is_regional_and_speaks_modern_tls_alone(default: Template) -> None:
    api = only(default, API)
    assert api["EndpointConfiguration"]["Types"] == ["REGIONAL"]
    assert api["SecurityPolicy"].startswith("SecurityPolicy_TLS13_1_2")
    assert api["EndpointAccessMode"] == "STRICT"


def test_the_stage_is_logged_traced_and_throttled(default: Template) -> None:
    stage = only(default, STAGE)
    assert (stage["StageName"], stage["TracingEnabled"]) == ("v1", True)
    (every,) = stage["MethodSettings"]
    assert (every["HttpMethod"], every["ResourcePath"]) == ("*", "/*")
    assert (every["ThrottlingRateLimit"], every["ThrottlingBurstLimit"]) == (100, 200)
    assert every["DataTraceEnabled"] is False, "bodies are people's data"
    logged = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"requestId", "status", "httpMethod", "resourcePath"} <= logged.keys()
    assert "user" not in logged


def test_callers_sign_by_default(default: Template) -> None:
    assert {one["AuthorizationType"] for one in resources(default, METHOD).values()} == {"AWS_IAM"}


def test_the_body_is_checked_before_anything_else(default: Template) -> None:
    method, (validator,) = only(default, METHOD), resources(default, VALIDATOR)
    assert only(default, VALIDATOR)["ValidateRequestBody"] is True
    assert method["RequestValidatorId"] == {"Ref": validator}
    (model,) = resources(default, "AWS::ApiGateway::Model")
    assert method["RequestModels"] == {"application/json": {"Ref": model}}
    # Another content type would pass the model by.
    assert method["Integration"]["PassthroughBehavior"] == "NEVER"
    schema = only(default, "AWS::ApiGateway::Model")["Schema"]
    assert (schema["$schema"], schema["required"]) == ("http://json-schema.org/draft-04/schema#", ["name"])


def test_the_body_goes_straight_to_the_queue(default: Template) -> None:
    integration = only(default, METHOD)["Integration"]
    assert integration["RequestTemplates"] == {
        "application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
    }
    assert integration["Type"] == "AWS"
    assert ":sqs:path/" in str(integration["Uri"])


def test_what_sqs_answers_becomes_202_or_503(default: Template) -> None:
    answers = only(default, METHOD)["Integration"]["IntegrationResponses"]
    by_status = {one["StatusCode"]: one for one in answers}
    assert by_status.keys() == {"202", "503"}
    assert re.fullmatch(by_status["202"]["SelectionPattern"], "200")
    assert not re.fullmatch(by_status["202"]["SelectionPattern"], "403")
    # Without a pattern it is the answer to all else.
    assert "SelectionPattern" not in by_status["503"]
    assert json.loads(by_status["202"]["ResponseTemplates"]["application/json"])["id"].startswith("$input.path(")
    problem = json.loads(by_status["503"]["ResponseTemplates"]["application/json"])
    assert (problem["status"], problem["title"]) == (503, "Service Unavailable")


def test_refusals_are_problem_details_that_name_the_rules(default: Template) -> None:
    answers = {one["ResponseType"]: one for one in resources(default, ANSWER).values()}
    assert answers.keys() == {"BAD_REQUEST_BODY", "DEFAULT_4XX", "DEFAULT_5XX"}
    body = json.loads(answers["BAD_REQUEST_BODY"]["ResponseTemplates"]["application/json"])
    assert answers["BAD_REQUEST_BODY"]["StatusCode"] == "400"
    assert (body["status"], body["detail"]) == (400, "$context.error.validationErrorString")
    assert body["rules"] == {"name": "any text"}
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        text = answers[kind]["ResponseTemplates"]["application/json"]
        # The variable comes with its own quotes; the text must be JSON once it is there.
        assert json.loads(text.replace("$context.error.messageString", '"Forbidden"'))["title"] == "Forbidden"


def test_the_worker_drains_the_queue(default: Template) -> None:
    source = only(default, SOURCE)
    (queue,) = [name for name in resources(default, QUEUE) if "DeadLetters" not in name]
    assert source["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert (source["BatchSize"], source["FunctionResponseTypes"]) == (10, ["ReportBatchItemFailures"])


@pytest.mark.parametrize(("timeout", "hidden"), [(30, 180), (1, 6), (900, 5400)])
def test_messages_are_hidden_for_six_times_the_workers_timeout(timeout: int, hidden: int) -> None:
    stack = bare_stack()
    make(stack, timeout=timeout)
    assert {one.get("VisibilityTimeout") for one in resources(stack, QUEUE).values()} == {hidden, None}


def test_the_timeout_of_a_function_made_elsewhere_is_taken_to_be_30_seconds() -> None:
    stack = bare_stack()
    theirs = "arn:aws:lambda:eu-west-1:111122223333:function:theirs"
    make(stack, worker=lambda_.Function.from_function_arn(stack, "Theirs", theirs))
    assert {one.get("VisibilityTimeout") for one in resources(stack, QUEUE).values()} == {180, None}


@pytest.mark.parametrize(
    ("props", "kind", "wanted"),
    [
        ({"path": "v2.orders_in-box"}, "AWS::ApiGateway::Resource", {"PathPart": "v2.orders_in-box"}),
        ({"batch_size": 1}, SOURCE, {"BatchSize": 1}),
        ({"authorization": apigateway.AuthorizationType.NONE}, METHOD, {"AuthorizationType": "NONE"}),
    ],
)
def test_overrides(props: dict[str, Any], kind: str, wanted: dict[str, Any]) -> None:
    stack = bare_stack()
    make(stack, **props)
    found = only(stack, kind)
    assert {prop: found[prop] for prop in wanted} == wanted


def test_limits_of_ones_own() -> None:
    stack = bare_stack()
    make(stack, rate_limit=10_000, burst_limit=5000, max_receive_count=7)
    (every,) = only(stack, STAGE)["MethodSettings"]
    assert (every["ThrottlingRateLimit"], every["ThrottlingBurstLimit"]) == (10_000, 5000)
    (redrive,) = [one["RedrivePolicy"] for one in resources(stack, QUEUE).values() if "RedrivePolicy" in one]
    assert redrive["maxReceiveCount"] == 7


def test_a_key_of_ones_own_encrypts_the_queues() -> None:
    stack = bare_stack()
    make(stack, encryption_key=kms.Key(stack, "Key"))
    (key,) = resources(stack, "AWS::KMS::Key")
    assert [one["KmsMasterKeyId"] for one in resources(stack, QUEUE).values()] == [{"Fn::GetAtt": [key, "Arn"]}] * 2


@pytest.mark.parametrize(
    ("props", "message"),
    [
        (
            {"path": "orders/new"},
            "path: must be one path segment of letters, digits, '.', '_' and '-', got 'orders/new'",
        ),
        ({"path": "{proxy+}"}, "path: must be one path segment of letters, digits, '.', '_' and '-', got '{proxy+}'"),
        ({"path": ""}, "path: must be one path segment of letters, digits, '.', '_' and '-', got ''"),
        ({"rate_limit": 0}, "rate_limit: must be between 1 and 10000, got 0"),
        ({"rate_limit": 10_001}, "rate_limit: must be between 1 and 10000, got 10001"),
        ({"burst_limit": 0}, "burst_limit: must be between 1 and 5000, got 0"),
        ({"burst_limit": 5001}, "burst_limit: must be between 1 and 5000, got 5001"),
        ({"batch_size": 0}, "batch_size: must be between 1 and 10, got 0"),
        ({"batch_size": 11}, "batch_size: must be between 1 and 10, got 11"),
        ({"max_receive_count": 0}, "max_receive_count: must be between 1 and 1000, got 0"),
    ],
)
def test_refusals(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make(bare_stack(), **props)
