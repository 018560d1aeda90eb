"""A shop posts orders in a burst; all are stored once and told once, and what is wrong is refused or found again."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from journeys._http import Response
from journeys._inbox import Inbox
from journeys._world import World

READS = (
    "OrdersUrl",
    "OrdersTableName",
    "QueueUrl",
    "QueueArn",
    "DeadLetterQueueUrl",
    "DeadLetterQueueArn",
    "NoticesTopicArn",
    "ShopRoleArn",
)
BURST = 40
PHONE = "+15555550100"
WRONG: tuple[tuple[str, Any, str], ...] = (
    ("a missing field", {"orderId": "x", "quantity": 1}, "item"),
    ("an unknown field", {"orderId": "x", "item": "tea", "quantity": 1, "colour": "red"}, "colour"),
    ("a quantity of 0", {"orderId": "x", "item": "tea", "quantity": 0}, "quantity"),
    ("a quantity that is text", {"orderId": "x", "item": "tea", "quantity": "2"}, "quantity"),
    ("an id with a blank", {"orderId": "a b", "item": "tea", "quantity": 1}, "orderId"),
    ("a list", [], "object"),
)


def run(world: World) -> None:
    shop = _Shop(world)
    _burst(world, shop)
    _same_again(world, shop)
    _wrong_orders(world, shop)
    _strangers(world, shop)
    _poison_and_redrive(world, shop)
    _sms(world, shop)


class _Shop:
    """Takes orders under the shop's role, and looks where they arrive."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.identity = world.as_role(world.out["ShopRoleArn"])
        self._inbox = Inbox(world, world.out["NoticesTopicArn"])
        self._told: Counter[str] = Counter()

    def order(self, name: object, quantity: int = 1) -> dict[str, Any]:
        return {"orderId": f"{self._world.token}-{name}", "item": "tea", "quantity": quantity}

    def post(self, order: object) -> Response:
        return self.identity.http("POST", self._world.out["OrdersUrl"], json=order, sign="execute-api")

    def stored(self, name: object) -> Any:
        key = {"orderId": {"S": f"{self._world.token}-{name}"}}
        table = self._world.out["OrdersTableName"]
        return self._world.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")

    def notices(self) -> Counter[str]:
        """Order id -> how often it was told so far."""
        for text in self._inbox.take():
            self._told[text.split(":")[0].removeprefix("Order ")] += 1
        return self._told


def _burst(world: World, shop: _Shop) -> None:
    with world.step(f"a burst of {BURST} orders is taken at once") as step:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(shop.post, (shop.order(number) for number in range(BURST))))
        assert {answer.status for answer in answers} == {202}, Counter(answer.status for answer in answers)
        ids = {answer.json()["id"] for answer in answers}
        assert len(ids) == BURST, f"{BURST} requests were given {len(ids)} ids"
        step.show(status=202, ids=len(ids), first=min(ids))

    with world.step("every order is stored, and told exactly once") as step:
        world.eventually(lambda: all(map(shop.stored, range(BURST))), within=60, what="all orders stored")
        expected = {shop.order(number)["orderId"] for number in range(BURST)}
        world.eventually(lambda: expected <= set(shop.notices()), within=60, what="a notice of every order")
        world.never(lambda: set(shop.notices().values()) != {1}, during=2, what="a second notice of an order")
        step.show(stored=BURST, told=shop.notices().total())


def _same_again(world: World, shop: _Shop) -> None:
    first = shop.order(0)
    with world.step("the same order again is the same order: not stored or told twice") as step:
        assert shop.post(first).status == 202
        world.never(lambda: shop.notices()[first["orderId"]] > 1, during=3, what="a second notice of the order")
        step.show(status=202, notices=shop.notices()[first["orderId"]])

    with world.step("the same id for another order is refused and found among the dead letters") as step:
        assert shop.post(shop.order(0, quantity=999)).status == 202
        letter = world.eventually(lambda: _dead_letter(world, "999"), within=90, what="the dead letter")
        kept = shop.stored(0)
        assert kept["quantity"] == {"N": "1"}, f"the first order was changed: {kept}"
        step.show(dead_letter=letter["MessageId"], first_order_quantity=1)


