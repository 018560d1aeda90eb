"""API Gateway in, answers out: routes of the to-do list for the user whose token API Gateway verified."""

import datetime as dt
from collections.abc import Callable
from functools import cache, partial
from http import HTTPStatus
from typing import Annotated, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from todo_api import cursors
from todo_api.connection import Connection, dax
from todo_api.problems import field_errors, is_of_path, problem, refused
from todo_api.rules import ID_PATTERN, MAX_PAGE, MAX_VERSION, Change, NewTodo, Page, Todo, new_todo
from todo_api.settings import Settings
from todo_api.store import Store, UnknownTodoError, VersionConflictError

# Many times what the largest to-do takes.
_MAX_BODY_CHARACTERS = 10_000
logger = Logger()
tracer = Tracer()
metrics = Metrics()
app = APIGatewayRestResolver(enable_validation=True)

TodoId = Annotated[str, Path(pattern=ID_PATTERN, description="The to-do.")]
Seen = Annotated[
    str | None,
    Query(
        max_length=100,
        description="Any text. Answers may be some seconds old, and are kept per caller and text: send a new text "
        "(the ETag of your last write, say) and you read what is there now.",
    ),
]


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    request = APIGatewayProxyEvent(event)
    # API Gateway verified signature, issuer and expiry of the token, but not which app it was made for.
    claims = request.request_context.authorizer.claims or {}
    if claims.get("token_use") != "id" or claims.get("aud") != _settings().user_pool_client_id:
        logger.warning("a token of another app, or of another kind, was refused")
        return refused(HTTPStatus.UNAUTHORIZED, "The token was not made for this app.")
    if len(request.body or "") > _MAX_BODY_CHARACTERS:
        return refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {_MAX_BODY_CHARACTERS} characters, please.")
    kind = request.headers.get("content-type", "application/json")
    if request.body and kind.partition(";")[0].strip().lower() != "application/json":
        return refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json.")
    return app.resolve(event, context)


@app.post("/todos", status_code=201, summary="Add a to-do")
def add(todo: NewTodo) -> Response[Todo]:
    """Its id, its first version and a Location come back."""
    made = new_todo(todo, dt.datetime.now(dt.UTC))
    _store().add(_user(), made)
    metrics.add_metric(name="TodosAdded", unit=MetricUnit.Count, value=1)
    return _answer(HTTPStatus.CREATED, made, Location=f"/todos/{made.id}")


@app.get("/todos", summary="List to-dos")
def page(
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 25,
    cursor: Annotated[str | None, Query(max_length=100, description="From the page before.")] = None,
    seen: Seen = None,
) -> Page:
    """Oldest first; the cursor leads to the next page, the last page has none."""
    user = _user()
    after = None if cursor is None else cursors.decode(user, cursor)
    todos, more = _store().page(user, limit=limit, after=after, fresh=seen is not None)
    return Page(items=todos, cursor=cursors.encode(user, todos[-1].id) if more else None)


@app.get("/todos/<todo_id>", summary="Read a to-do")
def read(todo_id: TodoId, seen: Seen = None) -> Response[Todo]:
    """Somebody else's is unknown."""
    return _answer(HTTPStatus.OK, _store().get(_user(), todo_id, fresh=seen is not None))


@app.patch("/todos/<todo_id>", summary="Change a to-do")
def change(todo_id: TodoId, change: Change) -> Response[Todo]:
    """The version must be the current one, and goes up by one."""
    return _answer(HTTPStatus.OK, _store().change(_user(), todo_id, change))


@app.delete("/todos/<todo_id>", status_code=204, summary="Delete a to-do")
def remove(
    todo_id: TodoId,
    version: Annotated[int, Query(ge=1, le=MAX_VERSION, description="The version that you have seen.")],
) -> Response[str]:
    """The version must be the current one."""
    _store().remove(_user(), todo_id, version)
    return Response(HTTPStatus.NO_CONTENT.value, body="")


def _invalid(error: RequestValidationError) -> Response[str]:
    if any(is_of_path(one) for one in error.errors()):
        return problem(HTTPStatus.NOT_FOUND, "There is no such to-do.")
    found = field_errors(error.errors())
    return problem(HTTPStatus.BAD_REQUEST, "; ".join(f"{one.field}: {one.detail}" for one in found), errors=found)


def _nested(_error: RecursionError) -> Response[str]:
    return problem(HTTPStatus.BAD_REQUEST, "body: must not be nested that deeply")


def _not_a_cursor(error: cursors.InvalidCursorError) -> Response[str]:
    return problem(HTTPStatus.BAD_REQUEST, str(error), errors=[{"field": "cursor", "detail": str(error)}])


def _conflict(error: VersionConflictError) -> Response[str]:
    return problem(HTTPStatus.CONFLICT, str(error), current_version=error.current)


def _unknown(_error: UnknownTodoError | NotFoundError) -> Response[str]:
    return problem(HTTPStatus.NOT_FOUND, "There is no such to-do.")


# Not as decorators, which Powertools leaves untyped.
_REFUSALS: dict[type[Exception], Callable[[Any], Response[str]]] = {
    RequestValidationError: _invalid,
    RecursionError: _nested,
    cursors.InvalidCursorError: _not_a_cursor,
    VersionConflictError: _conflict,
    UnknownTodoError: _unknown,
    NotFoundError: _unknown,
}
for _kind, _refuse in _REFUSALS.items():
    app.exception_handler(_kind)(_refuse)


def _answer(status: HTTPStatus, todo: Todo, **headers: str) -> Response[Todo]:
    return Response(status.value, content_type="application/json", body=todo, headers={"ETag": todo.etag, **headers})


def _user() -> str:
    """Who calls: by the verified token, and nothing else of the request."""
    return str(app.current_event.request_context.authorizer.claims["sub"])


# Made at the first request, so that importing this module needs neither settings nor AWS.
@cache
def _settings() -> Settings:
    return Settings()


@cache
def _store() -> Store:
    settings = _settings()
    cluster = partial(dax, settings.dax_endpoint) if settings.dax_endpoint else None
    return Store(settings.table_name, Connection(boto3.client("dynamodb"), cluster))
