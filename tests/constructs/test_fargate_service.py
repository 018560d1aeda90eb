"""A container that may do little, behind a load balancer that alone gets to it, replaced without a gap."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Environment, RemovalPolicy
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import FargateService
from constructs_lib._acknowledge import acknowledge
from tests.repo import guards_operations, guards_security
from tests.repo.policies import identity_statements, many
from tests.repo.rules import Review, review
from tests.templates import NO_BUNDLING, Template, bare_stack, flags, mutated, only, resources, scratch, synthesized

SERVICE, TASK, CLUSTER = "AWS::ECS::Service", "AWS::ECS::TaskDefinition", "AWS::ECS::Cluster"
TARGETS, GROUP, INGRESS = (
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupIngress",
)
SCALING, TARGET = "AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::ApplicationAutoScaling::ScalableTarget"
BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/11111111-2222-3333-4444-555555555555"


def network(stack: cdk.Stack, construct_id: str = "Network") -> ec2.Vpc:
    made = ec2.Vpc(stack, construct_id, max_azs=2, nat_gateways=1, restrict_default_security_group=False)
    acknowledge(made, {"AwsSolutions-VPC7": "It is the network of a test, and nothing is ever sent through it."})
    return made


def picture(stack: cdk.Stack, construct_id: str) -> ecr_assets.DockerImageAsset:
    folder = scratch()
    Path(folder, "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    return ecr_assets.DockerImageAsset(stack, construct_id, directory=str(folder))


def make(
    stack: cdk.Stack, construct_id: str = "Orders", *, vpc: ec2.IVpc | None = None, **props: Any
) -> FargateService:
    certificate = acm.Certificate.from_certificate_arn(stack, f"{construct_id}Certificate", CERTIFICATE)
    given: dict[str, Any] = {
        "image": picture(stack, f"{construct_id}Image"),
        "name": "orders_service",
        "environment": {"ORDERS_TABLE": "orders"},
        **props,
    }
    return FargateService(
        stack, construct_id, vpc=vpc or network(stack, f"{construct_id}Net"), certificate=certificate, **given
    )


@pytest.fixture(scope="module")
def default() -> Template:
    stack = bare_stack()
    make(stack)
    return synthesized(stack)


def container(template: Template) -> dict[str, Any]:
    (found,) = only(template, TASK)["ContainerDefinitions"]
    return dict(found)


def may_do_little(template: Template) -> None:
    one = container(template)
    assert one["User"].split(":")[0] not in {"", "0", "root"}, "it runs as root"
    assert one["ReadonlyRootFilesystem"] is True, "it can change its own files"
    assert one["Privileged"] is False, "it is privileged"
    assert one["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}, "it keeps capabilities"
    assert one["LinuxParameters"]["InitProcessEnabled"] is True, "nobody passes TERM on"


def ends_in_order(template: Template) -> None:
    targets = only(template, TARGETS)
    attributes = {one["Key"]: one["Value"] for one in targets["TargetGroupAttributes"]}
    delay = int(attributes["deregistration_delay.timeout_seconds"])
    assert 20 <= delay <= 30, "it is given up too soon, or a deployment waits for long"
    assert container(template)["StopTimeout"] == 30, "it is killed while it works"


def is_asked_how_it_is(template: Template) -> None:
    targets = only(template, TARGETS)
    assert (targets["HealthCheckPath"], targets["HealthCheckIntervalSeconds"]) == ("/health", 5), "not asked"
    assert (targets["HealthyThresholdCount"], targets["UnhealthyThresholdCount"]) == (2, 2), "one answer decides"
    assert targets["TargetType"] == "ip", "Fargate's tasks are addresses"
    command = container(template).get("HealthCheck", {}).get("Command", [])
    assert command[0] == "CMD", "ECS does not ask"
    assert ":8080/health" in command[-1], "ECS asks something else"


def goes_back_when_it_fails(template: Template) -> None:
    deployment = only(template, SERVICE)["DeploymentConfiguration"]
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}, "a bad version stays"
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200), "there is a gap"


def stands_in_private(template: Template) -> None:
    network = only(template, SERVICE)["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "DISABLED", "it has a public address"
    assert all("Private" in one["Ref"] for one in network["Subnets"]), "it stands in public"


def only_the_load_balancer_gets_in(template: Template) -> None:
    groups = resources(template, GROUP)
    (tasks,) = [name for name in groups if "LoadBalancer" not in name]
    assert "SecurityGroupIngress" not in groups[tasks], "others get in"
    (balancer,) = [name for name in groups if "LoadBalancer" in name]
    allowed = [one for one in resources(template, INGRESS).values() if one["GroupId"]["Fn::GetAtt"][0] == tasks]
    assert [one.get("SourceSecurityGroupId") for one in allowed] == [{"Fn::GetAtt": [balancer, "GroupId"]}], "others"
    assert [(one["FromPort"], one["ToPort"]) for one in allowed] == [(8080, 8080)], "other ports are open"
    assert [one["FromPort"] for one in groups[tasks]["SecurityGroupEgress"]] == [443], "it reaches other ports"


def scales(template: Template) -> None:
    target = only(template, TARGET)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 6)
    kinds = {
        one["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]["PredefinedMetricType"]
        for one in resources(template, SCALING).values()
    }
    assert kinds == {"ALBRequestCountPerTarget", "ECSServiceAverageCPUUtilization"}, "it does not scale on both"
    assert "DesiredCount" not in only(template, SERVICE), "a deployment undoes what scaling did"


def rights(template: Template, who: str) -> dict[str, Any]:
    """Action -> resource of what a role may do."""
    return {
        action: one["Resource"]
        for name, one in identity_statements(template)
        if name.startswith(who)
        for action in many(one["Action"])
    }


def ecs_may_do_little(template: Template) -> None:
    may = rights(template, "OrdersTaskExecutionRole")
    pull = {"BatchCheckLayerAvailability", "BatchGetImage", "GetAuthorizationToken", "GetDownloadUrlForLayer"}
    wanted = {f"ecr:{one}" for one in pull} | {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert may.keys() == wanted, f"ECS may do other things: {sorted(may.keys() ^ wanted)}"
    assert [one for one, resource in may.items() if resource == "*"] == ["ecr:GetAuthorizationToken"], "on everything"


HOLDS = [
    may_do_little,
    ends_in_order,
    is_asked_how_it_is,
    goes_back_when_it_fails,
    stands_in_private,
    only_the_load_balancer_gets_in,
    scales,
    ecs_may_do_little,
]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(default: Template, holds: Callable[[Template], None]) -> None:
    holds(default)


ONE: list[str | int] = ["ContainerDefinitions", 0]
NETWORK: list[str | int] = ["NetworkConfiguration", "AwsvpcConfiguration"]
DEPLOYMENT: list[str | int] = ["DeploymentConfiguration"]
STATEMENT: list[str | int] = ["PolicyDocument", "Statement", 0]


@pytest.mark.parametrize(
    ("holds", "kind", "path", "value", "says"),
    [
        (may_do_little, TASK, [*ONE, "User"], "0", "runs as root"),
        (may_do_little, TASK, [*ONE, "User"], "root", "runs as root"),
        (may_do_little, TASK, [*ONE, "ReadonlyRootFilesystem"], False, "its own files"),
        (may_do_little, TASK, [*ONE, "Privileged"], True, "privileged"),
        (may_do_little, TASK, [*ONE, "LinuxParameters", "Capabilities"], {}, "keeps capabilities"),
        (may_do_little, TASK, [*ONE, "LinuxParameters", "InitProcessEnabled"], False, "TERM"),
        (ends_in_order, TASK, [*ONE, "StopTimeout"], 2, "killed"),
        (is_asked_how_it_is, TARGETS, ["HealthCheckPath"], "/", "not asked"),
        (is_asked_how_it_is, TARGETS, ["UnhealthyThresholdCount"], 1, "one answer decides"),
        (is_asked_how_it_is, TASK, [*ONE, "HealthCheck"], {"Command": ["NONE"]}, "ECS does not ask"),
        (goes_back_when_it_fails, SERVICE, [*DEPLOYMENT, "DeploymentCircuitBreaker", "Rollback"], False, "stays"),
        (goes_back_when_it_fails, SERVICE, [*DEPLOYMENT, "MinimumHealthyPercent"], 50, "a gap"),
        (stands_in_private, SERVICE, [*NETWORK, "AssignPublicIp"], "ENABLED", "public address"),
        (stands_in_private, SERVICE, [*NETWORK, "Subnets"], [{"Ref": "PublicSubnet1"}], "in public"),
        (only_the_load_balancer_gets_in, INGRESS, ["SourceSecurityGroupId"], "sg-1", "others"),
        (only_the_load_balancer_gets_in, INGRESS, ["ToPort"], 65535, "other ports are open"),
        (only_the_load_balancer_gets_in, GROUP, ["SecurityGroupIngress"], [{"CidrIp": "0.0.0.0/0"}], "others get in"),
        (scales, SERVICE, ["DesiredCount"], 2, "undoes"),
        (ecs_may_do_little, "AWS::IAM::Policy", [*STATEMENT, "Action"], "s3:GetObject", "other things"),
        (ecs_may_do_little, "AWS::IAM::Policy", [*STATEMENT, "Resource"], "*", "on everything"),
    ],
)
def test_and_would_be_missed(
    default: Template, holds: Callable[[Template], None], kind: str, path: list[Any], value: Any, says: str
) -> None:
    with pytest.raises(AssertionError, match=says):
        holds(mutated(default, kind, path, value))


def test_a_rule_that_is_missing_is_noticed(default: Template) -> None:
    mutant = copy.deepcopy(default)
    for name in list(resources(mutant, SCALING))[:1]:
        del mutant["Resources"][name]
    with pytest.raises(AssertionError, match="does not scale on both"):
        scales(mutant)


def test_the_server_is_told_and_heard(default: Template) -> None:
    one = container(default)
    assert one["Name"] == "orders_service"
    assert {each["Name"]: each["Value"] for each in one["Environment"]} == {"ORDERS_TABLE": "orders", "PORT": "8080"}
    assert one["PortMappings"] == [{"ContainerPort": 8080, "Protocol": "tcp"}]
    options = one["LogConfiguration"]["Options"]
    (group,) = resources(default, "AWS::Logs::LogGroup")
    assert (options["awslogs-group"], options["mode"]) == ({"Ref": group}, "non-blocking")


def test_it_is_made_for_arm_unless_told_otherwise(default: Template) -> None:
    assert only(default, TASK)["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
    stack = bare_stack()
    make(stack, architecture="x86_64")
    assert only(stack, TASK)["RuntimePlatform"]["CpuArchitecture"] == "X86_64"


def test_secrets_are_given_by_reference() -> None:
    stack = bare_stack()
    secret = secretsmanager.Secret(stack, "Key")
    make(stack, secrets={"KEY": ecs.Secret.from_secrets_manager(secret)})
    template = synthesized(stack)
    (given,) = container(template)["Secrets"]
    (name,) = resources(template, "AWS::SecretsManager::Secret")
    assert given == {"Name": "KEY", "ValueFrom": {"Ref": name}}
    assert rights(template, "OrdersTaskExecutionRole")["secretsmanager:GetSecretValue"] == {"Ref": name}
    assert not rights(template, "OrdersTaskTaskRole"), "the server itself needs no right for it"


def test_folders_to_write_to_are_volumes_of_their_own() -> None:
    stack = bare_stack()
    make(stack, writable_paths=["/tmp", "/run/app"])
    task = only(stack, TASK)
    (one,) = task["ContainerDefinitions"]
    assert [(each["ContainerPath"], each["ReadOnly"]) for each in one["MountPoints"]] == [
        ("/tmp", False),
        ("/run/app", False),
    ]
    assert len(task["Volumes"]) == 2


def test_an_internal_one_is_for_the_vpc() -> None:
    stack = bare_stack()
    make(stack, internet_facing=False)
    assert only(stack, BALANCER)["Scheme"] == "internal"


def who_gets_in(template: Template) -> list[tuple[Any, int]]:
    """Into the load balancer: whoever is not a security group, and at which port."""
    rules = [one for one in resources(template, INGRESS).values() if "SourceSecurityGroupId" not in one]
    rules += [rule for group in resources(template, GROUP).values() for rule in group.get("SecurityGroupIngress", [])]
    return [(one.get("CidrIp", one.get("SourcePrefixListId")), one["FromPort"]) for one in rules]


def test_everybody_gets_in_unless_told_otherwise(default: Template) -> None:
    assert sorted(who_gets_in(default)) == [("0.0.0.0/0", 80), ("0.0.0.0/0", 443)]


def test_a_closed_one_lets_in_whom_it_is_told() -> None:
    stack = bare_stack()
    made = make(stack, open=False)
    template = synthesized(stack)
    assert who_gets_in(template) == []
    only_the_load_balancer_gets_in(template)
    made.front.admit(stack, "Edge", prefix_list_id="pl-1", description="the edge")
    assert who_gets_in(synthesized(stack)) == [("pl-1", 443)]


def test_with_a_cluster_of_ones_own() -> None:
    stack = bare_stack()
    vpc = network(stack)
    cluster = ecs.Cluster(stack, "Mine", vpc=vpc)
    made = make(stack, vpc=vpc, cluster=cluster)
    assert made.cluster is cluster
    assert len(resources(stack, CLUSTER)) == 1


def test_its_own_cluster_has_insights(default: Template) -> None:
    assert only(default, CLUSTER)["ClusterSettings"] == [{"Name": "containerInsights", "Value": "enabled"}]


def test_alarms_cover_load_balancer_and_tasks(default: Template) -> None:
    names = {one["MetricName"] for one in resources(default, "AWS::CloudWatch::Alarm").values()}
    assert names == {
        "HTTPCode_Target_5XX_Count",
        "HTTPCode_ELB_5XX_Count",
        "UnHealthyHostCount",
        "TargetResponseTime",
        "CPUUtilization",
        "MemoryUtilization",
    }


def test_another_service_is_reached_once_it_is_connected() -> None:
    stack = bare_stack()
    vpc = network(stack)
    made = make(stack, vpc=vpc)
    database = ec2.SecurityGroup(stack, "Database", vpc=vpc)
    made.connections.allow_to(database, ec2.Port.tcp(5432))
    assert any(one["FromPort"] == 5432 for one in resources(stack, INGRESS).values())


def test_clones_do_not_share_a_family() -> None:
    families = set()
    for stack_name in ("Shop", "Test-Shop"):
        stack = cdk.Stack(cdk.App(context=dict(NO_BUNDLING), outdir=str(scratch())), "Same", stack_name=stack_name)
        make(stack)
        families.add(only(stack, TASK)["Family"])
    assert len(families) == 2


@pytest.mark.parametrize(("policy", "kept"), [(RemovalPolicy.RETAIN, "true"), (RemovalPolicy.DESTROY, "false")])
def test_the_load_balancer_is_protected_unless_told_otherwise(policy: RemovalPolicy, kept: str) -> None:
    stack = bare_stack()
    make(stack, removal_policy=policy)
    attributes = {one["Key"]: one["Value"] for one in only(stack, BALANCER)["LoadBalancerAttributes"]}
    assert attributes["deletion_protection.enabled"] == kept


@pytest.mark.parametrize("made", ["asset", "repository", "registry"])
def test_images_of_each_kind(made: str) -> None:
    stack = bare_stack()
    repository = ecr.Repository.from_repository_name(stack, "Kept", "orders")
    images: dict[str, Callable[[], object]] = {
        "asset": lambda: picture(stack, "Image"),
        "repository": lambda: ecs.ContainerImage.from_ecr_repository(repository, "1"),
        "registry": lambda: ecs.ContainerImage.from_registry("public.ecr.aws/docker/library/python:3.13-slim"),
    }
    make(stack, image=images[made]())
    assert container(synthesized(stack))["Image"]


def test_two_in_one_stack() -> None:
    stack = bare_stack()
    vpc = network(stack)
    make(stack, "One", vpc=vpc)
    make(stack, "Two", vpc=vpc)
    assert len(resources(stack, SERVICE)) == 2


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"name": "Orders"}, "name: must be 1 to 64 .*, got 'Orders'"),
        ({"min_tasks": 0}, "min_tasks: must be between 1 and 1000, got 0"),
        ({"max_tasks": 1}, "max_tasks: must be between 2 and 1000, got 1"),
        ({"requests_per_task": 0}, "requests_per_task: must be between 1 and 1000000, got 0"),
        ({"cpu": 300}, "cpu: must be one of .*, got '300'"),
        ({"memory_mib": 4096}, "memory_mib: must be one that Fargate has for 256 CPU units, got 4096"),
        ({"memory_mib": 1536}, "memory_mib: must be one that Fargate has for 256 CPU units, got 1536"),
        ({"cpu": 1024, "memory_mib": 2500}, "memory_mib: must be one that Fargate has for 1024 .*, got 2500"),
        ({"port": 80}, "port: must be between 1024 and 65535, got 80"),
        ({"user": "0"}, "user: must be a uid, .* and not root, got '0'"),
        ({"user": "root"}, "user: must be a uid, .* and not root, got 'root'"),
        ({"writable_paths": ["tmp"]}, "writable_paths: must be absolute paths of folders, got 'tmp'"),
        ({"writable_paths": ["/tmp", "/tmp"]}, "writable_paths: must be unique, got '/tmp' twice"),
        ({"architecture": "mips"}, "architecture: must be one of arm64, x86_64, got 'mips'"),
        ({"environment": {"PORT": "1"}}, "environment: must leave PORT to the prop port, got both"),
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
