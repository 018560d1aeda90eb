"""Three services of three shapes: called by name, by who may, while all is well and while it is not."""

from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from journeys import _microservices_events as events
from journeys import _microservices_failures as failures
from journeys import _microservices_refusals as refusals
from journeys._http import Response
from journeys._microservices import CORRELATION, Services, expect
from journeys._steps import NotRunError
from journeys._world import World

READS = (
    "CatalogCacheName",
    "CatalogLogGroupName",
    "CatalogTableName",
    "CatalogUrl",
    "CustomersGroupName",
    "CustomersLogGroupName",
    "CustomersSecretArn",
    "CustomersUrl",
    "EventsTopicArn",
    "MerchantRoleArn",
    "OrdersClusterName",
    "OrdersLogGroupName",
    "OrdersRoleArn",
    "OrdersServiceName",
    "OrdersTableName",
    "OrdersUrl",
    "PublisherFailuresUrl",
    "PublisherLogGroupName",
    "StockDeadLetterQueueUrl",
    "StockLogGroupName",
    "StockQueueUrl",
)
NOT_HERE = {
    "a task of a version that never becomes healthy is rolled back": "it takes ECS, which deploys images: the template "
    "has the circuit breaker, and its test",
    "tasks and instances are added while requests grow": "it takes Application and EC2 Auto Scaling and minutes of "
    "load: the template has both policies, and their tests",
    "tasks reach the internet by NAT gateways, and nobody reaches them but the load balancer": "it takes the VPC's "
    "data plane: the scenario network computes who can reach whom from the deployed rules",
}


def run(world: World) -> None:
    """See the steps."""
    services = Services(world)
    sku, other = f"{world.token}-tea", f"{world.token}-milk"
    with world.step("service 1 runs in containers, service 3 on instances, each behind its load balancer") as step:
        tasks = world.servers.of_service(world.out["OrdersClusterName"], world.out["OrdersServiceName"])
        instances = world.servers.of_group(world.out["CustomersGroupName"])
        expect(services.orders("GET", "/health"), 200)
        step.show(tasks=len(tasks), instances=len(instances))

    customer = ""
    with world.step("products are put into service 2, and a customer into service 3") as step:
        for name, price in ((sku, 250), (other, 120)):
            expect(services.put(name, price=price, stock=100), 201)
        asked = {"name": "Ada", "email": f"{world.token}@example.com", "rewardPoints": 3}
        customer = str(expect(services.customers("POST", "/customers", json=asked), 201)["id"])
        step.show(customer=customer, products=2)
    if not customer:
        world.not_run("all that takes a customer", "service 3 answers inside the VPC alone: run this from there")
        return

    bodies = events.poison(world)
    order = _ordered(world, services, customer, sku, other)
    _cached(world, services)
    _refused(world, services)
    events.run(world, services, customer)
    events.no_order(world)
    refusals.run(world, services)
    failures.run(world, services, customer, order, sku)
    events.poisoned(world, bodies)
    events.not_published(world)
    for name, reason in NOT_HERE.items():
        world.not_run(name, reason)


def _ordered(world: World, services: Services, customer: str, sku: str, other: str) -> dict[str, Any]:
    asked = {"customerId": customer, "items": [{"sku": sku, "quantity": 2}, {"sku": other, "quantity": 1}]}
    correlation = f"{world.token}-correlation"
    with world.step("an order is placed at the catalog's prices, and shown with what services 2 and 3 know") as step:
        answer = services.placed(asked, correlation=correlation)
        order: dict[str, Any] = answer.json()
        assert answer.headers[CORRELATION] == correlation, answer.headers
        assert order["total"] == 2 * 250 + 120, order
        shown = services.shown(order["orderId"])
        assert shown["customer"]["name"] == "Ada", shown
        assert {one["sku"] for one in shown["products"]} == {sku, other}, shown
        step.show(total=order["total"], customer=shown["customer"]["name"], products=len(shown["products"]))

    with world.step("its correlation id is in the logs of all three services, and of what came after") as step:
        groups = ("OrdersLogGroupName", "CatalogLogGroupName", "CustomersLogGroupName")
        for group in (*groups, "PublisherLogGroupName", "StockLogGroupName"):
            found = world.eventually(
                partial(services.logged, group, correlation), within=90, what=f"{correlation} in {group}"
            )
            assert "correlation_id" in str(found), found
            step.show(**{group.removesuffix("LogGroupName"): "found"})
    return order


