"""What must never drift in the fan-out: who gets what, in order where there is one, and who may do what."""

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from journeys.sns_fanout import READS
from tests.repo.policies import many, refers_to
from tests.templates import Template, mutated, resources, scenario_app, synthesized, template

MAPPING, GLOBAL_TABLE = "AWS::Lambda::EventSourceMapping", "AWS::DynamoDB::GlobalTable"
CONSUMERS = {
    "Inventory": {"dynamodb:PutItem"},
    "Shipping": {"dynamodb:PutItem"},
    "Analytics": {"dynamodb:PutItem"},
    "Warehouse": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
    "Storefront": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
}
DRAINS = {
    "kms:Decrypt",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
FILTERS = {
    "OrdersSubscribersInventory": {"event": ["order-placed", "order-cancelled"]},
    "OrdersSubscribersShipping": {
        "event": ["order-placed"],
        "destination": [{"prefix": "EU-"}],
        "weight_kg": [{"numeric": [">=", 0, "<=", 30]}],
    },
    "OrdersSubscribersAnalytics": {
        "total": [{"numeric": [">=", 10000]}],
        "customer": {"tier": ["gold", "silver"]},
    },
    "OrdersUnrouted": {"event": [{"exists": False}]},
    "StockSubscribersWarehouse": None,
    "StockSubscribersStorefront": None,
}


@pytest.fixture
def sns_fanout() -> Template:
    return template("sns-fanout")


def each_gets_what_it_asked_for(made: Template) -> None:
    found = resources(made, "AWS::SNS::Subscription")
    filters = {name.split("Subscription")[0]: one.get("FilterPolicy") for name, one in found.items()}
    assert filters == FILTERS, "somebody hears more or less than it asked for"
    by_body = [name for name, one in found.items() if one.get("FilterPolicyScope") == "MessageBody"]
    assert [name.split("Subscription")[0] for name in by_body] == ["OrdersSubscribersAnalytics"], "bodies are not read"


def stock_is_in_order(made: Template) -> None:
    fifo = {name.split("Topic")[0] for name, one in resources(made, "AWS::SNS::Topic").items() if one.get("FifoTopic")}
    assert fifo == {"Stock"}, "movements of stock lose their order"
    queues = resources(made, "AWS::SQS::Queue")
    assert {name for name, queue in queues.items() if queue.get("FifoQueue")} == {
        name for name in queues if name.startswith("Stock")
    }, "movements of stock lose their order"
    sizes = {name: one["BatchSize"] for name, one in resources(made, MAPPING).items()}
    assert {size for name, size in sizes.items() if "Stock" in name} == {1}, "poison takes others to the dead letters"


def poison_fails_alone(made: Template) -> None:
    mappings = resources(made, MAPPING).values()
    assert len(mappings) == len(CONSUMERS), "a queue is not drained"
    for mapping in mappings:
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], "one poison fails the batch"


def may(made: Template, role: str) -> set[str]:
    """Everything a role may do; only X-Ray's actions on every resource."""
    actions: set[str] = set()
    for policy in resources(made, "AWS::IAM::Policy").values():
        if any(one["Ref"].startswith(role) for one in policy["Roles"]):
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                actions |= set(many(statement["Action"]))
                traces = all(action.startswith("xray:") for action in many(statement["Action"]))
                assert traces or "*" not in many(statement["Resource"]), f"{statement['Action']} on everything"
    return actions


def consumers_may_do_only_this(made: Template) -> None:
    for consumer, records in CONSUMERS.items():
        assert may(made, f"Consumers{consumer}") == DRAINS | records, f"{consumer} may do more or less than it should"


def publisher_may_only_publish(made: Template) -> None:
    actions = may(made, "Publisher")
    assert actions == {"sns:Publish", "kms:Decrypt", "kms:GenerateDataKey*"}, f"the publisher may do {sorted(actions)}"
    (role,) = [one for name, one in resources(made, "AWS::IAM::Role").items() if name.startswith("Publisher")]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert {"Ref": "AWS::AccountId"} in trust["Principal"]["AWS"]["Fn::Join"][1], "another account may publish"


