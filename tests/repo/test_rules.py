"""Every finding is acknowledged, at one resource, with a reason; and what no longer finds anything is gone."""

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs

from constructs_lib._acknowledge import acknowledge
from tests.repo.lint import ACCEPTED_LINT, Lint, lints, lints_of
from tests.repo.rules import Review, review, verdict_of
from tests.templates import NO_BUNDLING, resources, scenarios, scratch, template

REASON = "It is the dead-letter queue of another one, which the rule cannot see."


@pytest.mark.parametrize("key", scenarios())
def test_cdk_nag_has_nothing_left_to_say(key: str) -> None:
    assert verdict_of(key).problems == []


@pytest.mark.parametrize("key", scenarios())
def test_cdk_nag_looked(key: str) -> None:
    packs = {"AwsSolutions"} | ({"Serverless"} if resources(template(key), "AWS::Lambda::Function") else set())
    assert {rule.split("-")[0] for rule in verdict_of(key).rules} == packs


@pytest.mark.parametrize("key", scenarios())
def test_cfn_lint_has_nothing_left_to_say(key: str) -> None:
    assert [found.message for found in lints_of(key) if not found.accepted] == []


def test_every_accepted_lint_is_still_found() -> None:
    found = {(one.rule, one.resource_type) for key in scenarios() for one in lints_of(key)}
    assert set(ACCEPTED_LINT) <= found, "delete what cfn-lint no longer finds"


def _queues(say: Callable[[cdk.Stack, sqs.Queue], None]) -> Review:
    """One queue without dead letters: Serverless-SQSRedrivePolicy and AwsSolutions-SQS3 find it."""

    def app() -> cdk.App:
        made = cdk.App(context=NO_BUNDLING, outdir=str(scratch()))
        stack = cdk.Stack(made, "S")
        queue = sqs.Queue(stack, "Q", enforce_ssl=True)
        acknowledge(queue, {"Serverless-SQSRedrivePolicy": REASON})
        say(stack, queue)
        return made

    return review(app)


@pytest.mark.parametrize(
    ("say", "problem"),
    [
        pytest.param(
            lambda stack, queue: None, "S/Q/Resource: AwsSolutions-SQS3 is found and not acknowledged", id="silence"
        ),
        pytest.param(
            lambda stack, queue: acknowledge(queue, {"AwsSolutions-SQS3": REASON, "AwsSolutions-SQS4": REASON}),
            "S/Q: the acknowledgement of AwsSolutions-SQS4 matches no finding; delete it, or mend the rule's name",
            id="stale",
        ),
        pytest.param(
            lambda stack, queue: acknowledge(queue, {"AwsSolutions-SQS3": REASON, "awssolutions-SQS3": REASON}),
            "S/Q: the acknowledgement of awssolutions-SQS3 matches no finding; delete it, or mend the rule's name",
            id="misspelt",
        ),
        pytest.param(
            lambda stack, queue: acknowledge(stack, {"AwsSolutions-SQS3": REASON}),
            "S: the acknowledgement of AwsSolutions-SQS3 covers 1 resources; acknowledge each by itself",
            id="on the stack",
        ),
        pytest.param(
            lambda stack, queue: acknowledge(queue, {"AwsSolutions-SQS3": "Not needed here."}),
            "S/Q: the acknowledgement of AwsSolutions-SQS3 must give its reason in a sentence, got 'Not needed here.'",
            id="no reason",
        ),
    ],
)
def test_what_is_wrong_is_said(say: Callable[[cdk.Stack, sqs.Queue], None], problem: str) -> None:
    assert _queues(say).problems() == [problem]


def test_what_is_right_is_left_alone() -> None:
    right = _queues(lambda stack, queue: acknowledge(queue, {"AwsSolutions-SQS3": REASON}))
    assert (right.problems(), len(right.findings)) == ([], 2)


def test_one_acknowledgement_for_two_resources_is_refused() -> None:
    def add(stack: cdk.Stack, queue: sqs.Queue) -> None:
        for construct_id in ("Below", "Beside"):
            made = sqs.Queue(queue, construct_id, enforce_ssl=True)
            acknowledge(made, {"Serverless-SQSRedrivePolicy": REASON})
        acknowledge(queue, {"AwsSolutions-SQS3": REASON})

    problems = _queues(add).problems()
    assert "S/Q: the acknowledgement of AwsSolutions-SQS3 covers 3 resources; acknowledge each by itself" in problems


def test_cfn_lint_finds_a_broken_template() -> None:
    broken = {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": "long"}}}}
    assert [(found.rule, found.resource_type, found.accepted) for found in lints(broken)] == [
        ("E3012", "AWS::SQS::Queue", False)
    ]


def test_a_lint_is_accepted_for_its_resource_type_alone() -> None:
    (rule, resource_type), *_ = ACCEPTED_LINT
    assert Lint(rule, resource_type, "").accepted
    assert not Lint(rule, "AWS::SQS::Queue", "").accepted