def _cached(world: World, services: Services) -> None:
    sku = f"{world.token}-leaf"
    with world.step("a product is missed, then hit; after a change it is missed, and new") as step:
        expect(services.put(sku, price=300), 201)
        seen = [_price(services, sku)]
        world.eventually(lambda: _price(services, sku) == ("hit", 300), within=90, what="a hit")
        expect(services.put(sku, price=400), 200)
        seen.append(_price(services, sku))
        assert seen == [("miss", 300), ("miss", 400)], seen
        world.eventually(lambda: _price(services, sku) == ("hit", 400), within=90, what="a hit of the new price")
        step.show(before="miss, hit 300", after="miss, hit 400")

    with world.step("a cache that cannot be used costs time, not answers") as step:
        elasticache, user = world.client("elasticache"), world.out["CatalogCacheName"]
        (known,) = elasticache.describe_users(UserId=user)["Users"]
        restore = {"UserId": user, "AccessString": known["AccessString"]}
        elasticache.modify_user(UserId=user, AccessString="on ~* -@all")
        world.cleanup(elasticache.modify_user, **restore)
        world.eventually(lambda: _price(services, sku)[0] in {"error", "bypass"}, within=300, what="no cache in use")
        state, price = _price(services, sku)
        assert (state in {"error", "bypass"}, price) == (True, 400), (state, price)
        expect(services.put(sku, price=500), 200)
        assert _price(services, sku)[1] == 500
        elasticache.modify_user(**restore)
        world.eventually(lambda: _price(services, sku)[0] in {"hit", "miss"}, within=300, what="the cache in use again")
        world.eventually(lambda: _price(services, sku)[1] == 500, within=360, what="the price written meanwhile")
        step.show(while_away=state, after="in use again")


def _price(services: Services, sku: str) -> tuple[str, int]:
    answer = services.catalog("GET", f"/products/{sku}")
    return str(answer.headers["X-Cache"]), int(expect(answer, 200)["price"])


def _refused(world: World, services: Services) -> None:
    with world.step("whoever does not sign is refused by the catalog, whatever they ask for: 403") as step:
        for method, path in (("GET", "/products/tea"), ("PUT", "/products/tea"), ("GET", "/openapi.json")):
            expect(services.catalog(method, path, signed=False), 403)
        wrong: Response = services.catalog(
            "GET", "/products/tea", signed=False, headers={"Authorization": "AWS4-HMAC-SHA256 Credential=x"}
        )
        assert wrong.status == 403, wrong.text
        step.show(unsigned=403, forged=403)

    with world.step("orders may read products of the catalog, and nothing else of it") as step:
        api = world.client("apigateway").get_domain_name(domainName=world.out["CatalogUrl"].removeprefix("https://"))
        mapped = world.client("apigateway").get_base_path_mappings(domainName=api["domainName"])["items"][0]
        arn = f"arn:aws:execute-api:{world.region}:{world.account}:{mapped['restApiId']}/{mapped['stage']}"
        decided = {
            path: _simulated(world, f"{arn}/{path}")
            for path in ("GET/products/tea", "PUT/products/tea", "GET/openapi.json", "GET/elsewhere")
        }
        assert decided.pop("GET/products/tea") == "allowed", "it may not even read"
        assert "allowed" not in decided.values(), decided
        step.show(read="allowed", others="refused")


def _simulated(world: World, arn: str) -> str:
    try:
        answer = world.client("iam").simulate_principal_policy(
            PolicySourceArn=world.out["OrdersRoleArn"], ActionNames=["execute-api:Invoke"], ResourceArns=[arn]
        )
    except ClientError as error:
        raise NotRunError(f"IAM cannot be asked what a role may do here: {error}") from error
    return str(answer["EvaluationResults"][0]["EvalDecision"])
