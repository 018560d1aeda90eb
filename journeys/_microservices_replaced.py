"""Every server of orders is replaced while orders are placed and shown: none is lost, and none is placed twice."""

import threading
from collections.abc import Callable, Collection
from typing import Any

from journeys._http import Response
from journeys._load import load
from journeys._microservices import Services, expect, says_later
from journeys._world import World

# So few at once that a machine which is busy with other things falls behind, and no further.
_PER_SECOND, _AT_ONCE, _AT_MOST = 4, 4, 900
# One of three places an order, the others look at one.
_PLACES = 3
_STOCK = 100_000


class Buyers:
    """Those who place orders and look at them, as the API asks its clients to.

    Whoever is told to come later by the service itself asks again, with the same key: that a neighbour is slow is
    nothing that a replacement lost. What the load balancer answers in the servers' stead is, and stays, the answer.

    Args:
        world: Where.
        services: Calls.
        order: What they order.
        known: An order that was placed before.

    Attributes:
        placed: Ids of the orders that were placed.
        later: How often they were told to come later.
        degraded: How often an order was shown without a neighbour.
    """

    def __init__(self, world: World, services: Services, order: dict[str, Any], known: str) -> None:
        self._world = world
        self._services = services
        self._order = order
        self._known = known
        self._counting = threading.Lock()
        self.placed: list[str] = []
        self.later = 0
        self.degraded = 0

    def send(self, number: int) -> Response:
        """The answer to the request of that number."""
        return self._look() if number % _PLACES else self._place()

    def _place(self) -> Response:
        key = self._services.new_key()
        answer = self._until_answered(lambda: self._services.place(self._order, key=key))
        if answer.status in {200, 201}:
            with self._counting:
                self.placed.append(str(answer.json()["orderId"]))
        return answer

    def _look(self) -> Response:
        wanted = (self.placed or [self._known])[-1]
        answer = self._until_answered(lambda: self._services.orders("GET", f"/orders/{wanted}"))
        if answer.status == 200:
            shown = answer.json()
            assert shown["orderId"] == wanted, f"asked for {wanted}, got {shown}"
            with self._counting:
                self.degraded += bool(shown["degraded"])
        return answer

    def _until_answered(self, call: Callable[[], Response]) -> Response:
        def attempt() -> Response | None:
            answer = call()
            if not says_later(answer):
                return answer
            with self._counting:
                self.later += 1
            return None

        answered = self._world.eventually(attempt, within=60, what="an answer that is not to come later")
        assert answered is not None
        return answered


def run(world: World, services: Services, customer: str, order: str) -> None:
    """The step.

    Args:
        world: Where.
        services: Calls.
        customer: Id of a customer.
        order: Id of an order of theirs.
    """
    sku = f"{world.token}-rice"
    with world.step("every server of orders is replaced while orders are placed and shown, and none is lost") as step:
        expect(services.put(sku, stock=_STOCK), 201)
        before = services.kept(customer)
        wanted = {"customerId": customer, "items": [{"sku": sku, "quantity": 1}]}
        buyers = Buyers(world, services, wanted, order)
        servers = world.servers.of_service(world.out["OrdersClusterName"], world.out["OrdersServiceName"])
        with load(buyers.send, per_second=_PER_SECOND, at_most=_AT_MOST, threads=_AT_ONCE) as running:
            running.go_on(20, within=120)
            for server in servers:
                world.servers.replace(server)
                running.go_on(20, within=120)
        report, count = running.report, len(buyers.placed)
        assert not report.lost, report.shown()
        assert count, "nothing was ordered"
        settled(buyers.placed, before=before, after=services.kept(customer))
        world.eventually(lambda: services.stock(sku) == _STOCK - count, within=180, what=f"{count} pieces taken")
        told = {"orders": count, "told_to_come_later": buyers.later, "shown_in_part": buyers.degraded}
        step.show(replaced=len(servers), **report.shown(), **told)


def settled(placed: Collection[str], *, before: Collection[str], after: Collection[str]) -> None:
    """The table has each order that was placed, and no other.

    Args:
        placed: Ids, as they were answered.
        before: Ids of the orders that were kept before.
        after: And of those that are kept now.

    Raises:
        AssertionError: It is not so.
    """
    assert len(set(placed)) == len(placed), f"two were told of the same order: {sorted(placed)}"
    new = set(after) - set(before)
    assert new >= set(placed), f"placed, and not kept: {sorted(set(placed) - new)}"
    assert new <= set(placed), f"kept, and nobody was told: {sorted(new - set(placed))}"
