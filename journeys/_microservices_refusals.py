"""What each service refuses, and how it says so; and the documents that clients are made from."""

import json
import re
from collections.abc import Callable
from typing import Any

from journeys._http import Response
from journeys._microservices import Services, expect
from journeys._world import World

# More than any of the three takes.
_TOO_LARGE = 70_000
_UNKNOWN = "00000000-0000-4000-8000-000000000000"
Call = Callable[..., Response]


def run(world: World, services: Services) -> None:
    """All steps."""
    by_name: dict[str, Call] = {
        "orders": services.orders,
        "catalog": services.catalog,
        "customers": services.customers,
    }
    with world.step("an unknown route is 404 at each service, as problem details") as step:
        for name, call in by_name.items():
            expect(call("GET", "/nothing/here"), 404)
            step.show(**{name: 404})

    with world.step("an oversized body is 413 at each service, whatever else is right with it") as step:
        for name, (call, method, path, body) in _good(services).items():
            answer = call(method, path, body=json.dumps(body) + " " * _TOO_LARGE, headers=_headers(services))
            expect(answer, 413)
            step.show(**{name: 413})

    for name, what, field, call in _wrong(services):
        with world.step(f"{name}: {what} is 400 that names {field} and its rule") as step:
            problem = expect(call(), 400)
            # Servers name each field; API Gateway says the rule that was broken, and the rules of all fields.
            said = json.dumps(problem["errors"]) if "errors" in problem else str(problem["detail"])
            assert field in said, f"{field} is not named: {problem}"
            assert "errors" in problem or problem["rules"]["price"], problem
            step.show(status=400, said=said[:120])

    with world.step("what is not there is 404, and the catalog says whether it knew") as step:
        answer = services.catalog("GET", f"/products/{world.token}-none")
        expect(answer, 404)
        again = services.catalog("GET", f"/products/{world.token}-none")
        expect(again, 404)
        assert (answer.headers["X-Cache"], again.headers["X-Cache"]) == ("miss", "hit"), "it is not remembered"
        expect(services.orders("GET", f"/orders/{_UNKNOWN}"), 404)
        expect(services.customers("GET", f"/customers/{_UNKNOWN}"), 404)
        step.show(first="miss", second="hit")

    documents = {}
    for name, call in by_name.items():
        with world.step(f"the OpenAPI document of {name} is whole, so that a client can be made of it") as step:
            document = expect(call("GET", "/openapi.json"), 200)
            names = operations(document)
            documents[name] = document
            world.save(f"{name}.openapi.json", json.dumps(document, indent=2, sort_keys=True))
            step.show(openapi=document["openapi"], paths=len(document["paths"]), operations=", ".join(names))


def operations(document: dict[str, Any]) -> list[str]:
    """The names of a document's operations, each of them once; every reference leads somewhere.

    Raises:
        AssertionError: It is not so, or it is no OpenAPI 3 document.
    """
    assert re.fullmatch(r"3\.\d+\.\d+", document["openapi"]), document["openapi"]
    assert document["info"]["title"], document["info"]
    assert document["info"]["version"], document["info"]
    methods = [one for path in document["paths"].values() for one in path.values()]
    names = [str(one.get("operationId", "")) for one in methods]
    assert names, "it has no operation"
    assert all(names), "an operation has no name"
    assert len(set(names)) == len(names), f"a name occurs twice: {names}"
    assert all(one["responses"] for one in methods), "an operation has no answer"
    known = document.get("components", {}).get("schemas", {})
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert referred <= known.keys(), f"references lead nowhere: {sorted(referred - known.keys())}"
    return names


def _headers(services: Services) -> dict[str, str]:
    return {"Content-Type": "application/json", "Idempotency-Key": services.new_key()}


def _good(services: Services) -> dict[str, tuple[Call, str, str, dict[str, Any]]]:
    """Service -> a request that it would take."""
    product = {"name": "large", "price": 1, "stock": 1}
    order = {"customerId": _UNKNOWN, "items": [{"sku": "large", "quantity": 1}]}
    customer = {"name": "Ada", "email": "ada@example.com", "rewardPoints": 0}
    return {
        "orders": (services.orders, "POST", "/orders", order),
        "catalog": (services.catalog, "PUT", "/products/large", product),
        "customers": (services.customers, "POST", "/customers", customer),
    }


def _wrong(services: Services) -> list[tuple[str, str, str, Callable[[], Response]]]:
    """Service, what is wrong, the field that must be named, the request."""
    item, one = {"sku": "tea", "quantity": 0}, {"sku": "tea", "quantity": 1}
    return [
        ("orders", "a quantity of 0", "quantity", lambda: services.place({"customerId": _UNKNOWN, "items": [item]})),
        ("orders", "an order of nothing", "items", lambda: services.place({"customerId": _UNKNOWN, "items": []})),
        (
            "orders",
            "no Idempotency-Key",
            "Idempotency-Key",
            lambda: services.orders("POST", "/orders", json={"customerId": _UNKNOWN, "items": [one]}),
        ),
        ("catalog", "a negative price", "minimum", lambda: services.put("tea", price=-1)),
        ("catalog", "a field that there is not", "colour", lambda: services.put("tea", colour="green")),
        (
            "customers",
            "an address that is none",
            "email",
            lambda: services.customers("POST", "/customers", json={"name": "Ada", "email": "ada", "rewardPoints": 0}),
        ),
    ]
