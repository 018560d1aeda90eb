"""Composite alarms: the emulator has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localcloud.registry import Registry


def register(registry: Registry) -> None:
    """Add the types."""
    registry.recorded(
        "AWS::CloudWatch::CompositeAlarm",
        attributes=lambda name, _props: {"Arn": f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}"},
    )
