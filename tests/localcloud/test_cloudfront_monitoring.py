"""localcloud/resource_types/cloudfront_monitoring.py."""

from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud
TYPE = "AWS::CloudFront::MonitoringSubscription"
# AWS's managed policy CachingDisabled.
CACHE = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"


def distribution(origin: str) -> dict[str, Any]:
    origins = [{"Id": "o", "DomainName": origin, "CustomOriginConfig": {"OriginProtocolPolicy": "https-only"}}]
    behaviour = {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only", "CachePolicyId": CACHE}
    config = {"Enabled": True, "Origins": origins, "DefaultCacheBehavior": behaviour}
    return {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": config}}


def resources(status: str, of: str = "One") -> dict[str, Any]:
    subscription = {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": status}}
    properties = {"DistributionId": {"Ref": of}, "MonitoringSubscription": subscription}
    distributions = {name: distribution(f"{name.lower()}.example.com") for name in ("One", "Two")}
    return {**distributions, "Metrics": {"Type": TYPE, "Properties": properties}}


def wanted(cloud: LocalCloud, identity: str) -> str:
    """What the API says of a distribution."""
    cloudfront = cloud.client("cloudfront")
    try:
        found = cloudfront.get_monitoring_subscription(DistributionId=identity)["MonitoringSubscription"]
    except cloudfront.exceptions.NoSuchMonitoringSubscription:
        return "nothing"
    except cloudfront.exceptions.NoSuchDistribution:
        return "no distribution"
    return str(found["RealtimeMetricsSubscriptionConfig"]["RealtimeMetricsSubscriptionStatus"])


@pytest.mark.lifecycle("AWS::CloudFront::MonitoringSubscription")
def test_metrics_are_wanted_no_longer_wanted_and_forgotten(cloud: LocalCloud) -> None:
    assert cloud.ready.added[TYPE] == "adapter"
    made = probes.deploy(cloud, resources("Enabled"))
    assert made["Metrics"] == made["One"]
    assert wanted(cloud, made["One"]) == "Enabled"
    assert wanted(cloud, made["Two"]) == "nothing"
    assert probes.update(cloud, resources("Disabled")) == made
    assert wanted(cloud, made["One"]) == "Disabled"
    moved = probes.update(cloud, resources("Enabled", of="Two"))
    assert moved["Metrics"] == made["Two"]
    assert (wanted(cloud, made["One"]), wanted(cloud, made["Two"])) == ("nothing", "Enabled")
    without = {name: one for name, one in resources("Enabled").items() if name != "Metrics"}
    probes.update(cloud, without)
    assert wanted(cloud, made["Two"]) == "nothing"
    probes.destroy(cloud)
    assert wanted(cloud, made["One"]) == "no distribution"


@pytest.mark.parametrize(
    ("status", "of", "says"),
    [("On", {"Ref": "One"}, "must be Enabled or Disabled"), ("Enabled", "E1", "NoSuchDistribution")],
)
def test_what_the_api_refuses_fails_the_stack(cloud: LocalCloud, status: str, of: Any, says: str) -> None:
    bad = resources(status)
    bad["Metrics"]["Properties"]["DistributionId"] = of
    with pytest.raises(AssertionError, match=f"Metrics: .*{says}"):
        probes.deploy(cloud, bad)
