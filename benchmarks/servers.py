"""Requests per second and p99 of each service of its stack, by its name over TLS against its process alone."""

import json
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import urllib3
from rich.console import Console

from journeys._microservices import Services
from journeys._updates import Publisher, Release, noise
from journeys._world import World
from localcloud.cloud import LocalCloud
from localcloud.progress import Progress

_STATE = Path(__file__).parent.parent / "build" / "local" / "bench"
# An order asks both other services: more at once on two cores are answered 503 in time, and measure that.
_AT_ONCE = 2
_REQUESTS = 60

Send = Callable[[], int]
"""Sends one request; the status of its answer."""


def measure(*, rounds: int = 3) -> dict[str, Any]:
    """Medians over rounds in which all take turns; each is warmed up by a round that does not count."""
    console = Console(quiet=True)
    with LocalCloud.start(_STATE, progress=Progress(console)) as cloud:
        cloud.deploy(["microservices", "software-updates"])
        shop, updates = (cloud.world(key, console=console) for key in ("microservices", "software-updates"))
        try:
            pairs = {**_shop(shop), "updates": _updates(updates)}
            candidates = {f"{name}, {how}": send for name, pair in pairs.items() for how, send in pair.items()}
            for send in candidates.values():
                _warm(shop, send)
            found = {name: [_round(send) for _ in range(1)] for name, send in candidates.items()}
            for _ in range(rounds - 1):
                for name, send in candidates.items():
                    found[name].append(_round(send))
        finally:
            for world in (shop, updates):
                world.clean_up()
    return _table(found)


def _warm(world: World, send: Send) -> None:
    """Until everything behind it has started."""
    world.eventually(lambda: send() == 200, within=60, what="an answer")
    _round(send)


def _table(found: Mapping[str, list[tuple[float, float]]]) -> dict[str, Any]:
    medians = {name: tuple(map(statistics.median, zip(*rounds, strict=True))) for name, rounds in found.items()}
    return {
        name: {
            "requests per second": round(rate),
            "p99 milliseconds": round(slow * 1000, 1),
            "of its rate alone": round(rate / medians[f"{name.rpartition(', ')[0]}, alone"][0], 2),
        }
        for name, (rate, slow) in medians.items()
    }


def _round(send: Send) -> tuple[float, float]:
    """So many requests, some at once; their rate, and the time within which 99 of 100 were answered."""

    def timed(_: int) -> float:
        began = time.perf_counter()
        status = send()
        if status != 200:
            raise RuntimeError(f"the benchmark's request failed: {status}")
        return time.perf_counter() - began

    began = time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        times = sorted(pool.map(timed, range(_REQUESTS)))
    return _REQUESTS / (time.perf_counter() - began), times[-max(len(times) // 100, 1)]


def _shop(world: World) -> dict[str, dict[str, Send]]:
    """Orders and customers, each with a request that reads what was written; and the catalog, a function."""
    services = Services(world)
    orders = world.servers.of_service(world.out["OrdersClusterName"], world.out["OrdersServiceName"])
    customers = world.servers.of_group(world.out["CustomersGroupName"])
    sku = f"{world.token}-tea"
    services.put(sku)
    asked = {"name": "Ada", "email": f"{world.token}@example.com", "rewardPoints": 3}
    customer = services.customers("POST", "/customers", json=asked).json()["id"]
    order = services.placed({"customerId": customer, "items": [{"sku": sku, "quantity": 1}]}).json()["orderId"]
    return {
        "orders": {
            "alone": _alone(orders[0].target, f"/orders/{order}"),
            "behind its load balancer": lambda: services.orders("GET", f"/orders/{order}").status,
        },
        "customers": {
            "alone": _alone(customers[0].target, f"/customers/{customer}"),
            "behind its load balancer": lambda: services.customers("GET", f"/customers/{customer}").status,
        },
        "catalog": {
            "alone": partial(_invoke, world, _catalog(world), f"/products/{sku}", sku),
            "behind its API": lambda: services.catalog("GET", f"/products/{sku}").status,
        },
    }


def _updates(world: World) -> dict[str, Send]:
    servers, publisher = world.servers.of_group(world.out["GroupName"]), Publisher(world)
    release = Release(publisher.version(1), {"app.bin": noise(world.token, 100_000)})
    publisher.upload(release)
    path = f"/releases/{release.version}/app.bin"
    direct = _alone(servers[0].target, path)
    world.eventually(lambda: direct() == 200, within=60, what="the release is published")
    return {
        "alone": direct,
        "behind load balancer and edge": lambda: world.http("GET", f"{world.out['Url']}{path}").status,
    }


def _alone(target: str, path: str) -> Send:
    host, _, port = target.rpartition(":")
    pool = urllib3.HTTPConnectionPool(host, int(port), maxsize=_AT_ONCE, retries=False)
    return lambda: pool.urlopen("GET", path).status


def _catalog(world: World) -> str:
    """The name of the function that answers for the catalog."""
    pages = world.client("lambda").get_paginator("list_functions").paginate()
    found = [one for page in pages for one in page["Functions"] if one.get("Handler") == "catalog_api.handler.handler"]
    return str(found[0]["FunctionName"])


def _invoke(world: World, name: str, path: str, sku: str) -> int:
    event = {
        "resource": "/products/{sku}",
        "path": path,
        "httpMethod": "GET",
        "headers": {},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"sku": sku},
        "requestContext": {"requestId": "bench", "stage": "v1", "resourcePath": "/products/{sku}"},
        "body": None,
        "isBase64Encoded": False,
    }
    answer = world.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    return int(json.load(answer["Payload"])["statusCode"])
