"""What becomes of orders while another service is away, hangs, or is replaced."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from journeys import _microservices_replaced as replaced
from journeys._microservices import Services, expect, timed
from journeys._servers import Server
from journeys._steps import NotRunError
from journeys._world import World

# An answer comes well before a load balancer, or a person, gives up.
LONGEST_SECONDS = 8.0
# And not at once: one attempt at a service that hangs takes a second.
PATIENCE_SECONDS = 1.0


def run(world: World, services: Services, customer: str, order: dict[str, Any], sku: str) -> None:
    """All steps.

    Args:
        world: Where.
        services: Calls.
        customer: Id of a customer.
        order: An order of theirs, as it was answered.
        sku: A product with stock.
    """
    replaced.run(world, services, customer, order["orderId"])
    _rotated(world, services, customer)
    servers = world.servers.of_group(world.out["CustomersGroupName"])
    path, asked = f"/orders/{order['orderId']}", {"customerId": customer, "items": [{"sku": sku, "quantity": 1}]}
    with world.step("service 3 stopped: an order is shown without its customer, and says so") as step:
        for server in servers:
            server.kill()
        shown = _bounded(lambda: services.orders("GET", path), 200)
        assert shown["body"]["customer"] is None, shown
        assert shown["body"]["degraded"] == ["customers"], shown
        assert shown["body"]["products"], "the catalog is there"
        step.show(status=200, degraded="customers", seconds=shown["seconds"])

    with world.step("and a new order is refused with a time to come back, and nothing of it is kept") as step:
        before = services.kept(customer)
        refused = _bounded(lambda: services.place(asked), (503, 504))
        assert int(refused["headers"]["Retry-After"]) >= 1, refused
        assert services.kept(customer) == before, "an order was kept that was refused"
        step.show(status=refused["status"], retry_after=refused["headers"]["Retry-After"], seconds=refused["seconds"])

    with world.step("service 3 that looks well and never answers: orders answer within bounds all the same") as step:
        with _hanging_target(world, servers[0]):
            shown = _bounded(lambda: services.orders("GET", path), 200)
            assert shown["body"]["degraded"] == ["customers"], shown
            refused = _bounded(lambda: services.place(asked), (503, 504))
            assert refused["headers"].get("Retry-After"), refused
            for one in (shown, refused):
                assert one["seconds"] >= PATIENCE_SECONDS, f"nothing hung: answered after {one['seconds']} s"
        step.show(shown_s=shown["seconds"], refused=refused["status"], refused_s=refused["seconds"])

    with world.step("service 3 back: orders show their customer and are placed again, without a restart") as step:
        for server in servers:
            world.servers.start(server)
        shown, placed = services.shown(order["orderId"]), services.placed(asked).json()
        step.show(customer=shown["customer"]["id"], order=placed["orderId"])


def _rotated(world: World, services: Services, customer: str) -> None:
    with world.step("the password of service 3's database is rotated, and it answers with the new one") as step:
        secrets, arn = world.client("secretsmanager"), world.out["CustomersSecretArn"]

        def current() -> str:
            stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
            return str(next(version for version, found in stages.items() if "AWSCURRENT" in found))

        before = world.eventually(current, within=60, what="a password")
        secrets.rotate_secret(SecretId=arn)
        world.eventually(lambda: current() != before, within=120, what="another password")
        # A connection that was refused with the old one is made anew; a moment's 503 says so.
        world.eventually(
            lambda: services.customers("GET", f"/customers/{customer}").status == 200, within=60, what="the customer"
        )
        step.show(before=before[:8], after=current()[:8])


def _bounded(call: Any, status: int | tuple[int, ...]) -> dict[str, Any]:
    """The answer of a call that must be given in time."""
    wanted = (status,) if isinstance(status, int) else status
    found = timed(call)
    assert found.answer.status in wanted, f"expected {wanted}, got {found.answer.status}: {found.answer.text[:300]}"
    assert found.seconds < LONGEST_SECONDS, f"answered after {found.seconds:.1f} s"
    return {
        "status": found.answer.status,
        "headers": found.answer.headers,
        "body": expect(found.answer, found.answer.status),
        "seconds": round(found.seconds, 1),
    }


class _Hanging(BaseHTTPRequestHandler):
    """Well by its own account, and silent about everything else."""

    end: threading.Event

    def do_GET(self) -> None:
        """Answer the health check, or nothing."""
        if self.path != "/health":
            self.end.wait(60)
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _hanging_target(world: World, like: Server) -> Iterator[None]:
    """Until the end, the only healthy server of service 3 is one that never answers."""
    if not like.target.startswith("127."):
        raise NotRunError("a server that looks well and never answers cannot be put into this group from here")
    elbv2, end = world.client("elbv2"), threading.Event()
    group = world.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[world.out["CustomersGroupName"]]
    )["AutoScalingGroups"][0]
    (targets,) = group["TargetGroupARNs"]
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Hanging", (_Hanging,), {"end": end})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        target = {"Id": "127.0.0.1", "Port": server.server_port}

        def healthy() -> bool:
            found = elbv2.describe_target_health(TargetGroupArn=targets)["TargetHealthDescriptions"]
            return [one["Target"]["Port"] for one in found if one["TargetHealth"]["State"] == "healthy"] == [
                server.server_port
            ]

        elbv2.register_targets(TargetGroupArn=targets, Targets=[target])
        try:
            world.eventually(healthy, within=60, what="the hanging server to be the only healthy one")
            yield
        finally:
            elbv2.deregister_targets(TargetGroupArn=targets, Targets=[target])
            end.set()
            server.shutdown()
