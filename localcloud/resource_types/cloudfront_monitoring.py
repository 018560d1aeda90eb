"""CloudFront's additional metrics: the emulator's API knows who wants them, its CloudFormation does not.

There are no metrics here either way; what is kept is the wish for them, with its distribution.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

from localcloud.internals import need
from localcloud.resource_types._cloudfront import answer

if TYPE_CHECKING:
    from localcloud.registry import Props, Registry

_CONFIG, _STATUS = "RealtimeMetricsSubscriptionConfig", "RealtimeMetricsSubscriptionStatus"


def register(registry: Registry) -> None:
    """Add the type."""
    registry._add("AWS::CloudFront::MonitoringSubscription", "adapter", create, update, delete)


def create(_logical_id: str, props: Props, _stack_name: str) -> tuple[str, dict[str, str]]:
    """CreateMonitoringSubscription; Ref is the distribution's id."""
    distribution = props["DistributionId"]
    answer(_service()._create_monitoring_subscription(distribution, _body(props["MonitoringSubscription"])))
    return distribution, {}


def update(_old_id: str, _old: Props, new: Props, stack_name: str, logical_id: str) -> tuple[str, dict[str, str]]:
    """The same call, which replaces what there is.

    Of another distribution it is another one; the former one's is deleted when the stack sees that the id is another.
    """
    return create(logical_id, new, stack_name)


def delete(distribution: str, _props: Props) -> None:
    """DeleteMonitoringSubscription, unless it left with its distribution."""
    if _service()._distributions.get(distribution, {}).get("MonitoringSubscription"):
        answer(_service()._delete_monitoring_subscription(distribution))


def _body(subscription: Props) -> bytes:
    root = ET.Element("MonitoringSubscription")
    ET.SubElement(ET.SubElement(root, _CONFIG), _STATUS).text = subscription[_CONFIG][_STATUS]
    return bytes(ET.tostring(root))


def _service() -> Any:
    calls = ("_create_monitoring_subscription", "_delete_monitoring_subscription")
    return need("services.cloudfront", "_distributions", *calls)
