"""A function that drains a queue: what it may do, at which pace, and that no message is worked on twice at once."""

import aws_cdk as cdk
import pytest
from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_

from constructs_lib import PythonFunction, QueueWithDlq
from tests.repo.policies import identity_statements
from tests.templates import bare_stack, only, resources, synthesized

QUEUE, SOURCE = "AWS::SQS::Queue", "AWS::Lambda::EventSourceMapping"


def _worker(stack: cdk.Stack, seconds: int = 30) -> PythonFunction:
    return PythonFunction(stack, "Worker", package="order_worker", timeout=Duration.seconds(seconds))


def test_a_consumer_reports_the_messages_that_failed() -> None:
    stack = bare_stack()
    QueueWithDlq(stack, "Jobs").add_consumer(_worker(stack).function)
    source = only(stack, SOURCE)
    assert (source["BatchSize"], source["FunctionResponseTypes"]) == (10, ["ReportBatchItemFailures"])
    assert "ScalingConfig" not in source


def test_a_consumer_of_ones_own_pace() -> None:
    stack = bare_stack()
    QueueWithDlq(stack, "Jobs").add_consumer(_worker(stack).function, batch_size=1, max_concurrency=2)
    source = only(stack, SOURCE)
    assert (source["BatchSize"], source["ScalingConfig"]) == (1, {"MaximumConcurrency": 2})


def test_a_consumer_may_read_this_queue_and_its_key_alone() -> None:
    stack = bare_stack()
    jobs = QueueWithDlq(stack, "Jobs", encryption_key=kms.Key(stack, "Key"))
    jobs.add_consumer(_worker(stack).function)
    template = synthesized(stack)
    (key,) = resources(template, "AWS::KMS::Key")
    (queue,) = [name for name in resources(template, QUEUE) if "DeadLetters" not in name]
    allowed = {
        str(action): one["Resource"]
        for _, one in identity_statements(template)
        for action in (one["Action"] if isinstance(one["Action"], list) else [one["Action"]])
    }
    assert {action for action in allowed if action.startswith("sqs:")} == {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
    }
    assert allowed["sqs:ReceiveMessage"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert allowed["kms:Decrypt"] == {"Fn::GetAtt": [key, "Arn"]}


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"batch_size": 0}, "batch_size: must be between 1 and 10, got 0"),
        ({"batch_size": 11}, "batch_size: must be between 1 and 10, got 11"),
        ({"max_concurrency": 1}, "max_concurrency: must be between 2 and 1000, got 1"),
        ({"max_concurrency": 1001}, "max_concurrency: must be between 2 and 1000, got 1001"),
    ],
)
def test_a_consumer_out_of_range_is_refused(props: dict[str, int], message: str) -> None:
    stack = bare_stack()
    with pytest.raises(ValueError, match=f"^{message}$"):
        QueueWithDlq(stack, "Jobs").add_consumer(_worker(stack).function, **props)


def test_messages_are_hidden_for_six_times_the_workers_timeout() -> None:
    stack = bare_stack()
    rule = "must be at least 186 seconds, six times the timeout of Test/Worker/Function"
    with pytest.raises(ValueError, match=f"^visibility_timeout: {rule}, got 180 seconds$"):
        QueueWithDlq(stack, "Jobs").add_consumer(_worker(stack, seconds=31).function)


@pytest.mark.parametrize("seconds", [30, None], ids=["just right", "of a function made elsewhere"])
def test_a_timeout_that_fits_or_is_unknown_passes(seconds: int | None) -> None:
    stack = bare_stack()
    known = "arn:aws:lambda:eu-west-1:111122223333:function:theirs"
    worker = _worker(stack, seconds).function if seconds else lambda_.Function.from_function_arn(stack, "Theirs", known)
    QueueWithDlq(stack, "Jobs").add_consumer(worker)
    assert only(stack, SOURCE)["BatchSize"] == 10
