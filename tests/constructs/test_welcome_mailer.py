"""Who is mailed, by whom, and where failures end."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ses as ses

from constructs_lib import GlobalTable, WelcomeMailer
from tests.repo import guards_operations, guards_security
from tests.repo.policies import identity_statements, many
from tests.templates import bare_stack, only, resources, synthesized

SOURCE = "AWS::Lambda::EventSourceMapping"


def mailer(stack: cdk.Stack, name: str = "Welcome", **props: Any) -> WelcomeMailer:
    table = GlobalTable(stack, f"{name}Table", partition_key="email", stream=True).table
    given = {"table": table, "sender": "news@example.com", "site_url": "https://www.example.com", **props}
    return WelcomeMailer(stack, name, **given)


def test_inserts_alone_are_handled_one_by_one_and_failures_end_somewhere() -> None:
    stack = bare_stack()
    made = mailer(stack)
    source = only(stack, SOURCE)
    assert [json.loads(one["Pattern"]) for one in source["FilterCriteria"]["Filters"]] == [{"eventName": ["INSERT"]}]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BisectBatchOnFunctionError"] is True
    assert source["StartingPosition"] == "TRIM_HORIZON", "whoever subscribed before the mailer was there is forgotten"
    assert source["MaximumRetryAttempts"] == 10
    queue = stack.resolve(made.failure_queue.queue_arn)
    assert source["DestinationConfig"] == {"OnFailure": {"Destination": queue}}


def test_it_may_mail_as_its_sender_alone() -> None:
    stack = bare_stack()
    made = mailer(stack)
    assert only(stack, "AWS::SES::EmailIdentity")["EmailIdentity"] == "news@example.com"
    sending = [
        statement
        for _, statement in identity_statements(synthesized(stack))
        if any(str(action).startswith("ses:") for action in many(statement["Action"]))
    ]
    assert [one["Action"] for one in sending] == ["ses:SendEmail"]
    (resource,) = [one["Resource"] for one in sending]
    assert stack.resolve(made.identity.email_identity_name) in resource["Fn::Join"][1], resource


def test_an_identity_can_be_brought() -> None:
    stack = bare_stack()
    brought = ses.EmailIdentity.from_email_identity_name(stack, "Brought", "example.com")
    assert mailer(stack, identity=brought).identity is brought
    assert resources(stack, "AWS::SES::EmailIdentity") == {}


def test_the_function_is_told_what_it_needs() -> None:
    stack = bare_stack()
    made = mailer(stack)
    variables = only(stack, "AWS::Lambda::Function")["Environment"]["Variables"]
    assert (variables["SENDER"], variables["SITE_URL"]) == ("news@example.com", "https://www.example.com")
    assert variables["IDEMPOTENCY_TABLE"] == stack.resolve(made.handled.table_name)
    (handled,) = [one for name, one in resources(stack, "AWS::DynamoDB::GlobalTable").items() if "Handled" in name]
    assert handled["TimeToLiveSpecification"] == {"AttributeName": "expiration", "Enabled": True}


def test_two_in_one_stack_with_alarms() -> None:
    stack = bare_stack()
    made = [mailer(stack, name) for name in ("One", "Two")]
    assert [len(one.alarms) for one in made] == [4, 4]
    template = synthesized(stack)
    age = [one for one in resources(template, "AWS::CloudWatch::Alarm").values() if one["MetricName"] == "IteratorAge"]
    assert {one["Threshold"] for one in age} == {15 * 60 * 1000}
    heard = [guard for guard in guards_operations.GUARDS if guard.__name__ != "alarms_are_heard"]
    assert [said for guard in (*guards_security.GUARDS, *heard) for said in guard(template)] == []


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"sender": "news"}, "sender: must be one address like 'news@example.com', got 'news'"),
        ({"sender": "a@example.com, b@example.com"}, "sender: must be one address"),
        ({"site_url": "http://example.com"}, "site_url: must be an https:// URL, got 'http://example.com'"),
        ({"retry_attempts": -1}, "retry_attempts: must be between 0 and 10000, got -1"),
    ],
)
def test_refusals(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mailer(bare_stack(), **props)


def test_a_table_imported_without_its_stream_is_refused() -> None:
    stack = bare_stack()
    table = dynamodb.TableV2.from_table_name(stack, "Mute", "mute")
    with pytest.raises(ValueError, match="table: must have a stream of new images, got Test/Mute without one"):
        mailer(stack, table=table)
