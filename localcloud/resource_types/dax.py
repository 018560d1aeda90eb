"""DAX: the emulator has none. A cluster's endpoint is a port of this machine on which nobody listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localcloud.registry import Registry

# RFC 863, "discard", which no machine of today serves: a connection is refused at once.
NOBODY = "daxs://127.0.0.1:9"


def register(registry: Registry) -> None:
    """Add the types."""
    registry.recorded("AWS::DAX::SubnetGroup")
    registry.recorded("AWS::DAX::ParameterGroup")
    registry.recorded(
        "AWS::DAX::Cluster",
        attributes=lambda name, _props: {
            "Arn": f"arn:aws:dax:us-east-1:000000000000:cache/{name}",
            "ClusterDiscoveryEndpoint": NOBODY.removeprefix("daxs://"),
            "ClusterDiscoveryEndpointURL": NOBODY,
        },
    )
