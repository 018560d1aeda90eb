"""localcloud/resource_types/health_checks.py, and the service-linked roles of iam.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def check(path: str, interval: int = 30) -> dict[str, Any]:
    config = {
        "Type": "HTTPS",
        "FullyQualifiedDomainName": "shop.example.com",
        "Port": 443,
        "ResourcePath": path,
        "RequestInterval": interval,
    }
    return {"Check": {"Type": "AWS::Route53::HealthCheck", "Properties": {"HealthCheckConfig": config}}}


def test_health_checks(cloud: LocalCloud) -> None:
    route53 = cloud.client("route53")

    def read(identity: str) -> Any:
        return route53.get_health_check(HealthCheckId=identity)["HealthCheck"]["HealthCheckConfig"]

    made = probes.deploy(cloud, check("/health"), Id=("Check", "HealthCheckId"))
    assert made["Check"] == made["Id"]
    found = read(made["Check"])
    assert (found["ResourcePath"], found["Port"]) == ("/health", 443)
    assert probes.update(cloud, check("/ready"))["Check"] == made["Check"]
    assert read(made["Check"])["ResourcePath"] == "/ready"
    assert read(made["Check"])["Type"] == "HTTPS"
    replaced = probes.update(cloud, check("/ready", 10))
    assert replaced["Check"] != made["Check"]
    assert read(replaced["Check"])["RequestInterval"] == 10
    probes.destroy(cloud)
    with pytest.raises(ClientError, match="NoSuchHealthCheck"):
        read(replaced["Check"])


def test_service_linked_roles(cloud: LocalCloud) -> None:
    iam = cloud.client("iam")

    def role(description: str) -> dict[str, Any]:
        properties = {"AWSServiceName": "replicator.kafka.amazonaws.com", "Description": description}
        return {"Role": {"Type": "AWS::IAM::ServiceLinkedRole", "Properties": properties}}

    made = probes.deploy(cloud, role("first"), Name=("Role", "RoleName"))
    assert made["Role"] == made["Name"]
    found = iam.get_role(RoleName=made["Role"])["Role"]
    assert (found["Path"], found["Description"]) == ("/aws-service-role/replicator.kafka.amazonaws.com/", "first")
    assert probes.update(cloud, role("second"))["Role"] == made["Role"]
    assert iam.get_role(RoleName=made["Role"])["Role"]["Description"] == "second"
    probes.destroy(cloud)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName=made["Role"])
