"""A server's place in its target groups."""

from typing import Any


class Registration:
    """Registers one server.

    Args:
        elb: a client of Elastic Load Balancing.
        groups: ARNs of the target groups.
        port: the server's.
        zone: its availability zone.
    """

    def __init__(self, elb: Any, groups: tuple[str, ...], port: int, zone: str) -> None:
        self._elb, self._groups = elb, groups
        self.port, self.zone = port, zone

    @property
    def target(self) -> str:
        """Address and port."""
        return f"127.0.0.1:{self.port}"

    def enter(self) -> None:
        """Register it."""
        # The zone goes along: a load balancer takes an address outside its VPC only with one.
        target = {"Id": "127.0.0.1", "Port": self.port, "AvailabilityZone": self.zone}
        for group in self._groups:
            self._elb.register_targets(TargetGroupArn=group, Targets=[target])

    def leave(self) -> None:
        """Deregister it: it gets no new requests."""
        for group in self._groups:
            self._elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": self.port}])

    def states(self) -> list[str]:
        """Its state in each group."""
        found = [
            self._elb.describe_target_health(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": self.port}])[
                "TargetHealthDescriptions"
            ]
            for group in self._groups
        ]
        return [str(one["TargetHealth"]["State"]) for described in found for one in described]
