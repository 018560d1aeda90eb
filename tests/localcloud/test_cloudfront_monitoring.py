"""localcloud/resource_types/cloudfront_monitoring.py."""

from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud
TYPE = "AWS::CloudFront::MonitoringSubscription"


def test_that_metrics_are_wanted_is_written_down_changed_and_forgotten(cloud: LocalCloud) -> None:
    def wanted(status: str) -> dict[str, Any]:
        subscription = {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": status}}
        properties = {"DistributionId": "E1", "MonitoringSubscription": subscription}
        return {"Metrics": {"Type": TYPE, "Properties": properties}}

    def written(identity: str) -> Any:
        (found,) = [one for one in listed() if one["Identifier"] == identity]
        return found["Properties"]

    def listed() -> list[Any]:
        found: list[Any] = cloud.client("cloudcontrol").list_resources(TypeName=TYPE)["ResourceDescriptions"]
        return found

    assert cloud.ready.added[TYPE] == "recorded"
    identity = probes.deploy(cloud, wanted("Enabled"))["Metrics"]
    assert "Enabled" in written(identity)
    probes.update(cloud, wanted("Disabled"))
    assert "Disabled" in written(identity)
    probes.destroy(cloud)
    assert identity not in [one["Identifier"] for one in listed()]