def _wrong_orders(world: World, shop: _Shop) -> None:
    for what, body, named in WRONG:
        with world.step(f"{what}: 400 that names {named}") as step:
            answer = shop.post(body)
            assert answer.status == 400, f"expected 400, got {answer.status}: {answer.text}"
            problem = answer.json()
            assert named in problem["detail"] or named in problem["rules"], f"{named} is not named: {answer.text}"
            step.show(status=400, detail=problem["detail"])

    with world.step("malformed JSON: 400") as step:
        url, json_type = world.out["OrdersUrl"], {"Content-Type": "application/json"}
        answer = shop.identity.http("POST", url, body='{"orderId": ', headers=json_type, sign="execute-api")
        assert answer.status == 400, f"expected 400, got {answer.status}: {answer.text}"
        step.show(status=400, title=answer.json()["title"])


def _strangers(world: World, shop: _Shop) -> None:
    with world.step("nobody without a grant gets in: 403 unsigned, AccessDenied behind the door") as step:
        unsigned = world.http("POST", world.out["OrdersUrl"], json=shop.order("unsigned"))
        assert unsigned.status == 403, f"expected 403, got {unsigned.status}: {unsigned.text}"
        url, table = world.out["QueueUrl"], world.out["OrdersTableName"]
        world.refused("AccessDenied", shop.identity.client("sqs").send_message, QueueUrl=url, MessageBody="{}")
        world.refused("AccessDenied", shop.identity.client("dynamodb").scan, TableName=table)
        step.show(unsigned=403, queue="AccessDenied", table="AccessDenied")


def _poison_and_redrive(world: World, shop: _Shop) -> None:
    sqs = world.client("sqs")
    with world.step("a poison message ends among the dead letters, the orders around it are stored") as step:
        bodies = [json.dumps(shop.order("before")), f"poison {world.token}", json.dumps(shop.order("after"))]
        entries: Any = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        assert not sqs.send_message_batch(QueueUrl=world.out["QueueUrl"], Entries=entries).get("Failed")
        both = world.eventually(lambda: shop.stored("before") and shop.stored("after"), within=60, what="the others")
        letter = world.eventually(lambda: _dead_letter(world, "poison"), within=90, what="the poison")
        step.show(dead_letter=letter["MessageId"], others="stored" if both else "lost")

    with world.step("redrive: a repaired dead letter goes back to the queue and is stored") as step:
        sqs.send_message(QueueUrl=world.out["DeadLetterQueueUrl"], MessageBody=json.dumps(shop.order("repaired")))
        task = sqs.start_message_move_task(
            SourceArn=world.out["DeadLetterQueueArn"], DestinationArn=world.out["QueueArn"]
        )
        repaired = world.eventually(lambda: shop.stored("repaired"), within=60, what="the repaired order stored")
        step.show(task=task["TaskHandle"][:16], stored=repaired["orderId"]["S"])


def _sms(world: World, shop: _Shop) -> None:
    with world.step("a subscribed phone gets an SMS of the order") as step:
        world.sms(PHONE)  # not run where nobody can look into the phone: then nothing is sent to it either
        sns, topic = world.client("sns"), world.out["NoticesTopicArn"]
        arn = sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint=PHONE, ReturnSubscriptionArn=True)
        world.cleanup(sns.unsubscribe, SubscriptionArn=arn["SubscriptionArn"])
        order = shop.order("sms", quantity=3)
        assert shop.post(order).status == 202
        text = f"Order {order['orderId']}: 3 x tea received."
        world.eventually(lambda: text in world.sms(PHONE), within=30, what=f"{text!r} on the phone")
        step.show(phone=PHONE, text=text)


def _dead_letter(world: World, part: str) -> Any:
    """Take the dead letter of this journey that contains ``part``; others are left for their owners."""
    sqs, url = world.client("sqs"), world.out["DeadLetterQueueUrl"]
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1, WaitTimeSeconds=1)
    for message in answer.get("Messages", []):
        if part in message["Body"] and (world.token in message["Body"]):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return message
    return None
