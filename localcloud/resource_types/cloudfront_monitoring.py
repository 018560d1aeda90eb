"""CloudFront's additional metrics: there are none here, so that they are wanted is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localcloud.registry import Registry


def register(registry: Registry) -> None:
    """Add the type."""
    registry.recorded("AWS::CloudFront::MonitoringSubscription")
