"""The stack of the three services is deployed, changed and deleted; its servers and stores leave with it."""

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes
from tests.localcloud.scenarios import of_type, resources_of

pytestmark = pytest.mark.cloud


def test_it_is_deployed_changed_and_deleted(cloud: LocalCloud) -> None:
    plain = resources_of("microservices")
    watched = resources_of("microservices", alarm_email="oncall@example.com")
    ids = probes.deploy(cloud, plain)

    changed = probes.update(cloud, watched)
    (subscription,) = set(watched) - set(plain)
    assert watched[subscription]["Properties"]["Endpoint"] == "oncall@example.com"
    assert {name: changed[name] for name in ids} == ids, "who is told of alarms replaced something"

    assert probes.update(cloud, plain) == ids

    ecs = cloud.client("ecs")
    (cluster,) = of_type(plain, "AWS::ECS::Cluster")

    def clusters() -> list[str]:
        return [one for one in ecs.list_clusters()["clusterArns"] if one.endswith(f"/{ids[cluster]}")]

    assert clusters()
    probes.destroy(cloud)
    assert not clusters()
    databases = cloud.client("rds").describe_db_instances()["DBInstances"]
    (database,) = of_type(plain, "AWS::RDS::DBInstance")
    assert ids[database] not in [one["DBInstanceIdentifier"] for one in databases]
    caches = cloud.client("elasticache").describe_serverless_caches()["ServerlessCaches"]
    (cache,) = of_type(plain, "AWS::ElastiCache::ServerlessCache")
    assert ids[cache] not in [one["ServerlessCacheName"] for one in caches]
    balancers = cloud.client("elbv2").describe_load_balancers()["LoadBalancers"]
    known = {ids[name] for name in of_type(plain, "AWS::ElasticLoadBalancingV2::LoadBalancer")}
    assert len(known) == 2
    assert not known & {one["LoadBalancerArn"] for one in balancers}
