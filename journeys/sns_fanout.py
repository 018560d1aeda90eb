"""A publisher publishes once; every consumer gets what its filter asks for, in order where there is one, and once."""

from functools import partial

from journeys._fanout import (
    ORDER_CONSUMERS,
    STOCK_CONSUMERS,
    Attributes,
    Fanout,
    foreign_topic,
    message_attributes,
    stranger,
    take,
)
from journeys._world import World

READS = (
    "OrdersTopicArn",
    "StockTopicArn",
    "InventoryQueueUrl",
    "UnroutedQueueUrl",
    "PublisherRoleArn",
    "RecordsTableName",
    "ShippingDeadLetterQueueUrl",
    "WarehouseDeadLetterQueueUrl",
    "StorefrontDeadLetterQueueUrl",
)
PLACED: Attributes = {"event": "order-placed", "destination": "EU-DE", "weight_kg": 5}
PAID: Attributes = {"event": "order-paid"}
# What is published (name, attributes, total in cents, tier), and who must get it and nobody else.
ROUTES: tuple[tuple[str, Attributes, int, str, set[str]], ...] = (
    ("all-match", PLACED, 12_000, "gold", {"inventory", "shipping", "analytics"}),
    ("cancelled", {**PLACED, "event": "order-cancelled"}, 500, "basic", {"inventory"}),
    ("overseas", {**PLACED, "destination": "US-CA"}, 500, "gold", {"inventory"}),
    ("30-kg", {**PLACED, "weight_kg": 30}, 500, "gold", {"inventory", "shipping"}),
    ("31-kg", {**PLACED, "weight_kg": 31}, 500, "gold", {"inventory"}),
    ("dear-and-silver", PAID, 10_000, "silver", {"analytics"}),
    ("dear-but-basic", PAID, 10_000, "basic", set()),
    ("cheap-though-gold", PAID, 9_999, "gold", set()),
)
SKUS = ("tea", "coffee", "cocoa")
MOVEMENTS = 8
DENIED = ("AccessDenied", "AuthorizationError")


def run(world: World) -> None:
    fanout = Fanout(world)
    world.cleanup(fanout.forget)
    _filters(world, fanout)
    _poison(world, fanout)
    _unrouted(world, fanout)
    _order(world, fanout)
    _same_again(world, fanout)
    _poison_in_order(world, fanout)
    _refusals(world, fanout)
    _foreign_topic(world, fanout)


def _filters(world: World, fanout: Fanout) -> None:
    with world.step(f"{len(ROUTES)} order events are published, each once") as step:
        for name, attributes, total, tier, _ in ROUTES:
            step.show(**{name: fanout.publish(fanout.order(name, total=total, tier=tier), attributes)})

    with world.step("each reaches the consumers whose filters match: attribute, prefix, number, nested body") as step:
        for name, *_, wanted in ROUTES:
            arrived = partial(fanout.all_have, name, wanted)
            world.eventually(arrived, within=60, what=f"{name} recorded by {', '.join(sorted(wanted))}")
            step.show(**{name: ", ".join(sorted(fanout.who_has(name))) or "nobody"})

    with world.step("and nobody else") as step:
        world.never(
            lambda: [(name, who) for name, *_, wanted in ROUTES if (who := fanout.who_has(name) - wanted)],
            what="an event recorded by a consumer whose filter does not match",
        )
        step.show(deliveries=sum(len(fanout.who_has(name)) for name, *_ in ROUTES))


def _poison(world: World, fanout: Fanout) -> None:
    with world.step("what one consumer fails at three times is its dead letter; the others are unharmed") as step:
        for name, address in (("before", "Here 1"), ("no-address", None), ("after", "There 2")):
            fanout.publish(fanout.order(name, total=12_000, tier="gold", address=address), PLACED)
        taken = partial(fanout.dead_letter, "shipping", "no-address")
        letter = world.eventually(taken, within=90, what="the dead letter of shipping")
        for name in ("before", "after"):
            world.eventually(partial(fanout.all_have, name, ORDER_CONSUMERS), what=f"{name} recorded by all")
        unharmed = partial(fanout.all_have, "no-address", ("inventory", "analytics"))
        world.eventually(unharmed, what="the event without address recorded by the others")
        assert not fanout.who_has("no-address", ["shipping"]), "shipping recorded what it cannot use"
        step.show(dead_letter_of_shipping=letter["MessageId"], recorded_by="inventory, analytics", neighbours="by all")


def _unrouted(world: World, fanout: Fanout) -> None:
    with world.step("an event without the required attribute is found in the unrouted queue and nowhere else") as step:
        sent = fanout.publish(fanout.order("no-event"), {"destination": "EU-DE", "weight_kg": 5})
        taken = partial(take, world, world.out["UnroutedQueueUrl"], fanout.id("no-event"))
        found = world.eventually(taken, what="the message in the unrouted queue")
        world.never(lambda: fanout.who_has("no-event"), what="the event recorded by a consumer")
        step.show(published=sent, unrouted=found["MessageId"])


