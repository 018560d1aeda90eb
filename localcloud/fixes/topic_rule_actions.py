"""Topic rules of AWS IoT put messages into Kinesis streams and S3 buckets, under the action's role.

Without this fix the emulator skips both actions silently, also as a rule's error action, and drops a message that is
not UTF-8 where the rule selects `*`. With it a role that may not write fails the action, and the error action gets the
message.
"""

import base64
import json
import re
from contextvars import ContextVar
from typing import Any

from localcloud import roles
from localcloud.internals import need

_EXPRESSION = re.compile(r"\$\{([^}]*)\}")
_message: ContextVar[tuple[str, bytes, str | None]] = ContextVar("message")
"""Topic, payload and client of the message whose rule runs."""


def apply() -> None:
    """Wrap the reading of a message and the dispatch of an action."""
    iot = need(
        "services.iot",
        *("_dispatch_rule_action", "_rule_event", "_rule_select_clause", "_split_select_items", "_MISSING"),
        "_RULE_ACTION_RESOURCE_KEYS",
    )
    scope = need("core.responses", "request_scope").request_scope
    pin_origin = need("core.iam_evaluator", "pin_request_origin").pin_request_origin
    dispatch, event_of = iot._dispatch_rule_action, iot._rule_event

    def read(sql: str, topic: str, payload: bytes, client_id: str | None = None, **more: Any) -> Any:
        _message.set((topic, payload or b"", client_id))
        event = event_of(sql, topic, payload, client_id, **more)
        everything = iot._split_select_items(iot._rule_select_clause(sql)) == ["*"]
        return payload if event is iot._MISSING and everything else event

    async def dispatched(account: str, region: str, rule: str, action: dict[str, Any], event: Any) -> None:
        if not {"kinesis", "s3"} & set(action):
            await dispatch(account, region, rule, action, event)
            return
        # What AWS's services do for themselves comes over TLS, though no request brought it here.
        pin_origin("127.0.0.1", True)
        with scope(account, region):
            if "kinesis" in action:
                _to_stream(account, region, action["kinesis"], _body(event))
            else:
                await _to_bucket(action["s3"], _body(event))

    iot._RULE_ACTION_RESOURCE_KEYS.update(kinesis=("streamName",), s3=("bucketName",))
    vars(iot).update(_rule_event=read, _dispatch_rule_action=dispatched)


def _to_stream(account: str, region: str, spec: dict[str, Any], body: bytes) -> None:
    arn = f"arn:aws:kinesis:{region}:{account}:stream/{spec['streamName']}"
    _demand(spec["roleArn"], "kinesis:PutRecord", arn)
    record = {"StreamName": spec["streamName"], "PartitionKey": _filled(spec.get("partitionKey") or "${newuuid()}")}
    put = need("services.kinesis", "_put_record")._put_record
    status, _headers, answer = put(record | {"Data": base64.b64encode(body).decode()})
    if status >= 400:  # noqa: PLR2004
        raise RuntimeError(f"PutRecord to {arn}: {answer!r}")


async def _to_bucket(spec: dict[str, Any], body: bytes) -> None:
    key = _filled(spec["key"])
    _demand(spec["roleArn"], "s3:PutObject", f"arn:aws:s3:::{spec['bucketName']}/{key}")
    headers = {"content-length": str(len(body)), "host": "s3.localhost"}
    handle = need("services.s3", "handle_request").handle_request
    answer = await handle("PUT", f"/{spec['bucketName']}/{key}", headers, body, {}, internal=True)
    if answer[0] >= 400:  # noqa: PLR2004
        raise RuntimeError(f"PutObject to {spec['bucketName']}/{key}: {answer[2]!r}")


def _filled(template: str) -> str:
    """A substitution template with the message's values."""
    iot = need("services.iot", "_eval_select_expr", "_rule_message")
    topic, payload, client_id = _message.get()

    def value(found: re.Match[str]) -> str:
        return str(iot._eval_select_expr(found[1], topic, payload, iot._rule_message(payload), client_id))

    return _EXPRESSION.sub(value, template)


def _demand(role: str, action: str, resource: str) -> None:
    if not roles.may_all(role, action, resource):
        raise PermissionError(f"{role} is not authorized to perform: {action} on resource: {resource}")


def _body(event: Any) -> bytes:
    if isinstance(event, bytes):
        return event
    return (event if isinstance(event, str) else json.dumps(event)).encode()
