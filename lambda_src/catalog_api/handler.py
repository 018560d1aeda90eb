"""API Gateway in, answers out: products from the cache, or from the table when they are not there."""

import json
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from pathlib import Path as File
from typing import Annotated, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from catalog_api import connections
from catalog_api.cache import State
from catalog_api.problems import field_errors, is_of_path, problem
from catalog_api.rules import SKU_PATTERN, NewProduct, Product, correlation_id

MAX_BODY_BYTES = 65_536
CORRELATION = "X-Correlation-Id"
DOCUMENT = File(__file__).with_name("openapi.json")
logger = Logger()
tracer = Tracer()
metrics = Metrics()
app = APIGatewayRestResolver(enable_validation=True)

Sku = Annotated[str, Path(pattern=SKU_PATTERN, description="The product.")]


class UnknownProductError(LookupError):
    """There is no such product; says where that is known from."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.state = state


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request, under the caller's correlation id or a new one."""
    metrics.add_dimension("function_name", context.function_name)
    request = APIGatewayProxyEvent(event)
    correlation = correlation_id(request.headers.get(CORRELATION))
    logger.set_correlation_id(correlation)
    refusal = _refusal(request)
    answer = _as_event(refusal) if refusal else app.resolve(event, context)
    logger.info("answered", method=request.http_method, path=request.path, status=answer["statusCode"])
    answer["multiValueHeaders"][CORRELATION] = [correlation]
    return answer


@app.get("/products/<sku>", summary="Read a product", operation_id="getProduct")
def read(sku: Sku) -> Response[Product]:
    """X-Cache says where it came from: hit or miss, and error or bypass while the cache is away."""
    looked = connections.products().get(sku)
    _count(looked.state)
    product = looked.product
    if looked.state != "hit":
        product = connections.store().get(sku)
        if looked.state == "miss" and connections.products().keep(sku, product) == "error":
            _count("error")
    if product is None:
        raise UnknownProductError(looked.state)
    headers = {"X-Cache": looked.state}
    return Response(HTTPStatus.OK.value, content_type="application/json", body=product, headers=headers)


@app.put("/products/<sku>", summary="Write a product", operation_id="putProduct")
def write(sku: Sku, product: NewProduct) -> Response[Product]:
    """What was kept of it is out of date from then on."""
    written, new = connections.store().put(sku, product)
    # After the table has it: a reader that finds nothing kept must find the new one there.
    state = connections.products().changed(sku)
    _count(state if state == "error" else None)
    status = HTTPStatus.CREATED if new else HTTPStatus.OK
    return Response(status.value, content_type="application/json", body=written)


@app.get("/openapi.json", include_in_schema=False)
def document() -> Response[dict[str, Any]]:
    """The API's description, from which clients are made."""
    return Response(HTTPStatus.OK.value, content_type="application/json", body=_document())


def _refusal(request: APIGatewayProxyEvent) -> Response[str] | None:
    """Why a request gets to no route."""
    if len((request.body or "").encode()) > MAX_BODY_BYTES:
        return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {MAX_BODY_BYTES} bytes, please.")
    kind = request.headers.get("content-type", "application/json")
    if request.body and kind.partition(";")[0].strip().lower() != "application/json":
        return _problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json.")
    return None


def _invalid(error: RequestValidationError) -> Response[str]:
    if any(is_of_path(one) for one in error.errors()):
        return _problem(HTTPStatus.NOT_FOUND, "There is no such product.")
    found = field_errors(error.errors())
    return _problem(HTTPStatus.BAD_REQUEST, "; ".join(f"{one.field}: {one.rule}" for one in found), errors=found)


def _nested(_error: RecursionError) -> Response[str]:
    return _problem(HTTPStatus.BAD_REQUEST, "body: must not be nested that deeply")


def _no_product(error: UnknownProductError) -> Response[str]:
    return _problem(HTTPStatus.NOT_FOUND, "There is no such product.", headers={"X-Cache": error.state})


def _unknown(_error: NotFoundError) -> Response[str]:
    return _problem(HTTPStatus.NOT_FOUND, "There is nothing here.")


def _unavailable(_error: Exception) -> Response[str]:
    logger.exception("the table does not answer")
    return _problem(HTTPStatus.SERVICE_UNAVAILABLE, "Try again in a moment.", headers={"Retry-After": "1"})


# Not as decorators, which Powertools leaves untyped.
_REFUSALS: dict[type[Exception], Callable[[Any], Response[str]]] = {
    RequestValidationError: _invalid,
    RecursionError: _nested,
    UnknownProductError: _no_product,
    NotFoundError: _unknown,
    ClientError: _unavailable,
    BotoCoreError: _unavailable,
}
for _kind, _refuse in _REFUSALS.items():
    app.exception_handler(_kind)(_refuse)


def _problem(status: HTTPStatus, detail: str, **more: Any) -> Response[str]:
    return problem(status, detail, correlation_id=logger.get_correlation_id(), **more)


def _as_event(refusal: Response[str]) -> dict[str, Any]:
    return {
        "statusCode": refusal.status_code,
        "multiValueHeaders": {"Content-Type": [refusal.content_type]},
        "body": refusal.body,
        "isBase64Encoded": False,
    }


def _count(state: State | None) -> None:
    name = {"hit": "CacheHits", "miss": "CacheMisses", "error": "CacheErrors", "bypass": "CacheBypasses"}
    if state:
        metrics.add_metric(name=name[state], unit=MetricUnit.Count, value=1)


@cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return found
