"""API Gateway's request in, an answer out; who asks is known from the verified ID token alone."""

import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parameters import get_secret
from aws_lambda_powertools.utilities.typing import LambdaContext

from paid_content_api.problems import ProblemError
from paid_content_api.service import Service
from paid_content_api.settings import Settings
from paid_content_api.shop import Shop
from paid_content_api.signing import Signer
from paid_content_api.store import Store

logger = Logger()
# Neither answers, which have links, nor errors' messages go into traces.
tracer = Tracer()
metrics = Metrics()
app = APIGatewayRestResolver()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lambda entry point behind a REST API with a Cognito authorizer."""
    _shop().remember(context)
    return app.resolve(event, context)


@app.get("/status")
def status() -> Response[str]:
    """What the caller may watch."""
    return _answer(HTTPStatus.OK, _service().status(_user()))


@app.post("/videos/<video_id>/purchase")
def purchase(video_id: str) -> Response[str]:
    """Buy a video, once however often it is asked."""
    bought = _service().purchase(_user(), video_id, app.current_event.headers.get("Idempotency-Key"))
    if bought["charged"]:
        metrics.add_metric(name="Purchases", unit=MetricUnit.Count, value=1)
    logger.info("purchase", video=video_id, charge=bought["chargeId"], charged=bought["charged"])
    return _answer(HTTPStatus.CREATED if bought["charged"] else HTTPStatus.OK, bought)


@app.get("/videos/<video_id>/link")
def link(video_id: str) -> Response[str]:
    """A short-lived URL of a video's file."""
    return _answer(HTTPStatus.OK, _service().link(_user(), video_id, **_wishes()))


@app.get("/videos/<video_id>/stream")
def stream(video_id: str) -> Response[str]:
    """A playlist, and the short-lived cookies that open it."""
    return _answer(HTTPStatus.OK, _service().stream(_user(), video_id, **_wishes()))


def _problem(problem: ProblemError) -> Response[str]:
    logger.info("refused", status=problem.status.value, detail=str(problem))
    return problem.response()


# Powertools gives this decorator no types.
_answers: Any = app.exception_handler(ProblemError)
_answers(_problem)


def _user() -> str:
    """The caller's ``sub``; 401 when the token was made for another app of the pool, which API Gateway lets in."""
    claims: Mapping[str, Any] = app.current_event.request_context.authorizer.claims or {}
    if claims.get("aud") != _settings().user_pool_client_id or not claims.get("sub"):
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "Authorization: must be an ID token of this app")
    return str(claims["sub"])


def _wishes() -> dict[str, Any]:
    event = app.current_event
    return {
        "seconds": event.get_query_string_value("seconds"),
        "bind_ip": event.get_query_string_value("bindIp"),
        "address": event.request_context.identity.source_ip,
    }


def _answer(status_: HTTPStatus, body: Mapping[str, Any]) -> Response[str]:
    # Links and cookies are for the caller alone, and for minutes.
    return Response(status_.value, "application/json", json.dumps(body), headers={"Cache-Control": "no-store"})


# Made at the first request, so that importing this module needs neither settings nor AWS.
@cache
def _settings() -> Settings:
    return Settings()


@cache
def _dynamodb() -> Any:
    return boto3.client("dynamodb")


@cache
def _shop() -> Shop:
    return Shop(_settings(), Store(_settings(), _dynamodb()), _dynamodb())


@cache
def _service() -> Service:
    return Service(_settings(), Store(_settings(), _dynamodb()), _shop(), _signer)


@cache
def _signer() -> Signer:
    """The signer, kept for the life of this process: a key of a name never changes, a new one has a new name."""
    key = _settings().signing_keys[_settings().signing_key]
    return Signer(key.id, str(get_secret(key.secret)))