def _order(world: World, fanout: Fanout) -> None:
    names = {sku: [f"{sku}-{number}" for number in range(MOVEMENTS)] for sku in SKUS}
    with world.step(f"{len(SKUS) * MOVEMENTS} movements of {len(SKUS)} SKUs, interleaved, are published") as step:
        for number in range(MOVEMENTS):
            for sku in SKUS:
                fanout.move(names[sku][number], sku)
        step.show(first=names[SKUS[0]][0], second=names[SKUS[1]][0], last=names[SKUS[-1]][-1])

    for consumer in STOCK_CONSUMERS:
        with world.step(f"{consumer} gets them in order per SKU, each once") as step:
            for sku in SKUS:
                world.eventually(
                    partial(fanout.all_have, names[sku][-1], [consumer]), within=60, what=f"the last movement of {sku}"
                )
                got, handled = fanout.in_order(consumer, sku), fanout.handled(consumer, sku)
                assert got == names[sku], f"{consumer} got {sku} in the order {got}"
                assert handled == MOVEMENTS, f"{consumer} handled {MOVEMENTS} movements of {sku} {handled} times"
                step.show(**{sku: f"{handled} handled, {got[0]} to {got[-1]}"})


def _same_again(world: World, fanout: Fanout) -> None:
    with world.step("the same de-duplication id again is delivered to nobody") as step:
        sent = fanout.move("once", "tea")
        again = fanout.move("again", "tea", once="once")
        # Behind it in the same group: once this is there, that would have been.
        fanout.move("behind", "tea")
        world.eventually(partial(fanout.all_have, "behind", STOCK_CONSUMERS), within=60, what="the movement behind")
        world.never(lambda: fanout.who_has("again", STOCK_CONSUMERS), during=2, what="the second one recorded")
        step.show(first=sent, again=again, handled=fanout.handled("warehouse", "tea"))

    with world.step("without a de-duplication id a movement is refused, not taken for one that looks the same") as step:
        publish = fanout.publisher.client("sns").publish
        topic, group = world.out["StockTopicArn"], fanout.id("tea")
        step.show(
            refused=world.refused("InvalidParameter", publish, TopicArn=topic, Message="{}", MessageGroupId=group)
        )


def _poison_in_order(world: World, fanout: Fanout) -> None:
    with world.step("poison in a group ends among the dead letters; what waited behind it goes on in order") as step:
        fanout.move("poison", "coffee", of="cocoa")
        fanout.move("waited-1", "coffee")
        fanout.move("waited-2", "coffee")
        for consumer in STOCK_CONSUMERS:
            taken = partial(fanout.dead_letter, consumer, "poison")
            letter = world.eventually(taken, within=120, what=f"the dead letter of {consumer}")
            last = partial(fanout.all_have, "waited-2", [consumer])
            world.eventually(last, within=90, what=f"the last movement recorded by {consumer}")
            got = fanout.in_order(consumer, "coffee")[-2:]
            assert got == ["waited-1", "waited-2"], f"{consumer} went on with {got}"
            step.show(**{f"dead_letter_of_{consumer}": letter["MessageId"]})


def _refusals(world: World, fanout: Fanout) -> None:
    body = fanout.order("refused", total=99_999, tier="gold")
    order = {"TopicArn": world.out["OrdersTopicArn"], "Message": body, "MessageAttributes": message_attributes(PLACED)}
    movement = {
        "TopicArn": world.out["StockTopicArn"],
        "Message": "{}",
        "MessageGroupId": fanout.id("tea"),
        "MessageDeduplicationId": fanout.id("refused"),
    }
    with world.step("publishing without TLS is refused, to the publisher too") as step:
        plain = fanout.publisher.client("sns", tls=False).publish
        step.show(endpoint=world.plain_http("sns"))
        step.show(orders=world.refused(DENIED, plain, **order), stock=world.refused(DENIED, plain, **movement))

    with world.step("a role without the grant cannot publish, nor send to a queue") as step:
        nobody = world.as_role(stranger(world))
        publish, send = nobody.client("sns").publish, nobody.client("sqs").send_message
        step.show(orders=world.refused(DENIED, publish, **order), stock=world.refused(DENIED, publish, **movement))
        step.show(send=world.refused(DENIED, send, QueueUrl=world.out["InventoryQueueUrl"], MessageBody=body))

    with world.step(
        "the publisher does nothing else: no sending to queues, no receiving, no reading of records"
    ) as step:
        sqs, dynamodb = fanout.publisher.client("sqs"), fanout.publisher.client("dynamodb")
        queue, table = world.out["InventoryQueueUrl"], world.out["RecordsTableName"]
        step.show(send=world.refused(DENIED, sqs.send_message, QueueUrl=queue, MessageBody=body))
        step.show(receive=world.refused(DENIED, sqs.receive_message, QueueUrl=queue))
        step.show(scan=world.refused(DENIED, dynamodb.scan, TableName=table))

    with world.step("nothing of what was refused got anywhere"):
        world.never(lambda: fanout.who_has("refused"), during=2, what="a refused event recorded")


def _foreign_topic(world: World, fanout: Fanout) -> None:
    with world.step("a queue takes nothing from another topic: its delivery is refused") as step:
        topic, undelivered = foreign_topic(world, world.out["InventoryQueueUrl"])
        body = fanout.order("foreign")
        world.client("sns").publish(TopicArn=topic, Message=body, MessageAttributes=message_attributes(PLACED))
        # SNS does not try again what a policy refuses: it goes to that subscription's own dead letters.
        taken = partial(take, world, undelivered, fanout.id("foreign"))
        refused = world.eventually(taken, within=60, what="the message that the queue did not take")
        world.never(lambda: fanout.who_has("foreign"), during=2, what="the foreign event recorded")
        step.show(undelivered=refused["MessageId"])
