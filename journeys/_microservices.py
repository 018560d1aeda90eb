"""The three services as callers see them: orders by everybody, the catalog by who signs, customers from inside."""

import itertools
import json
import time
from dataclasses import dataclass
from typing import Any

import urllib3

from journeys._http import Response
from journeys._steps import NotRunError
from journeys._world import World

CORRELATION = "X-Correlation-Id"


@dataclass(frozen=True)
class Timed:
    """An answer, and how long it took."""

    answer: Response
    seconds: float


class Services:
    """Calls to the three.

    Args:
        world: Where.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._merchant = world.as_role(world.out["MerchantRoleArn"])
        self._keys = itertools.count()

    def orders(self, method: str, path: str, **sent: Any) -> Response:
        """As everybody calls it."""
        return self._world.http(method, f"{self._world.out['OrdersUrl']}{path}", **sent)

    def catalog(self, method: str, path: str, *, signed: bool = True, **sent: Any) -> Response:
        """As the merchant calls it, or somebody who does not sign."""
        url = f"{self._world.out['CatalogUrl']}{path}"
        if signed:
            return self._merchant.http(method, url, sign="execute-api", **sent)
        return self._world.http(method, url, **sent)

    def customers(self, method: str, path: str, **sent: Any) -> Response:
        """As the other services call it.

        Raises:
            NotRunError: Its load balancer is inside the VPC, and this journey runs elsewhere.
        """
        try:
            return self._world.http(method, f"{self._world.out['CustomersUrl']}{path}", **sent)
        except urllib3.exceptions.HTTPError as error:
            message = f"the customers' load balancer is inside the VPC, and cannot be reached from here: {error}"
            raise NotRunError(message) from error

    def new_key(self) -> str:
        """An idempotency key that nobody has used."""
        return f"{self._world.token}-{next(self._keys)}"

    def place(self, order: Any, *, key: str | None = None, correlation: str | None = None) -> Response:
        """Place an order."""
        headers = {"Idempotency-Key": key or self.new_key()}
        if correlation:
            headers[CORRELATION] = correlation
        return self.orders("POST", "/orders", json=order, headers=headers)

    def placed(self, order: Any, *, key: str | None = None, correlation: str | None = None) -> Response:
        """Place an order as the API asks its clients to: sent again, with the same key, while there is no answer."""
        key = key or self.new_key()

        def attempt() -> Response | None:
            answer = self.place(order, key=key, correlation=correlation)
            return None if answer.status in {503, 504} else answer

        answer = self._world.eventually(attempt, within=60, what="an order that is taken")
        assert answer is not None
        assert answer.status in {200, 201}, f"expected 201, got {answer.status}: {answer.text[:500]}"
        return answer

    def shown(self, order_id: str) -> Any:
        """An order with all that the neighbours know of it."""

        def attempt() -> Any:
            answer = self.orders("GET", f"/orders/{order_id}")
            assert answer.status in {200, 503, 504}, f"expected 200, got {answer.status}: {answer.text[:500]}"
            return answer.json() if answer.status == 200 and not answer.json()["degraded"] else None

        return self._world.eventually(attempt, within=120, what=f"order {order_id} with all that belongs to it")

    def kept(self, customer: str) -> set[str]:
        """Ids of the orders that the table has of a customer."""
        pages = (
            self._world.client("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=self._world.out["OrdersTableName"],
                FilterExpression="customerId = :customer",
                ExpressionAttributeValues={":customer": {"S": customer}},
                ProjectionExpression="orderId",
                ConsistentRead=True,
            )
        )
        return {item["orderId"]["S"] for page in pages for item in page["Items"]}

    def put(self, sku: str, **product: Any) -> Response:
        """Write a product."""
        return self.catalog("PUT", f"/products/{sku}", json={"name": sku, "price": 100, "stock": 10, **product})

    def stock(self, sku: str) -> int:
        """How many pieces the catalog's table has of a product."""
        answer = self._world.client("dynamodb").get_item(
            TableName=self._world.out["CatalogTableName"], Key={"sku": {"S": sku}}, ConsistentRead=True
        )
        return int(answer["Item"]["stock"]["N"])

    def logged(self, output: str, text: str) -> str | None:
        """The first line of a log group, named by an output, that has this text in it."""
        found = self._world.client("logs").filter_log_events(
            logGroupName=self._world.out[output], filterPattern=f'"{text}"'
        )["events"]
        return next((str(one["message"]) for one in found if text in one["message"]), None)


def says_later(answer: Response) -> bool:
    """Whether the service itself says to come again; a load balancer that finds nobody to ask says it otherwise."""
    return answer.status in {503, 504} and answer.headers.get("Content-Type") == "application/problem+json"


def timed(call: Any) -> Timed:
    """Call, and take the time."""
    began = time.monotonic()
    answer: Response = call()
    return Timed(answer, time.monotonic() - began)


def expect(answer: Response, status: int) -> Any:
    """The JSON of an answer that must have this status; a refusal must be problem details."""
    assert answer.status == status, f"expected {status}, got {answer.status}: {answer.text[:500]}"
    body = json.loads(answer.body) if answer.body else None
    if status >= 400:
        assert (body or {}).get("title"), f"no problem details: {answer.text[:200]}"
    return body
