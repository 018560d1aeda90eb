"""What must never drift in the order queue: who may call, what is checked at the edge, what the worker may do."""

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.templates import Template, template


@pytest.fixture
def order_queue() -> Template:
    return template("order-queue")


def of_type(made: Template, kind: str) -> list[dict[str, Any]]:
    return [resource for resource in made["Resources"].values() if resource["Type"] == kind]


def post_is_signed_and_checked(made: Template) -> None:
    (method,) = of_type(made, "AWS::ApiGateway::Method")
    assert method["Properties"]["AuthorizationType"] == "AWS_IAM", "anybody could post"
    assert "RequestValidatorId" in method["Properties"], "the body would not be checked"
    (validator,) = of_type(made, "AWS::ApiGateway::RequestValidator")
    assert validator["Properties"]["ValidateRequestBody"] is True, "the body would not be checked"
    (model,) = of_type(made, "AWS::ApiGateway::Model")
    assert model["Properties"]["Schema"]["additionalProperties"] is False, "unknown fields would pass"


def post_goes_straight_to_the_queue(made: Template) -> None:
    (method,) = of_type(made, "AWS::ApiGateway::Method")
    integration = method["Properties"]["Integration"]
    assert integration["Type"] == "AWS", "a function stands in front of the queue"
    assert ":sqs:path/" in str(integration["Uri"]), "it does not go to SQS"
    statuses = {response["StatusCode"] for response in integration["IntegrationResponses"]}
    assert statuses == {"202", "503"}, f"an answer of SQS is mistaken for another: {statuses}"


def only_tls(made: Template) -> None:
    (api,) = of_type(made, "AWS::ApiGateway::RestApi")
    assert re.match("SecurityPolicy_TLS13_1_[23]", api["Properties"]["SecurityPolicy"]), "TLS 1.0 would be spoken"


def the_worker_may_do_only_this(made: Template) -> None:
    (policy,) = [found for found in of_type(made, "AWS::IAM::Policy") if "Worker" in str(found["Properties"]["Roles"])]
    may: set[str] = set()
    for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
        actions = statement["Action"]
        may |= {actions} if isinstance(actions, str) else set(actions)
        only_xray = all(action.startswith("xray:") for action in actions)
        assert only_xray or statement["Resource"] != "*", f"{actions} on everything"
    assert may == {
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "kms:Decrypt",
        "kms:GenerateDataKey*",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sns:Publish",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }, f"the worker may do other things than it should: {sorted(may)}"


def poison_cannot_loop(made: Template) -> None:
    (mapping,) = of_type(made, "AWS::Lambda::EventSourceMapping")
    assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"], "one poison fails the batch"
    redriven = [queue["Properties"].get("RedrivePolicy") for queue in of_type(made, "AWS::SQS::Queue")]
    assert [policy["maxReceiveCount"] for policy in redriven if policy] == [3], "poison would be delivered for ever"


def orders_outlive_the_stack(made: Template) -> None:
    (orders,) = [made["Resources"][name] for name in made["Resources"] if name.startswith("Orders")]
    assert orders["DeletionPolicy"] == orders["UpdateReplacePolicy"] == "Retain", "orders leave with the stack"
    (replica,) = orders["Properties"]["Replicas"]
    assert replica["DeletionProtectionEnabled"] is True, "orders can be deleted by mistake"
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, (
        "no point-in-time recovery"
    )


MUTATIONS: list[tuple[Callable[[Template], None], str, list[str | int], Any, str]] = [
    (post_is_signed_and_checked, "AWS::ApiGateway::Method", ["AuthorizationType"], "NONE", "anybody could post"),
    (post_is_signed_and_checked, "AWS::ApiGateway::RequestValidator", ["ValidateRequestBody"], False, "not be checked"),
    (post_is_signed_and_checked, "AWS::ApiGateway::Model", ["Schema", "additionalProperties"], True, "unknown fields"),
    (post_goes_straight_to_the_queue, "AWS::ApiGateway::Method", ["Integration", "Type"], "AWS_PROXY", "in front"),
    (only_tls, "AWS::ApiGateway::RestApi", ["SecurityPolicy"], "TLS_1_0", "TLS 1.0"),
    (poison_cannot_loop, "AWS::Lambda::EventSourceMapping", ["FunctionResponseTypes"], [], "fails the batch"),
    (
        the_worker_may_do_only_this,
        "AWS::IAM::Policy",
        ["PolicyDocument", "Statement", 2, "Action"],
        "dynamodb:*",
        "other",
    ),
    (
        the_worker_may_do_only_this,
        "AWS::IAM::Policy",
        ["PolicyDocument", "Statement", 2, "Resource"],
        "*",
        "everything",
    ),
]


@pytest.mark.parametrize(
    "holds",
    [
        post_is_signed_and_checked,
        post_goes_straight_to_the_queue,
        only_tls,
        the_worker_may_do_only_this,
        poison_cannot_loop,
        orders_outlive_the_stack,
    ],
)
def test_it_holds(order_queue: Template, holds: Callable[[Template], None]) -> None:
    holds(order_queue)


@pytest.mark.parametrize(("holds", "kind", "path", "value", "says"), MUTATIONS)
def test_and_would_be_missed(
    order_queue: Template, holds: Callable[[Template], None], kind: str, path: list[str | int], value: Any, says: str
) -> None:
    mutant = copy.deepcopy(order_queue)
    for resource in of_type(mutant, kind):
        spot: Any = resource["Properties"]
        for step in path[:-1]:
            spot = spot[step] if isinstance(step, str) or len(spot) > step else {}
        spot[path[-1]] = value
    with pytest.raises(AssertionError, match=says):
        holds(mutant)


def test_without_retention_orders_leave_with_the_stack(order_queue: Template) -> None:
    mutant = copy.deepcopy(order_queue)
    for resource in of_type(mutant, "AWS::DynamoDB::GlobalTable"):
        resource["DeletionPolicy"] = "Delete"
    with pytest.raises(AssertionError, match="orders leave with the stack"):
        orders_outlive_the_stack(mutant)


def test_the_shop_may_only_post(order_queue: Template) -> None:
    (policy,) = [
        found for found in of_type(order_queue, "AWS::IAM::Policy") if "Shop" in str(found["Properties"]["Roles"])
    ]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    assert "/POST/orders" in str(statement["Resource"])
