"""A load balancer is reached by its names and ports, checks its targets, and sends requests to the healthy ones.

Without this fix the emulator finds one by its DNS name alone, takes listener 80 also for https, answers some paths
(/health) in the targets' stead, keeps one target per address whatever its port, calls each healthy, chooses at random,
and answers 502 where AWS answers 503 or 504. Host conditions are compared in any case.
"""

import contextlib
import functools
from typing import Any
from urllib.parse import parse_qs

from localcloud.fixes import _target_calls
from localcloud.fixes._aliases import end_of
from localcloud.fixes._forwarding import Connection, LateError, Sent, UnreachableError
from localcloud.fixes._targets import Target, group
from localcloud.internals import need

_PAGE = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
_WORDS = {502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable", 504: "504 Gateway Time-out"}
_PORTS = {"https": 443, "http": 80}


def apply() -> None:
    """Take requests before anybody else does, and replace the three calls about targets."""
    alb = need(
        "services.alb",
        *("_ACTION_MAP", "_forward_to_tg", "_match_condition", "_targets", "_tgs", "_lb_attr", "_lbs", "_listeners"),
        *("dispatch_request", "find_lb_for_host", "_p", "_empty", "_error", "_xml", "_with_alb_server"),
    )
    app = need("app", "app", "_send_if_handled", "decode_header_value")
    vars(app)["app"] = _in_front(app, alb, app.app)
    alb._ACTION_MAP.update(_target_calls.calls(alb))
    vars(alb)["_forward_to_tg"] = _forwarding(alb, alb._forward_to_tg)
    match = alb._match_condition

    @functools.wraps(match)
    def matched(condition: dict[str, Any], method: str, path: str, headers: dict[str, str], query: Any) -> bool:
        if condition.get("Field") == "host-header":
            condition = {**condition, "Values": [value.lower() for value in condition.get("Values", [])]}
            headers = {**headers, "host": headers.get("host", "").lower()}
        return bool(match(condition, method, path, headers, query))

    vars(alb)["_match_condition"] = matched


def _in_front(app: Any, alb: Any, inner: Any) -> Any:
    async def balanced(scope: Any, receive: Any, send: Any) -> None:
        host = next((value for name, value in scope.get("headers", ()) if name == b"host"), b"").decode("latin-1")
        balancer = alb.find_lb_for_host(end_of(host.partition(":")[0])) if scope["type"] == "http" and host else None
        if balancer is None:
            await inner(scope, receive, send)
            return
        asked = host.partition(":")[2]
        port = int(asked) if asked.isdigit() else _PORTS[scope["scheme"]]
        listeners = [one for one in alb._listeners.values() if one["LoadBalancerArn"] == balancer["LoadBalancerArn"]]
        body = await _body(receive)
        if not any(one["Port"] == port for one in listeners):
            # AWS lets the client knock in vain; here somebody has opened already.
            await app._send_if_handled(send, _answer(alb, 503))
            return
        headers: dict[str, str] = {}
        for raw, value in scope["headers"]:
            name = raw.decode("latin-1").lower()
            said = app.decode_header_value(value)
            joint = "; " if name == "cookie" else ", "
            headers[name] = f"{headers[name]}{joint}{said}" if name in headers else said
        query = scope.get("query_string", b"").decode("latin-1")
        answer = await alb.dispatch_request(
            balancer, scope["method"], scope["path"], headers, body, parse_qs(query, keep_blank_values=True), port,
            client_ip=(scope.get("client") or ("127.0.0.1",))[0],
            raw_query_string=query, raw_path=scope["raw_path"].decode("latin-1").partition("?")[0],
        )  # fmt: skip
        await app._send_if_handled(send, answer, receive, head=scope["method"] == "HEAD")

    return balanced


async def _body(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _forwarding(alb: Any, lambda_forward: Any) -> Any:
    streaming = need("core.responses", "StreamingResponse").StreamingResponse

    async def forwarded(arn: str, *request: Any) -> Any:
        method, path, headers, body, _query, raw_query, raw_path = request
        found = alb._tgs.get(arn)
        if not found or found.get("TargetType", "instance") == "lambda":
            return await lambda_forward(arn, *request)
        target = group(arn).choose()
        if target is None:
            return _answer(alb, 503)
        balancers = [balancer for balancer in found.get("LoadBalancerArns", []) if balancer in alb._lbs]
        seconds = float(alb._lb_attr(balancers[0], "idle_timeout.timeout_seconds", "60")) if balancers else 60.0
        asked = (raw_path or path) + (f"?{raw_query}" if raw_query else "")
        target.in_flight += 1
        try:
            connection = await Connection.to(target)
            try:
                status, answered = await connection.ask(Sent(method.upper(), asked, headers, body or b""), seconds)
            except BaseException:
                connection.close()
                raise
        except (UnreachableError, LateError) as error:
            target.in_flight -= 1
            return _answer(alb, 502 if isinstance(error, UnreachableError) else 504)
        except BaseException:
            target.in_flight -= 1
            raise
        return status, answered, streaming(functools.partial(_stream, target, connection, seconds))

    return forwarded


async def _stream(target: Target, connection: Connection, seconds: float, send: Any, _receive: Any) -> None:
    """Pass the body on; when the target does not finish it, the client's connection breaks off as well."""
    whole = False
    try:
        async with contextlib.aclosing(connection.body(seconds)) as parts:
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        whole = True
    except (UnreachableError, LateError):
        connection.close()
    except BaseException:
        connection.close()
        raise
    finally:
        target.in_flight -= 1
    if whole:
        connection.finish(target)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _answer(alb: Any, status: int) -> Any:
    page = _PAGE.format(_WORDS[status]).encode()
    return alb._with_alb_server((status, {"Content-Type": "text/html"}, page))
