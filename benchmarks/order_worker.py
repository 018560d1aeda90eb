"""The order worker's cost per message against the two bare boto3 calls that do the same without any care.

Both run real boto3 (serialization, signing, parsing) against answers given in process, so that no network blurs it.
"""

import functools
import json
import logging
import os
import sys
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders

from benchmarks._measure import ROOT, in_turns

_BATCH = 10
_ANSWERS = {
    "dynamodb": b"{}",
    "sns": b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m</MessageId>'
    b"</PublishResult></PublishResponse>",
}


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._body

    def read(self, *_: Any, **__: Any) -> bytes:
        return self._body


class _Context(LambdaContext):
    _function_name, _memory_limit_in_mb, _aws_request_id, _invoked_function_arn = "worker", 256, "r", "arn:aws:f"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 10_000


def _client(service: str, **_: Any) -> Any:
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="eu-west-1")  # noqa: S106
    made = session.client(service)  # type: ignore[call-overload]

    def answer(request: AWSRequest, **_: Any) -> AWSResponse:
        return AWSResponse(str(request.url), 200, HTTPHeaders(), _Raw(_ANSWERS[service]))

    made.meta.events.register("before-send", answer)
    return made


def measure(*, rounds: int = 30) -> dict[str, Any]:
    """Microseconds per message of both, and their ratio."""
    sys.path.insert(0, str(ROOT / "lambda_src"))
    os.environ |= {"ORDERS_TABLE": "orders", "IDEMPOTENCY_TABLE": "handled", "NOTICES_TOPIC_ARN": "arn:aws:sns:x:1:t"}
    os.environ |= {"POWERTOOLS_METRICS_NAMESPACE": "Bench", "POWERTOOLS_TRACE_DISABLED": "true"}
    os.environ |= {"POWERTOOLS_SERVICE_NAME": "bench", "POWERTOOLS_LOG_LEVEL": "CRITICAL", "AWS_DEFAULT_REGION": "x"}
    from order_worker import handler as worker  # noqa: PLC0415 - Powertools reads the environment at import
    from order_worker.intake import Intake  # noqa: PLC0415
    from order_worker.settings import Settings  # noqa: PLC0415

    dynamodb, sns = _client("dynamodb"), _client("sns")
    intake = Intake(Settings(), dynamodb, sns)
    worker._intake = functools.cache(lambda: intake)
    logging.disable(logging.CRITICAL)
    orders = [{"orderId": f"o-{number}", "item": "tea", "quantity": 1} for number in range(_BATCH)]
    event = {"Records": [_record(number, order) for number, order in enumerate(orders)]}

    def bare() -> None:
        for order in orders:
            item = {
                "orderId": {"S": order["orderId"]},
                "item": {"S": order["item"]},
                "quantity": {"N": str(order["quantity"])},
            }
            dynamodb.put_item(TableName="orders", Item=item)
            sns.publish(TopicArn="arn:aws:sns:x:1:t", Message=json.dumps(order))

    def ours() -> None:
        answer = worker.handler(event, _Context())
        if answer["batchItemFailures"]:
            raise RuntimeError(f"the benchmark's orders failed: {answer}")

    stdout, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: PTH123, SIM115 - metrics are printed
    try:
        in_turns({"bare boto3 calls": bare, "order worker": ours}, rounds=3)
        seconds = in_turns({"bare boto3 calls": bare, "order worker": ours}, rounds=rounds)
    finally:
        sys.stdout.close()
        sys.stdout = stdout
        logging.disable(logging.NOTSET)
    return {
        name: {
            "microseconds per message": round(taken / _BATCH * 1e6),
            "times the bare calls": round(taken / seconds["bare boto3 calls"], 2),
        }
        for name, taken in seconds.items()
    }


def _record(number: int, order: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": f"m-{number}",
        "receiptHandle": f"r-{number}",
        "body": json.dumps(order),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders",
        "attributes": {},
        "messageAttributes": {},
    }
