"""The names that a template writes out, and does not leave to CloudFormation."""

from collections.abc import Iterator
from typing import Any

from tests.templates import Template

# What names a resource, for itself or for the world. A zone, a certificate and an API are found by their names, too.
_NAMES = {
    "ServerlessCacheName",
    "UserId",
    "UserName",
    "UserGroupId",
    "DomainName",
    "BackupVaultName",
    "DBInstanceIdentifier",
    "DBSubnetGroupName",
    "DBParameterGroupName",
    "SubscriptionName",
    "RoleName",
    "FunctionName",
    "TableName",
    "QueueName",
    "TopicName",
    "BucketName",
    "LogGroupName",
    "ClusterName",
    "ServiceName",
    "AutoScalingGroupName",
    "LaunchTemplateName",
    "LoadBalancerName",
    "TargetGroupName",
    "RestApiName",
}
_NAMED_BY_NAME = {
    "AWS::ApiGateway::RestApi",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::Route53::HostedZone",
    "AWS::Route53::RecordSet",
}


def named(made: Template) -> dict[str, str]:
    """Where in the template -> the name that is written out there."""
    found: dict[str, str] = {}

    def walk(node: Any, path: str, names: set[str]) -> Iterator[tuple[str, str]]:
        for name, value in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(value, str) and name in names:
                yield f"{path}/{name}", value
            elif isinstance(value, dict | list):
                yield from walk(value, f"{path}/{name}", names)

    for logical_id, resource in made["Resources"].items():
        names = _NAMES | ({"Name"} if resource["Type"] in _NAMED_BY_NAME else set())
        names |= {"Family"} if resource["Type"] == "AWS::ECS::TaskDefinition" else set()
        if resource["Type"] not in {"AWS::CloudWatch::Alarm", "AWS::IAM::Policy"}:
            found |= dict(walk(resource.get("Properties", {}), logical_id, names))
    return found
