"""The table's cache is encrypted, stands apart from the internet, and lets in the functions that were connected."""

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Duration, Environment, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2

from constructs_lib import DaxCachedTable, PythonFunction
from constructs_lib._acknowledge import acknowledge
from tests.repo import guards_operations, guards_security
from tests.repo.policies import identity_statements, many
from tests.repo.rules import Review, review
from tests.templates import NO_BUNDLING, Template, bare_stack, flags, only, resources, scratch, synthesized

CLUSTER, TABLE, FUNCTION = "AWS::DAX::Cluster", "AWS::DynamoDB::GlobalTable", "AWS::Lambda::Function"
GROUP, INGRESS, EGRESS = "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"
KEY = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
ACTIONS = ("dynamodb:GetItem", "dynamodb:PutItem")


def make(
    stack: cdk.Stack, construct_id: str = "Items", *, actions: tuple[str, ...] = ACTIONS, **props: Any
) -> DaxCachedTable:
    worker = PythonFunction(stack, f"{construct_id}Worker", package="order_worker")
    acknowledge(worker.function, {"Serverless-LambdaDLQ": "It is called by whoever waits for its answer."})
    made = DaxCachedTable(stack, construct_id, partition_key=KEY, **props)
    made.connect(worker, *actions)
    return made


@pytest.fixture(scope="module")
def default() -> Template:
    stack = bare_stack()
    make(stack)
    return synthesized(stack)


def encrypted(template: Template) -> None:
    cluster = only(template, CLUSTER)
    assert cluster["SSESpecification"] == {"SSEEnabled": True}, "not encrypted at rest"
    assert cluster["ClusterEndpointEncryptionType"] == "TLS", "not encrypted on the way"


def no_way_out(template: Template) -> None:
    assert not resources(template, "AWS::EC2::InternetGateway"), "there is a way to the internet"
    assert not resources(template, "AWS::EC2::NatGateway"), "there is a way to the internet"
    assert not resources(template, "AWS::EC2::Route"), "there is a route that nobody asked for"
    assert not any(one["MapPublicIpOnLaunch"] for one in resources(template, "AWS::EC2::Subnet").values()), "public"


def endpoint_to_this_table_alone(template: Template) -> None:
    (table,) = resources(template, TABLE)
    endpoint = only(template, "AWS::EC2::VPCEndpoint")
    (statement,) = endpoint["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Fn::GetAtt": [table, "Arn"]}, "it leads to other tables"


def only_functions_get_in(template: Template) -> None:
    nodes = [name for name in resources(template, GROUP) if "Nodes" in name]
    ingress = only(template, INGRESS)
    assert ingress["GroupId"] == {"Fn::GetAtt": [nodes[0], "GroupId"]}
    assert (ingress["FromPort"], ingress["ToPort"]) == (9111, 9111), "other ports are open"
    assert "Access" in str(ingress.get("SourceSecurityGroupId")), "others get in"
    assert not any(one.get("SecurityGroupIngress") for one in resources(template, GROUP).values()), "others get in"


def rights(template: Template, who: str) -> dict[str, Any]:
    """Action -> resource of what a role may do, but for logs and traces."""
    return {
        action: one["Resource"]
        for name, one in identity_statements(template)
        if name.startswith(who)
        for action in many(one["Action"])
        if not action.startswith(("logs:", "xray:"))
    }


def least_rights(template: Template) -> None:
    (table,), (cluster,) = resources(template, TABLE), resources(template, CLUSTER)
    on_table, on_cluster = {"Fn::GetAtt": [table, "Arn"]}, {"Fn::GetAtt": [cluster, "Arn"]}
    through = {action.replace("dynamodb", "dax"): on_cluster for action in ACTIONS}
    direct = dict.fromkeys(ACTIONS, on_table)
    assert rights(template, "ItemsWorker") == {**direct, **through}, "the function may do something else"
    assert rights(template, "ItemsClusterRole") == {"dynamodb:DescribeTable": on_table, **direct}, "the cluster may"


HOLDS = [encrypted, no_way_out, endpoint_to_this_table_alone, only_functions_get_in, least_rights]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(default: Template, holds: Callable[[Template], None]) -> None:
    holds(default)