def each_consumer_drains_its_own_queue(made: Template) -> None:
    for name, mapping in resources(made, MAPPING).items():
        (consumer,) = [one for one in CONSUMERS if name.startswith(f"Consumers{one}")]
        (queue,) = [one for one in resources(made, "AWS::SQS::Queue") if f"{consumer}MessagesQueue" in one]
        assert refers_to(mapping["EventSourceArn"], queue), f"{consumer} drains another's queue"


def records_outlive_the_stack(made: Template) -> None:
    (table,) = [one for one in made["Resources"].values() if one["Type"] == GLOBAL_TABLE]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain", "records leave with the stack"
    (replica,) = table["Properties"]["Replicas"]
    assert replica["DeletionProtectionEnabled"] is True, "records can be deleted by mistake"
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, "no way back in time"


HOLDS = (
    each_gets_what_it_asked_for,
    stock_is_in_order,
    poison_fails_alone,
    consumers_may_do_only_this,
    publisher_may_only_publish,
    each_consumer_drains_its_own_queue,
    records_outlive_the_stack,
)
STATEMENT: list[str | int] = ["PolicyDocument", "Statement", 0]
REPLICA: list[str | int] = ["Replicas", 0]
MUTATIONS: list[tuple[Callable[[Template], None], str, list[str | int], Any, str]] = [
    (each_gets_what_it_asked_for, "AWS::SNS::Subscription", ["FilterPolicy"], None, "more or less"),
    (each_gets_what_it_asked_for, "AWS::SNS::Subscription", ["FilterPolicyScope"], "MessageBody", "not read"),
    (stock_is_in_order, "AWS::SNS::Topic", ["FifoTopic"], None, "lose their order"),
    (stock_is_in_order, "AWS::SQS::Queue", ["FifoQueue"], None, "lose their order"),
    (stock_is_in_order, MAPPING, ["BatchSize"], 10, "takes others"),
    (poison_fails_alone, MAPPING, ["FunctionResponseTypes"], [], "fails the batch"),
    (consumers_may_do_only_this, "AWS::IAM::Policy", [*STATEMENT, "Action"], "dynamodb:*", "more or less"),
    (consumers_may_do_only_this, "AWS::IAM::Policy", [*STATEMENT, "Resource"], "*", "on everything"),
    (publisher_may_only_publish, "AWS::IAM::Policy", [*STATEMENT, "Action"], "sns:*", "the publisher may do"),
    (publisher_may_only_publish, "AWS::IAM::Policy", [*STATEMENT, "Resource"], "*", "on everything"),
    (
        publisher_may_only_publish,
        "AWS::IAM::Role",
        ["AssumeRolePolicyDocument", "Statement", 0, "Principal"],
        {"AWS": {"Fn::Join": ["", ["arn:aws:iam::123456789012:root"]]}},
        "another account",
    ),
    (each_consumer_drains_its_own_queue, MAPPING, ["EventSourceArn"], {"Ref": "Other"}, "another's queue"),
    (records_outlive_the_stack, GLOBAL_TABLE, [*REPLICA, "DeletionProtectionEnabled"], False, "by mistake"),
    (
        records_outlive_the_stack,
        GLOBAL_TABLE,
        [*REPLICA, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"],
        False,
        "no way back",
    ),
]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(sns_fanout: Template, holds: Callable[[Template], None]) -> None:
    holds(sns_fanout)


@pytest.mark.parametrize(("holds", "kind", "path", "value", "says"), MUTATIONS)
def test_and_would_be_missed(
    sns_fanout: Template, holds: Callable[[Template], None], kind: str, path: list[str | int], value: Any, says: str
) -> None:
    mutant = mutated(sns_fanout, kind, path, value)
    with pytest.raises(AssertionError, match=says):
        holds(mutant)


def test_without_retention_records_leave_with_the_stack() -> None:
    stack = scenario_app("sns-fanout", retain="false").node.find_child("SnsFanout")
    assert isinstance(stack, cdk.Stack)
    made = synthesized(stack)
    with pytest.raises(AssertionError, match="records leave with the stack"):
        records_outlive_the_stack(made)
    kept = [name for name, one in made["Resources"].items() if one.get("DeletionPolicy") == "Retain"]
    assert kept == [], "something stays behind that nobody wants"


def test_the_outputs_are_what_the_journey_reads(sns_fanout: Template) -> None:
    assert set(READS) <= sns_fanout["Outputs"].keys()
