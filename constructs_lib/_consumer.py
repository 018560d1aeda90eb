"""A function that drains a queue: partial batch failures, and no message delivered again while it is worked on."""

from aws_cdk import Duration, Names
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs

from constructs_lib._acknowledge import acknowledge
from constructs_lib._checks import in_range

# Source: AWS Lambda developer guide, "Using Lambda with Amazon SQS": six times the function's timeout; quotas.
VISIBILITY_PER_TIMEOUT = 6
_MAX_BATCH = 10
_MIN_CONCURRENCY, _MAX_CONCURRENCY = 2, 1000


def consume(
    queue: sqs.Queue,
    function: lambda_.IFunction,
    *,
    visibility: Duration,
    batch_size: int,
    max_concurrency: int | None,
    visibility_prop: str = "visibility_timeout",
) -> None:
    """Make the function an SQS consumer, and say why the rules about other kinds of invocation do not apply.

    Raises:
        ValueError: ``batch_size`` (1-10) or ``max_concurrency`` (2-1000) is out of range, or ``visibility`` is shorter
            than six times the function's timeout.
    """
    in_range("batch_size", batch_size, 1, _MAX_BATCH)
    if max_concurrency is not None:
        in_range("max_concurrency", max_concurrency, _MIN_CONCURRENCY, _MAX_CONCURRENCY)
    timeout = function.timeout if isinstance(function, lambda_.Function) else None
    if timeout and not timeout.is_unresolved() and not visibility.is_unresolved():
        needed = VISIBILITY_PER_TIMEOUT * timeout.to_seconds()
        if visibility.to_seconds() < needed:
            rule = f"must be at least {needed:.15g} seconds, six times the timeout of {function.node.path}"
            raise ValueError(f"{visibility_prop}: {rule}, got {visibility.to_seconds():.15g} seconds")
    function.add_event_source(
        event_sources.SqsEventSource(
            queue, batch_size=batch_size, max_concurrency=max_concurrency, report_batch_item_failures=True
        )
    )
    redrives = "SQS knows no failure destination: the queue itself redrives to its dead letters."
    acknowledge(
        function.node.find_child(f"SqsEventSource:{Names.node_unique_id(queue.node)}"),
        {"Serverless-LambdaEventSourceMappingDestination": redrives},
    )
    polled = "SQS is polled, so failures end in the queue's dead letters; one of the function's own would stay empty."
    acknowledge(function, {"Serverless-LambdaDLQ": polled})
