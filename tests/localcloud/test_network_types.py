"""localcloud/resource_types/network.py and dax.py."""

import json
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes
from tests.localcloud.networks import Resources, own_tags, ref, resource, tags, vpc

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
    to_nodes = callers["IpPermissionsEgress"]
    assert [one.get("FromPort") for one in to_nodes] == [9111], "the rule that lets everything out is still there"
    assert [pair["GroupId"] for one in to_nodes for pair in one["UserIdGroupPairs"]] == [made["NodesId"]]
    (log,) = ec2.describe_flow_logs(FlowLogIds=[made["Log"]])["FlowLogs"]
    assert (log["ResourceId"], log["TrafficType"]) == (made["Vpc"], "REJECT")
    probes.destroy(cloud)
    assert ec2.describe_flow_logs(FlowLogIds=[made["Log"]])["FlowLogs"] == []


@pytest.mark.lifecycle("AWS::EC2::FlowLog")
def test_a_flow_log_keeps_its_id_and_changes_its_tags(cloud: LocalCloud) -> None:
    def resources(traffic: str, **named: str) -> Resources:
        about = {"ResourceId": ref("Vpc"), "ResourceType": "VPC", "TrafficType": traffic, "LogGroupName": "g"}
        return {**vpc(), "Log": resource("FlowLog", **about, Tags=tags(**named))}

    def log(identity: str) -> Any:
        (found,) = cloud.client("ec2").describe_flow_logs(FlowLogIds=[identity])["FlowLogs"]
        return found

    made = probes.deploy(cloud, resources("ALL", kept="a month"), Id=("Log", "Id"))
    assert (made["Id"], own_tags(log(made["Log"]))) == (made["Log"], {"kept": "a month"})
    again = probes.update(cloud, resources("ALL", kept="a year"))
    assert (again["Log"], own_tags(log(made["Log"]))) == (made["Log"], {"kept": "a year"})
    other = probes.update(cloud, resources("REJECT"))
    assert (other["Log"] != made["Log"], log(other["Log"])["TrafficType"]) == (True, "REJECT")
    assert cloud.client("ec2").describe_flow_logs(FlowLogIds=[made["Log"]])["FlowLogs"] == []
    probes.destroy(cloud)
    assert cloud.client("ec2").describe_flow_logs(FlowLogIds=[other["Log"]])["FlowLogs"] == []


@pytest.mark.lifecycle("AWS::EC2::SecurityGroupIngress")
@pytest.mark.parametrize(
    ("side", "kind", "found"),
    [
        ({"SourcePrefixListId": "pl-1"}, "PrefixListIds", [{"PrefixListId": "pl-1", "Description": "why"}]),
        ({"CidrIp": "192.0.2.0/24"}, "IpRanges", [{"CidrIp": "192.0.2.0/24", "Description": "why"}]),
        ({"CidrIpv6": "2001:db8::/32"}, "Ipv6Ranges", [{"CidrIpv6": "2001:db8::/32", "Description": "why"}]),
    ],
)
def test_a_rule_keeps_its_other_side_and_why(
    cloud: LocalCloud, side: dict[str, str], kind: str, found: list[dict[str, str]]
) -> None:
    def resources(port: int) -> Resources:
        rule = {"GroupId": probes.attribute("Group", "GroupId"), "IpProtocol": "tcp", "Description": "why", **side}
        return {
            **vpc(),
            "Group": resource("SecurityGroup", GroupDescription="g", VpcId=ref("Vpc")),
            "In": resource("SecurityGroupIngress", **rule, FromPort=port, ToPort=port),
        }

    def rules(group: str) -> list[Any]:
        (answer,) = cloud.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
        return [(one["FromPort"], one[kind]) for one in answer["IpPermissions"]]

    made = probes.deploy(cloud, resources(443), GroupId=("Group", "GroupId"))
    assert rules(made["GroupId"]) == [(443, found)]
    probes.update(cloud, resources(8443))
    assert rules(made["GroupId"]) == [(8443, found)]
    probes.update(cloud, {name: one for name, one in resources(443).items() if name != "In"})
    assert rules(made["GroupId"]) == []
    probes.destroy(cloud)


@pytest.mark.lifecycle("AWS::EC2::SecurityGroupEgress")
def test_a_rule_outwards_is_changed_and_taken_away(cloud: LocalCloud) -> None:
    def resources(port: int) -> Resources:
        rule = {"GroupId": probes.attribute("Group", "GroupId"), "IpProtocol": "tcp", "CidrIp": "192.0.2.0/24"}
        return {
            **vpc(),
            "Group": resource("SecurityGroup", GroupDescription="g", VpcId=ref("Vpc")),
            "Out": resource("SecurityGroupEgress", **rule, FromPort=port, ToPort=port),
        }

    def ports(group: str) -> list[int]:
        (answer,) = cloud.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
        return [one["FromPort"] for one in answer["IpPermissionsEgress"]]

    made = probes.deploy(cloud, resources(443), GroupId=("Group", "GroupId"))
    assert ports(made["GroupId"]) == [443]
    probes.update(cloud, resources(8443))
    assert ports(made["GroupId"]) == [8443]
    probes.update(cloud, {name: one for name, one in resources(443).items() if name != "Out"})
    assert ports(made["GroupId"]) == []
    probes.destroy(cloud)


@pytest.mark.lifecycle("AWS::DAX::Cluster", "AWS::DAX::ParameterGroup", "AWS::DAX::SubnetGroup")
def test_what_is_recorded_is_written_down_changed_and_forgotten(cloud: LocalCloud) -> None:
    kinds = ("Cluster", "ParameterGroup", "SubnetGroup")

    def resources(why: str) -> Resources:
        return {kind: {"Type": f"AWS::DAX::{kind}", "Properties": {"Description": why}} for kind in kinds}

    def written(kind: str) -> dict[str, str]:
        listed = cloud.client("cloudcontrol").list_resources(TypeName=f"AWS::DAX::{kind}")["ResourceDescriptions"]
        return {one["Identifier"]: json.loads(one["Properties"])["Description"] for one in listed if "why" in str(one)}

    made = probes.deploy(cloud, resources("why first"))
    assert [written(kind)[made[kind]] for kind in kinds] == ["why first"] * 3
    assert probes.update(cloud, resources("why second")) == made
    assert [written(kind)[made[kind]] for kind in kinds] == ["why second"] * 3
    probes.destroy(cloud)
    assert not [kind for kind in kinds if made[kind] in written(kind)]


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
