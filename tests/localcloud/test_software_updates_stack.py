"""The stack that hands out updates gets an edge, loses it again, and is deleted; the servers behind never change."""

from typing import Any

import pytest

from localcloud.cloud import REGION, LocalCloud
from tests.localcloud import probes
from tests.localcloud.scenarios import of_type, resources_of
from tests.templates import Template

pytestmark = pytest.mark.cloud

KEY, NAME = "software-updates", "probe-software-updates.example.com."
LIST = "com.amazonaws.global.cloudfront.origin-facing"
RULE, RECORD = "AWS::ElasticLoadBalancingV2::ListenerRule", "AWS::Route53::RecordSet"
BALANCER, DISTRIBUTION = "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::CloudFront::Distribution"


def prefix_list(cloud: LocalCloud) -> str:
    asked = [{"Name": "prefix-list-name", "Values": [LIST]}]
    (found,) = cloud.client("ec2").describe_managed_prefix_lists(Filters=asked)["PrefixLists"]
    return str(found["PrefixListId"])


class Seen:
    """What the APIs say of a deployed stack."""

    def __init__(self, cloud: LocalCloud, template: Template, ids: dict[str, str]) -> None:
        self._cloud, self._template, self._ids = cloud, template, ids

    def _id(self, kind: str, part: str = "") -> str:
        (found,) = [name for name in of_type(self._template, kind) if part in name]
        return self._ids[found]

    def leads_to(self) -> str:
        """What the stack's own name leads to."""
        zone = self._id("AWS::Route53::HostedZone")
        records = self._cloud.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        (own,) = [one for one in records if (one["Name"], one["Type"]) == (NAME, "A")]
        return str(own["AliasTarget"]["DNSName"]).removeprefix("dualstack.").rstrip(".")

    def balancer(self) -> dict[str, Any]:
        arn = self._id(BALANCER)
        (found,) = self._cloud.client("elbv2").describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        return dict(found)

    def admitted(self) -> list[tuple[int, str]]:
        """(port, address or prefix list) of everybody who gets to the load balancer."""
        groups = self._cloud.client("ec2").describe_security_groups(GroupIds=self.balancer()["SecurityGroups"])
        rules = [rule for group in groups["SecurityGroups"] for rule in group["IpPermissions"]]
        peers = [(rule["FromPort"], one["CidrIp"]) for rule in rules for one in rule.get("IpRanges", [])]
        lists = [(rule["FromPort"], one["PrefixListId"]) for rule in rules for one in rule.get("PrefixListIds", [])]
        return sorted([*peers, *lists])

    def rules(self) -> list[str]:
        """What the HTTPS listener does, rule by rule; the last is what it does otherwise."""
        elbv2 = self._cloud.client("elbv2")
        listeners = elbv2.describe_listeners(LoadBalancerArn=self.balancer()["LoadBalancerArn"])["Listeners"]
        (secure,) = [one["ListenerArn"] for one in listeners if one["Port"] == 443]
        found = elbv2.describe_rules(ListenerArn=secure)["Rules"]
        return [one["Actions"][0]["Type"] for one in sorted(found, key=lambda one: one["Priority"])]

    def shield(self) -> dict[str, Any]:
        """The cache between the edges and the servers."""
        asked = self._cloud.client("cloudfront").get_distribution_config(Id=self._id(DISTRIBUTION))
        return dict(asked["DistributionConfig"]["Origins"]["Items"][0].get("OriginShield", {}))

    def metrics(self) -> str:
        """Whether the distribution's additional metrics are wanted."""
        asked = self._cloud.client("cloudfront").get_monitoring_subscription(DistributionId=self._id(DISTRIBUTION))
        config = asked["MonitoringSubscription"]["RealtimeMetricsSubscriptionConfig"]
        return str(config["RealtimeMetricsSubscriptionStatus"])


def same(ids: dict[str, str], others: dict[str, str]) -> bool:
    """Whether what both deployments have is the same."""
    return all(ids[name] == others[name] for name in ids.keys() & others.keys())


def test_it_gets_an_edge_loses_it_and_is_deleted(cloud: LocalCloud) -> None:
    listed = prefix_list(cloud)
    plain = resources_of(KEY, {"Id": listed}, offload="false")
    offloaded = resources_of(KEY, {"Id": listed}, options="shield")
    everybody = [(80, "0.0.0.0/0"), (443, "0.0.0.0/0")]
    ids = probes.deploy(cloud, plain)
    seen = Seen(cloud, plain, ids)
    assert (seen.admitted(), seen.rules()) == (everybody, ["forward"])
    assert seen.leads_to() == seen.balancer()["DNSName"]

    with_edge = probes.update(cloud, offloaded)
    assert same(ids, with_edge), "something was replaced"
    edged = Seen(cloud, offloaded, with_edge)
    assert (edged.admitted(), edged.rules()) == ([(443, listed)], ["forward", "fixed-response", "forward"])
    assert edged.leads_to().endswith(".cloudfront.net")
    assert edged.metrics() == "Enabled"
    assert edged.shield() == {"Enabled": True, "OriginShieldRegion": REGION}

    again = probes.update(cloud, plain)
    assert same(again, with_edge), "something was replaced"
    assert (seen.admitted(), seen.rules()) == (everybody, ["forward"])
    assert seen.leads_to() == seen.balancer()["DNSName"]
    distributions = cloud.client("cloudfront").list_distributions()["DistributionList"].get("Items", [])
    assert with_edge[of_type(offloaded, DISTRIBUTION)[0]] not in [one["Id"] for one in distributions]

    balancer = seen.balancer()["LoadBalancerArn"]
    (files,) = of_type(plain, "AWS::EFS::FileSystem")
    probes.destroy(cloud)
    left = [one["LoadBalancerArn"] for one in cloud.client("elbv2").describe_load_balancers()["LoadBalancers"]]
    assert balancer not in left
    systems = cloud.client("efs").describe_file_systems()["FileSystems"]
    assert ids[files] not in [one["FileSystemId"] for one in systems]
