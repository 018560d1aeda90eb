"""API Gateway in, answers out: reading and subscribing are open, writing is for authors."""

import json
import re
from functools import cache
from http import HTTPStatus
from typing import Any, TypeVar

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ValidationError

from blog_api.photos import Photos, upload_client
from blog_api.posts import Posts, Subscribers, UnknownPostError
from blog_api.problems import RefusedError, field_errors, problem
from blog_api.rules import ID_PATTERN, MAX_PAGE, Draft, NewPhoto, Subscription, is_author, is_caller_of
from blog_api.settings import Settings

# Shared caches keep what readers see for a minute, so that most of them never reach this function.
_SHARED = "public, max-age=0, s-maxage=60"
_DEFAULT_PAGE = 10
logger = Logger()
tracer = Tracer()
metrics = Metrics()
app = APIGatewayRestResolver()
Body = TypeVar("Body", bound=BaseModel)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request; what is our fault is raised, and API Gateway answers 502."""
    return app.resolve(event, context)


@app.get("/api/posts")
def list_posts() -> Response[str]:
    """Newest first, without texts."""
    limit = app.current_event.get_query_string_value("limit") or str(_DEFAULT_PAGE)
    before = app.current_event.get_query_string_value("before")
    if not re.fullmatch(r"\d{1,2}", limit) or not 1 <= int(limit) <= MAX_PAGE:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"limit: must be a whole number from 1 to {MAX_PAGE}")
    if before and not re.fullmatch(ID_PATTERN, before):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "before: must be the one that the former page gave")
    page = _posts().page(int(limit), before)
    return _answer(HTTPStatus.OK, {"posts": page.posts, "before": page.before}, _SHARED)


@app.get("/api/posts/<post_id>")
def get_post(post_id: str) -> Response[str]:
    """One post."""
    try:
        return _answer(HTTPStatus.OK, _posts().get(post_id), _SHARED)
    except UnknownPostError:
        raise RefusedError(HTTPStatus.NOT_FOUND, "There is no such post.") from None


@app.post("/api/posts")
def create_post() -> Response[str]:
    """A new post of an author, with a photo that is ready."""
    _require_author()
    draft = _body(Draft)
    photo = _photos().state(draft.photo) if draft.photo else None
    if photo and photo.status != "ready":
        why = photo.reason or "it has not been rendered yet; try again"
        raise RefusedError(HTTPStatus.CONFLICT, f"photo: must be ready, but is {photo.status}: {why}")
    post = _posts().add(draft, photo.thumbnail if photo else None)
    metrics.add_metric("PostsPublished", MetricUnit.Count, 1)
    logger.info("post published", post_id=post["id"])
    return _answer(HTTPStatus.CREATED, post, location=f"/api/posts/{post['id']}")


@app.post("/api/subscribers")
def subscribe() -> Response[str]:
    """The same answer to everybody: who asks does not learn who is subscribed."""
    if _subscribers().add(_body(Subscription).email):
        metrics.add_metric("Subscribed", MetricUnit.Count, 1)
    return _answer(HTTPStatus.ACCEPTED, {"detail": "Thank you. A new subscriber gets a welcome by e-mail."})


@app.post("/api/photos")
def new_photo() -> Response[str]:
    """Where to upload a photo."""
    _require_author()
    return _answer(HTTPStatus.CREATED, _photos().ticket(_body(NewPhoto)))


@app.get("/api/photos/<photo_id>")
def get_photo(photo_id: str) -> Response[str]:
    """What became of an upload."""
    _require_author()
    if not re.fullmatch(ID_PATTERN, photo_id):
        raise RefusedError(HTTPStatus.NOT_FOUND, "There is no such photo.")
    photo = _photos().state(photo_id)
    told = {"status": photo.status, "thumbnail": photo.thumbnail, "reason": photo.reason}
    return _answer(HTTPStatus.OK, {name: value for name, value in told.items() if value is not None})


@app.not_found
def no_route(_error: Exception) -> Response[str]:
    """A path that is none; API Gateway answers it before us where it can."""
    return problem(HTTPStatus.NOT_FOUND, "There is nothing here.")


def refused(error: RefusedError) -> Response[str]:
    """The caller is told why not."""
    return problem(error.status, str(error))


def invalid(error: ValidationError) -> Response[str]:
    """400 with each wrong field."""
    return problem(HTTPStatus.BAD_REQUEST, "The body is not as it must be.", field_errors(error))


app.exception_handler(RefusedError)(refused)
app.exception_handler(ValidationError)(invalid)


def _body(model: type[Body]) -> Body:
    return model.model_validate_json(app.current_event.decoded_body or "")


def _require_author() -> None:
    claims = app.current_event.request_context.authorizer.claims or {}
    if not is_caller_of(claims, _settings().user_pool_client_id):
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "Sign in and send a valid token.")
    if not is_author(claims):
        raise RefusedError(HTTPStatus.FORBIDDEN, "Only authors may do this.")


def _answer(status: HTTPStatus, body: Any, cache_control: str = "no-store", location: str = "") -> Response[str]:
    headers = {"Cache-Control": cache_control} | ({"Location": location} if location else {})
    return Response(
        status_code=int(status), content_type="application/json", body=json.dumps(body), headers=dict(headers)
    )


# Made at the first request that needs them, so that importing this module needs neither settings nor AWS.
@cache
def _settings() -> Settings:
    return Settings()


@cache
def _posts() -> Posts:
    return Posts(_settings().posts_table, boto3.client("dynamodb"))


@cache
def _subscribers() -> Subscribers:
    return Subscribers(_settings().subscribers_table, boto3.client("dynamodb"))


@cache
def _photos() -> Photos:
    return Photos(_settings(), boto3.client("s3"), upload_client(_settings().uploads_endpoint))
