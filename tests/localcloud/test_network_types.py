"""localcloud/resource_types/network.py and dax.py."""

from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def _group(description: str) -> dict[str, Any]:
    properties = {"GroupDescription": description, "VpcId": {"Ref": "Vpc"}}
    return {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}


def _rule(way: str, group: str, other: str) -> dict[str, Any]:
    side = "SourceSecurityGroupId" if way == "Ingress" else "DestinationSecurityGroupId"
    properties: dict[str, Any] = {
        "GroupId": probes.attribute(group, "GroupId"),
        side: probes.attribute(other, "GroupId"),
    }
    properties |= {"IpProtocol": "tcp", "FromPort": 9111, "ToPort": 9111}
    return {"Type": f"AWS::EC2::SecurityGroup{way}", "Properties": properties}


def test_rules_between_groups_and_flow_logs_are_made_and_leave(cloud: LocalCloud) -> None:
    flow_log = {"ResourceId": {"Ref": "Vpc"}, "ResourceType": "VPC", "TrafficType": "REJECT", "LogGroupName": "g"}
    made = probes.deploy(
        cloud,
        {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
            "Nodes": _group("nodes"),
            "Callers": _group("callers"),
            "In": _rule("Ingress", "Nodes", "Callers"),
            "Out": _rule("Egress", "Callers", "Nodes"),
            "Log": {"Type": "AWS::EC2::FlowLog", "Properties": flow_log},
        },
        NodesId=("Nodes", "GroupId"),
        CallersId=("Callers", "GroupId"),
    )
    ec2 = cloud.client("ec2")
    nodes, callers = (
        ec2.describe_security_groups(GroupIds=[made[name]])["SecurityGroups"][0] for name in ("NodesId", "CallersId")
    )
    (rule,) = nodes["IpPermissions"]
    assert (rule["FromPort"], [one["GroupId"] for one in rule["UserIdGroupPairs"]]) == (9111, [made["CallersId"]])
    to_nodes = [one for one in callers["IpPermissionsEgress"] if one.get("FromPort") == 9111]
    assert [pair["GroupId"] for one in to_nodes for pair in one["UserIdGroupPairs"]] == [made["NodesId"]]
    (log,) = ec2.describe_flow_logs(FlowLogIds=[made["Log"]])["FlowLogs"]
    assert (log["ResourceId"], log["TrafficType"]) == (made["Vpc"], "REJECT")
    probes.destroy(cloud)
    assert ec2.describe_flow_logs(FlowLogIds=[made["Log"]])["FlowLogs"] == []


def test_a_dax_cluster_is_recorded_only_and_nobody_answers_there(cloud: LocalCloud) -> None:
    assert cloud.ready.added["AWS::DAX::Cluster"] == "recorded"
    made = probes.deploy(
        cloud,
        {"Cluster": {"Type": "AWS::DAX::Cluster", "Properties": {"NodeType": "dax.t3.small", "ReplicationFactor": 1}}},
        Arn=("Cluster", "Arn"),
        Url=("Cluster", "ClusterDiscoveryEndpointURL"),
    )
    assert made["Arn"].startswith("arn:aws:dax:")
    assert made["Url"] == "daxs://127.0.0.1:9"