def _set(kind: str, *path: Any, to: Any, where: str = "") -> Callable[[Template], None]:
    def change(template: Template) -> None:
        for name, resource in template["Resources"].items():
            if resource["Type"] == kind and name.startswith(where):
                spot = resource["Properties"]
                for step in path[:-1]:
                    spot = spot[step]
                spot[path[-1]] = to

    return change


def _add(kind: str) -> Callable[[Template], None]:
    return lambda template: template["Resources"].update(Intruder={"Type": kind, "Properties": {}})


@pytest.mark.parametrize(
    ("holds", "spoil", "says"),
    [
        (encrypted, _set(CLUSTER, "SSESpecification", to={"SSEEnabled": False}), "not encrypted at rest"),
        (encrypted, _set(CLUSTER, "ClusterEndpointEncryptionType", to="NONE"), "not encrypted on the way"),
        (no_way_out, _add("AWS::EC2::InternetGateway"), "a way to the internet"),
        (no_way_out, _add("AWS::EC2::Route"), "a route that nobody asked for"),
        (no_way_out, _set("AWS::EC2::Subnet", "MapPublicIpOnLaunch", to=True), "public"),
        (
            endpoint_to_this_table_alone,
            _set("AWS::EC2::VPCEndpoint", "PolicyDocument", "Statement", 0, "Resource", to="*"),
            "leads to other tables",
        ),
        (only_functions_get_in, _set(INGRESS, "FromPort", to=0), "other ports"),
        (only_functions_get_in, _set(INGRESS, "SourceSecurityGroupId", to="sg-1"), "others get in"),
        (
            least_rights,
            _set("AWS::IAM::Policy", "PolicyDocument", "Statement", 0, "Action", to="dynamodb:*", where="ItemsCluster"),
            "the cluster may",
        ),
        (
            least_rights,
            _set("AWS::IAM::Policy", "PolicyDocument", "Statement", 2, "Resource", to="*", where="ItemsWorker"),
            "the function may",
        ),
    ],
)
def test_and_would_be_missed(
    default: Template, holds: Callable[[Template], None], spoil: Callable[[Template], None], says: str
) -> None:
    mutant = json.loads(json.dumps(default))
    spoil(mutant)
    with pytest.raises(AssertionError, match=says):
        holds(mutant)


def test_the_function_stands_in_the_vpc_and_knows_where_to_ask(default: Template) -> None:
    function = only(default, FUNCTION)
    subnets = [{"Ref": name} for name in resources(default, "AWS::EC2::Subnet")]
    assert function["VpcConfig"]["SubnetIds"] == subnets
    assert len(function["VpcConfig"]["SecurityGroupIds"]) == 1
    variables = function["Environment"]["Variables"]
    (table,), (cluster,) = resources(default, TABLE), resources(default, CLUSTER)
    assert variables["TABLE_NAME"] == {"Ref": table}
    assert variables["DAX_ENDPOINT"] == {"Fn::GetAtt": [cluster, "ClusterDiscoveryEndpointURL"]}


def test_a_function_reaches_nodes_and_endpoint_alone(default: Template) -> None:
    to_nodes = only(default, EGRESS)
    assert (to_nodes["FromPort"], to_nodes["ToPort"]) == (9111, 9111)
    (access,) = [one for name, one in resources(default, GROUP).items() if "Access" in name]
    assert [(one["FromPort"], one["ToPort"]) for one in access["SecurityGroupEgress"]] == [(443, 443)]


def test_the_cluster_has_three_nodes_and_short_lists(default: Template) -> None:
    assert only(default, CLUSTER)["ReplicationFactor"] == 3
    kept = only(default, "AWS::DAX::ParameterGroup")["ParameterNameValues"]
    assert kept == {"record-ttl-millis": "300000", "query-ttl-millis": "5000"}


def test_rejected_traffic_is_logged(default: Template) -> None:
    assert only(default, "AWS::EC2::FlowLog")["TrafficType"] == "REJECT"


