"""The to-do API's cost per request and at a cold start, against a handler that does the same without any care.

Both run real boto3 (serialization, signing, parsing) against answers given in process, so that no network blurs it.
"""

import functools
import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders

from benchmarks._measure import ROOT, in_turns, run

_ID = "0" * 32
_ITEM = {
    "user": {"S": "ada"},
    "id": {"S": _ID},
    "title": {"S": "tea"},
    "done": {"BOOL": False},
    "version": {"N": "1"},
    "created": {"S": "2026-11-21T12:00:00+00:00"},
}
_VARIABLES = {
    "TABLE_NAME": "todos",
    "USER_POOL_CLIENT_ID": "app",
    "POWERTOOLS_METRICS_NAMESPACE": "Bench",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "AWS_DEFAULT_REGION": "x",
}


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._body


class _Context(LambdaContext):
    _function_name, _memory_limit_in_mb, _aws_request_id, _invoked_function_arn = "todos", 512, "r", "arn:aws:f"


def _dynamodb() -> Any:
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="eu-west-1")  # noqa: S106
    made: Any = session.client("dynamodb")

    def answer(request: AWSRequest, **_: Any) -> AWSResponse:
        found = {"Item": _ITEM} if b"GetItem" in request.headers["X-Amz-Target"] else {}
        return AWSResponse(str(request.url), 200, HTTPHeaders(), _Raw(json.dumps(found).encode()))

    made.meta.events.register("before-send", answer)
    return made


def measure(*, rounds: int = 60) -> dict[str, Any]:
    """Milliseconds of a cold import and microseconds of a warm request of both, and their ratios."""
    cold = _cold_imports()
    warm = {**_warm("read", "GET", rounds), **_warm("add", "POST", rounds)}
    return {**cold, **warm}


def _cold_imports() -> dict[str, dict[str, float]]:
    # Both bring boto3, which Lambda has: what is compared is what our handler adds to it.
    environment = {**os.environ, **_VARIABLES, "PYTHONPATH": str(ROOT / "lambda_src")}
    seconds = in_turns(
        {
            f"cold import, {name}": functools.partial(run, [sys.executable, "-c", code], env=environment)
            for name, code in (
                ("nothing", "pass"),
                ("bare handler", "import json, boto3; boto3.client('dynamodb')"),
                ("to-do API", "import boto3; import todo_api.handler; boto3.client('dynamodb')"),
            )
        },
        rounds=7,
    )
    start = seconds.pop("cold import, nothing")
    taken = {name: each - start for name, each in seconds.items()}
    bare = taken["cold import, bare handler"]
    return {
        name: {"milliseconds": round(each * 1000), "times the bare handler": round(each / bare, 2)}
        for name, each in taken.items()
    }


def _warm(what: str, method: str, rounds: int) -> dict[str, dict[str, float]]:
    sys.path.insert(0, str(ROOT / "lambda_src"))
    os.environ |= _VARIABLES
    from todo_api import handler as api  # noqa: PLC0415 - Powertools reads the environment at import
    from todo_api.connection import Connection  # noqa: PLC0415
    from todo_api.store import Store  # noqa: PLC0415

    dynamodb = _dynamodb()
    store = Store("todos", Connection(dynamodb))
    api._store = functools.cache(lambda: store)
    event, wanted = _event(method), {"GET": 200, "POST": 201}[method]

    def ours() -> None:
        answer = api.handler(event, _Context())
        if answer["statusCode"] != wanted:
            raise RuntimeError(f"the benchmark's request failed: {answer}")

    candidates: dict[str, Callable[[], Any]] = {
        f"{what}, bare handler": functools.partial(_bare, dynamodb, event),
        f"{what}, to-do API": ours,
    }
    logging.disable(logging.CRITICAL)
    try:
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123 - metrics are printed
            in_turns(candidates, rounds=5)
            seconds = in_turns(candidates, rounds=rounds)
    finally:
        logging.disable(logging.NOTSET)
    bare = seconds[f"{what}, bare handler"]
    return {
        name: {"microseconds": round(taken * 1e6), "times the bare handler": round(taken / bare, 2)}
        for name, taken in seconds.items()
    }


def _bare(dynamodb: Any, event: dict[str, Any]) -> dict[str, Any]:
    """What one writes in ten minutes: no validation, no versions, no refusals, no logs."""
    user = event["requestContext"]["authorizer"]["claims"]["sub"]
    if event["httpMethod"] == "GET":
        key = {"user": {"S": user}, "id": {"S": event["path"].rsplit("/", 1)[-1]}}
        item = dynamodb.get_item(TableName="todos", Key=key)["Item"]
        plain = {name: next(iter(value.values())) for name, value in item.items()}
        return {"statusCode": 200, "body": json.dumps(plain)}
    todo = json.loads(event["body"])
    dynamodb.put_item(TableName="todos", Item={"user": {"S": user}, "id": {"S": _ID}, "title": {"S": todo["title"]}})
    return {"statusCode": 201, "body": json.dumps({"id": _ID, **todo})}


def _event(method: str) -> dict[str, Any]:
    path = "/todos" if method == "POST" else f"/todos/{_ID}"
    headers = {"Content-Type": "application/json"}
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {
            "authorizer": {"claims": {"sub": "ada", "aud": "app", "token_use": "id"}},
            "requestId": "r",
            "stage": "v1",
        },
        "body": json.dumps({"title": "tea"}) if method == "POST" else None,
        "isBase64Encoded": False,
    }
