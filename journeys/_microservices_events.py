"""What happens after an order: it is published, and taken from stock once."""

import json
import uuid
from typing import Any

from journeys._microservices import Services, expect
from journeys._world import World


def run(world: World, services: Services, customer: str) -> None:
    """All steps."""
    _taken_from_stock(world, services, customer)
    _delivered_twice(world, services, customer)
    _same_key_twice(world, services, customer)


def _taken_from_stock(world: World, services: Services, customer: str) -> None:
    sku = f"{world.token}-cup"
    with world.step("an order that was placed is published, taken from stock, and no longer kept by the cache") as step:
        expect(services.put(sku, stock=10), 201)
        _kept(world, services, sku)
        services.placed(_order(customer, sku, 3))
        world.eventually(lambda: services.stock(sku) == 7, within=60, what="three pieces taken from stock")
        seen = world.eventually(lambda: _says(services, sku, 7), within=40, what="the catalog saying so")
        step.show(stock=7, x_cache=seen)


def _delivered_twice(world: World, services: Services, customer: str) -> None:
    sku = f"{world.token}-pot"
    with world.step("its message delivered twice is taken from stock once") as step:
        expect(services.put(sku, stock=10), 201)
        order = services.placed(_order(customer, sku, 4)).json()
        world.eventually(lambda: services.stock(sku) == 6, within=60, what="four pieces taken from stock")
        again = {
            "kind": "order-placed",
            "id": "the same again",
            "orderId": order["orderId"],
            "correlationId": f"{world.token}-again",
            "items": [{"sku": sku, "quantity": 4}],
        }
        sqs, queue = world.client("sqs"), world.out["StockQueueUrl"]
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(again))
        world.eventually(
            lambda: services.logged("StockLogGroupName", f"{world.token}-again"),
            within=60,
            what="the second delivery in the consumer's log",
        )
        world.never(lambda: services.stock(sku) != 6, during=3, what="another stock")
        step.show(deliveries=2, stock=6)


def _same_key_twice(world: World, services: Services, customer: str) -> None:
    sku, key = f"{world.token}-jug", services.new_key()
    with world.step("the same Idempotency-Key twice is one order; with another body it is refused") as step:
        expect(services.put(sku, stock=10), 201)
        order = _order(customer, sku, 1)
        first, second = services.placed(order, key=key).json(), services.placed(order, key=key)
        assert (second.status, second.json()) == (200, first), f"two answers: {first} and {second.text}"
        other = expect(services.place(_order(customer, sku, 2), key=key), 422)
        world.eventually(lambda: services.stock(sku) == 9, within=60, what="one piece taken from stock")
        world.never(lambda: services.stock(sku) != 9, during=3, what="another stock")
        step.show(order=first["orderId"], stock=9, other_body=other["detail"])


def poison(world: World) -> dict[str, str]:
    """Publish messages that nobody can use; name -> body. They are delivered three times, half a minute apart."""
    event: Any = {"event": {"DataType": "String", "StringValue": "order-placed"}}
    unknown = {
        "kind": "order-placed",
        "id": f"{world.token}-poison",
        "orderId": str(uuid.uuid4()),
        "items": [{"sku": f"{world.token}-nothing", "quantity": 1}],
    }
    bodies = {"no event at all": f"{world.token} no JSON", "of an unknown product": json.dumps(unknown)}
    with world.step("messages that nobody can use, or that want an unknown product, are published among the others"):
        for body in bodies.values():
            world.client("sns").publish(TopicArn=world.out["EventsTopicArn"], Message=body, MessageAttributes=event)
    return bodies


def poisoned(world: World, bodies: dict[str, str]) -> None:
    """They are where they belong."""
    with world.step("what nobody could use is in the dead letters, and kept nothing else from being worked on") as step:
        missing = dict(bodies)

        def found() -> bool:
            dead = _dead(world)
            for name in [name for name, body in missing.items() if body in dead]:
                del missing[name]
            return not missing

        world.eventually(found, within=400, what="both dead letters, after three deliveries")
        step.show(dead_letters=", ".join(bodies))


def no_order(world: World) -> None:
    """Write a record of the orders' table that is no order."""
    dynamodb, table = world.client("dynamodb"), world.out["OrdersTableName"]
    key = {"orderId": {"S": f"{world.token}-no-order"}}
    world.cleanup(dynamodb.delete_item, TableName=table, Key=key)
    with world.step("a record that is no order is written into the table"):
        dynamodb.put_item(TableName=table, Item=key)


def not_published(world: World) -> None:
    """It is known where it belongs."""
    with world.step("the record that is no order was not published, and told to the failures") as step:
        told = world.eventually(lambda: _failure(world), within=240, what="the publisher telling of its failure")
        assert told["keys"]["orderId"]["S"] == f"{world.token}-no-order", told
        assert "customerId" in told["reason"], told
        step.show(key=told["keys"]["orderId"]["S"], reason=told["reason"].splitlines()[0])


def _failure(world: World) -> Any:
    sqs, queue = world.client("sqs"), world.out["PublisherFailuresUrl"]
    for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return json.loads(message["Body"])
    return None


def _dead(world: World) -> list[str]:
    sqs, queue = world.client("sqs"), world.out["StockDeadLetterQueueUrl"]
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]


def _kept(world: World, services: Services, sku: str) -> None:
    """Wait until the cache has a product."""
    world.eventually(
        lambda: services.catalog("GET", f"/products/{sku}").headers.get("X-Cache") == "hit",
        within=90,
        what=f"{sku} in the cache",
    )


def _says(services: Services, sku: str, stock: int) -> str | None:
    answer = services.catalog("GET", f"/products/{sku}")
    body: Any = expect(answer, 200)
    return str(answer.headers["X-Cache"]) if body["stock"] == stock else None


def _order(customer: str, sku: str, quantity: int) -> dict[str, Any]:
    return {"customerId": customer, "items": [{"sku": sku, "quantity": quantity}]}