def test_alarms_are_about_this_cluster(default: Template) -> None:
    (cluster,) = resources(default, CLUSTER)
    about = [one for one in resources(default, "AWS::CloudWatch::Alarm").values() if one["Namespace"] == "AWS/DAX"]
    assert {one["MetricName"] for one in about} == {"FaultRequestCount", "CPUUtilization"}
    assert all(one["Dimensions"] == [{"Name": "ClusterId", "Value": {"Ref": cluster}}] for one in about)


def test_without_a_cluster_there_is_a_table_and_no_vpc() -> None:
    stack = bare_stack()
    table = make(stack, cached=False)
    template = synthesized(stack)
    assert (table.vpc, table.endpoint, table.cluster_arn, table.alarms) == (None, None, None, [])
    assert not resources(template, CLUSTER)
    assert not resources(template, "AWS::EC2::VPC")
    assert "VpcConfig" not in only(template, FUNCTION)
    assert "DAX_ENDPOINT" not in only(template, FUNCTION)["Environment"]["Variables"]
    assert rights(template, "ItemsWorker").keys() == set(ACTIONS)


def test_a_vpc_is_brought_with_subnets_of_its_owners_choice() -> None:
    stack = bare_stack()
    mine = ec2.Vpc(stack, "Mine", max_azs=2)
    table = make(stack, vpc=mine, subnets=ec2.SubnetSelection(subnets=mine.private_subnets))
    assert table.vpc is mine
    group = only(stack, "AWS::DAX::SubnetGroup")
    assert len(group["SubnetIds"]) == 2
    assert all("Private" in one["Ref"] for one in group["SubnetIds"])
    assert len(resources(stack, "AWS::EC2::VPC")) == 1


@pytest.mark.parametrize(("policy", "kept"), [(RemovalPolicy.RETAIN, "Retain"), (RemovalPolicy.DESTROY, "Delete")])
def test_the_table_outlives_the_stack_unless_told_otherwise(policy: RemovalPolicy, kept: str) -> None:
    stack = bare_stack()
    make(stack, removal_policy=policy)
    (table,) = [one for one in synthesized(stack)["Resources"].values() if one["Type"] == TABLE]
    (replica,) = table["Properties"]["Replicas"]
    assert (table["DeletionPolicy"], replica["DeletionProtectionEnabled"]) == (kept, kept == "Retain")
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_two_in_one_stack() -> None:
    stack = bare_stack()
    make(stack, "One")
    make(stack, "Two")
    assert len(resources(stack, CLUSTER)) == 2


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"nodes": 0}, "nodes: must be between 1 and 11, got 0"),
        ({"nodes": 12}, "nodes: must be between 1 and 11, got 12"),
        ({"node_type": "t3.small"}, "node_type: must be a DAX node type as \"dax.t3.small\", got 't3.small'"),
        ({"item_ttl": Duration.seconds(0)}, "item_ttl: must be whole seconds between 1 and 86400, got 0 seconds"),
        ({"query_ttl": Duration.days(2)}, "query_ttl: must be whole seconds between 1 and 86400, got 172800 seconds"),
        ({"actions": ()}, "actions: must have at least one item, got none"),
        ({"actions": ("dynamodb:*",)}, "actions: must be actions of DynamoDB .* got 'dynamodb:\\*'"),
        ({"actions": ("s3:GetObject",)}, "actions: must be actions of DynamoDB .* got 's3:GetObject'"),
    ],
)
def test_a_prop_out_of_range_is_refused(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(bare_stack(), **props)


def test_guards_hold(default: Template) -> None:
    guards = {*guards_security.GUARDS, *guards_operations.GUARDS} - {guards_operations.alarms_are_heard}
    assert [one for guard in guards for one in guard(default)] == []


@pytest.mark.parametrize("pinned", [False, True], ids=["any account", "an account and region"])
def test_an_importer_with_cdk_nag_has_nothing_to_do(pinned: bool) -> None:
    def app() -> cdk.App:
        made = cdk.App(context={**flags(), **NO_BUNDLING}, outdir=str(scratch()))
        make(cdk.Stack(made, "S", env=Environment(account="111122223333", region="eu-central-1") if pinned else None))
        return made

    found: Review = review(app)
    assert found.problems() == []
