"""Instances start by themselves, are replaced one by one, scale, and are reached by the load balancer alone."""

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Environment, RemovalPolicy
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs

from constructs_lib import LoadBalancedWebTier, MountedFileSystem
from tests.constructs.applications import shop
from tests.repo import guards_operations, guards_security
from tests.repo.policies import identity_statements, many
from tests.repo.rules import review
from tests.templates import NO_BUNDLING, Template, bare_stack, flags, mutated, only, resources, scratch, synthesized

GROUP, TEMPLATE = "AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::LaunchTemplate"
SECURITY, INGRESS, EGRESS = (f"AWS::EC2::SecurityGroup{suffix}" for suffix in ("", "Ingress", "Egress"))
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/11111111-2222-3333-4444-555555555555"


def make(
    stack: cdk.Stack, construct_id: str = "Tier", *, files: bool = False, writable: bool = False, **props: Any
) -> LoadBalancedWebTier:
    vpc = ec2.Vpc(stack, f"{construct_id}Vpc", max_azs=2, nat_gateways=1, restrict_default_security_group=False)
    certificate = acm.Certificate.from_certificate_arn(stack, f"{construct_id}Certificate", CERTIFICATE)
    if files:
        shared = efs.FileSystem(stack, f"{construct_id}Files", vpc=vpc, encrypted=True)
        point = shared.add_access_point("Point", path="/files")
        props["mounted"] = MountedFileSystem(
            file_system=shared, access_point=point, folder="/mnt/files", writable=writable
        )
    given = {"application": shop(), "environment": {"TABLE": "t"}, **props}
    return LoadBalancedWebTier(stack, construct_id, vpc=vpc, certificate=certificate, **given)


@pytest.fixture(scope="module")
def default() -> Template:
    stack = bare_stack()
    make(stack)
    return synthesized(stack)


def data(template: Template) -> dict[str, Any]:
    found: dict[str, Any] = only(template, TEMPLATE)["LaunchTemplateData"]
    return found


def sessions_only(template: Template) -> None:
    options = data(template)["MetadataOptions"]
    assert options == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}, "metadata are given to anybody"
    assert "KeyName" not in data(template), "there is a key"


def encrypted_disk(template: Template) -> None:
    (disk,) = data(template)["BlockDeviceMappings"]
    assert disk["DeviceName"] == "/dev/xvda", "another disk"
    assert (disk["Ebs"]["Encrypted"], disk["Ebs"]["VolumeType"]) == (True, "gp3"), "the disk is not encrypted"


def replaced_one_by_one(template: Template) -> None:
    (group,) = [one for one in template["Resources"].values() if one["Type"] == GROUP]
    update = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert (update["MinInstancesInService"], update["MaxBatchSize"]) == (2, 1), "too many go at once"
    assert update["WaitOnResourceSignals"] is True, "nobody waits for the new ones"
    assert group["CreationPolicy"] == {"ResourceSignal": {"Count": 2, "Timeout": "PT15M"}}, "nobody waits"


def healed(template: Template) -> None:
    group = only(template, GROUP)
    assert group["HealthCheckType"] == "ELB", "a server that does not answer stays"
    assert group["HealthCheckGracePeriod"] == 300, "it is replaced while it starts"
    (targets,) = resources(template, "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert group["TargetGroupARNs"] == [{"Ref": targets}], "it is not behind the load balancer"


def in_private_subnets(template: Template) -> None:
    subnets = [one["Ref"] for one in only(template, GROUP)["VPCZoneIdentifier"]]
    assert len(subnets) == 2, "it is in one zone"
    assert all("Private" in one for one in subnets), "servers have public addresses"


def only_the_load_balancer_gets_in(template: Template) -> None:
    (ingress,) = [one for one in resources(template, INGRESS).values() if "TierServers" in str(one["GroupId"])]
    assert "LoadBalancerSecurityGroup" in str(ingress["SourceSecurityGroupId"]), "others get in"
    assert (ingress["FromPort"], ingress["ToPort"]) == (8080, 8080), "other ports are open"
    servers = next(one for name, one in resources(template, SECURITY).items() if "Servers" in name)
    assert "SecurityGroupIngress" not in servers, "others get in"
    assert [(one["FromPort"], one["CidrIp"]) for one in servers["SecurityGroupEgress"]] == [(443, "0.0.0.0/0")], "out"


def scales(template: Template) -> None:
    policies = [
        one["TargetTrackingConfiguration"] for one in resources(template, "AWS::AutoScaling::ScalingPolicy").values()
    ]
    metrics = {one["PredefinedMetricSpecification"]["PredefinedMetricType"]: one["TargetValue"] for one in policies}
    assert metrics == {"ALBRequestCountPerTarget": 3000, "ASGAverageCPUUtilization": 60}, "it does not scale"
    assert (only(template, GROUP)["MinSize"], only(template, GROUP)["MaxSize"]) == ("2", "6"), "other limits"


def rights(template: Template) -> dict[str, Any]:
    """Action -> resource of what the instances may do."""
    return {action: one["Resource"] for _, one in identity_statements(template) for action in many(one["Action"])}


def least_rights(template: Template) -> None:
    found = rights(template)
    assert found.keys() == {
        "cloudformation:SignalResource",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    }, "the instances may do something else"
    assert found["cloudformation:SignalResource"] == {"Ref": "AWS::StackId"}, "other stacks are told"
    assert all(str(one).count(".zip") == 1 for one in found["s3:GetObject"]), "other assets can be read"
    assert "ManagedPolicyArns" not in only(template, "AWS::IAM::Role"), "a managed policy gives more"


HOLDS = [
    sessions_only,
    encrypted_disk,
    replaced_one_by_one,
    healed,
    in_private_subnets,
    only_the_load_balancer_gets_in,
    scales,
    least_rights,
]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(default: Template, holds: Callable[[Template], None]) -> None:
    holds(default)


OPEN = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}


@pytest.mark.parametrize(
    ("holds", "kind", "path", "value", "says"),
    [
        (sessions_only, TEMPLATE, ["LaunchTemplateData", "MetadataOptions", "HttpTokens"], "optional", "to anybody"),
        (sessions_only, TEMPLATE, ["LaunchTemplateData", "KeyName"], "mine", "there is a key"),
        (
            encrypted_disk,
            TEMPLATE,
            ["LaunchTemplateData", "BlockDeviceMappings", 0, "Ebs", "Encrypted"],
            False,
            "not enc",
        ),
        (healed, GROUP, ["HealthCheckType"], "EC2", "stays"),
        (healed, GROUP, ["TargetGroupARNs"], [], "not behind"),
        (in_private_subnets, GROUP, ["VPCZoneIdentifier"], [{"Ref": "Private"}], "one zone"),
        (in_private_subnets, GROUP, ["VPCZoneIdentifier"], [{"Ref": "Public"}] * 2, "public addresses"),
        (only_the_load_balancer_gets_in, INGRESS, ["FromPort"], 0, "other ports"),
        (only_the_load_balancer_gets_in, INGRESS, ["SourceSecurityGroupId"], "sg-1", "others get in"),
        (only_the_load_balancer_gets_in, SECURITY, ["SecurityGroupIngress"], [OPEN], "others get in"),
        (only_the_load_balancer_gets_in, SECURITY, ["SecurityGroupEgress"], [OPEN], "out"),
        (scales, GROUP, ["MaxSize"], "2", "other limits"),
        (least_rights, "AWS::IAM::Policy", ["PolicyDocument", "Statement", 0, "Action"], "s3:*", "something else"),
        (least_rights, "AWS::IAM::Role", ["ManagedPolicyArns"], ["arn"], "gives more"),
    ],
)
def test_and_would_be_missed(
    default: Template, holds: Callable[[Template], None], kind: str, path: list[str | int], value: Any, says: str
) -> None:
    with pytest.raises(AssertionError, match=says):
        holds(mutated(default, kind, path, value))


def test_and_a_hasty_deployment_would_be_missed(default: Template) -> None:
    mutant = json.loads(json.dumps(default))
    (group,) = [one for one in mutant["Resources"].values() if one["Type"] == GROUP]
    group["UpdatePolicy"]["AutoScalingRollingUpdate"]["WaitOnResourceSignals"] = False
    with pytest.raises(AssertionError, match="nobody waits"):
        replaced_one_by_one(mutant)


def boot_text(template: Template) -> str:
    return json.dumps(data(template)["UserData"])


def test_the_script_signals_this_group_and_fetches_these_assets(default: Template) -> None:
    (group,) = resources(default, GROUP)
    text = boot_text(default)
    assert f"--resource '{group}'" in text
    assert "TABLE=t" in text
    assert text.count("s3://") == 2
    assert only(default, GROUP)["LaunchTemplate"]["Version"]["Fn::GetAtt"][1] == "LatestVersionNumber"


def test_the_newest_image_of_the_processor_is_taken(default: Template) -> None:
    (image,) = [one["Default"] for one in default["Parameters"].values() if "ami" in one["Default"]]
    assert image == "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
    stack = bare_stack()
    make(stack, application=shop(architecture="x86_64"))
    template = synthesized(stack)
    assert data(template)["InstanceType"] == "t3.small"
    assert "al2023-ami-kernel-default-x86_64" in str(template["Parameters"])


def test_a_shared_file_system_is_mounted_through_its_access_point_alone() -> None:
    stack = bare_stack()
    make(stack, files=True)
    template = synthesized(stack)
    (point,) = resources(template, "AWS::EFS::AccessPoint")
    (mount,) = [one for _, one in identity_statements(template) if "elasticfilesystem" in str(one["Action"])]
    assert mount["Action"] == "elasticfilesystem:ClientMount", "it may write"
    assert point in str(mount["Condition"]["StringEquals"]["elasticfilesystem:AccessPointArn"])
    (nfs,) = [one for one in resources(template, INGRESS).values() if one["FromPort"] == 2049]
    assert "TierServers" in str(nfs["SourceSecurityGroupId"]), "others reach the files"
    assert ":/ /mnt/files" in boot_text(template)
    (group,) = [one for one in template["Resources"].values() if one["Type"] == GROUP]
    assert any("MountTarget" in str(one) for one in group["DependsOn"]), "it would start before its files are there"


@pytest.mark.parametrize(("writable", "may"), [(False, {"ClientMount"}), (True, {"ClientMount", "ClientWrite"})])
def test_servers_write_to_a_shared_file_system_only_when_told_so(writable: bool, may: set[str]) -> None:
    stack = bare_stack()
    make(stack, files=True, writable=writable)
    template = synthesized(stack)
    given = [action for _, one in identity_statements(template) for action in many(one["Action"])]
    assert {one.partition(":")[2] for one in given if one.startswith("elasticfilesystem:")} == may
    assert (",rw,noexec" in boot_text(template), ",ro,noexec" in boot_text(template)) == (writable, not writable)


def test_an_internal_tier_stands_in_private_subnets() -> None:
    stack = bare_stack()
    make(stack, internet_facing=False)
    balancer = only(stack, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["Scheme"] == "internal"
    assert all("Private" in one["Ref"] for one in balancer["Subnets"])


def test_too_few_servers_raise_an_alarm(default: Template) -> None:
    (few,) = [
        one
        for one in resources(default, "AWS::CloudWatch::Alarm").values()
        if one["MetricName"] == "GroupInServiceInstances"
    ]
    assert (few["Threshold"], few["ComparisonOperator"]) == (2, "LessThanThreshold")
    assert only(default, GROUP)["MetricsCollection"] == [{"Granularity": "1Minute"}], "the metric is not collected"


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"min_capacity": 0}, "min_capacity: must be between 1 and 99, got 0"),
        ({"min_capacity": 4, "max_capacity": 4}, "max_capacity: must be between 5 and 100, got 4"),
        ({"max_capacity": 101}, "max_capacity: must be between 3 and 100, got 101"),
        ({"requests_per_instance": 0}, "requests_per_instance: must be between 1 and 1000000, got 0"),
        ({"instance_type": ec2.InstanceType("t3.micro")}, "instance_type: must have the application's processor"),
        ({"environment": {"lower": "1"}}, "environment: must be names of capitals, digits and '_', got 'lower'"),
        ({"environment": {"PORT": "1"}}, "environment: must not have PORT"),
        ({"environment": {"A": "x\ny"}}, r"environment \(A\): must be values on one line"),
        ({"environment": {"A": "x\ry"}}, r"environment \(A\): must be values on one line"),
        ({"environment": {"A": "x" * 8193}}, r"environment \(bytes\): must be between 0 and 8192, got 8"),
        ({"environment": {"A": "'x'"}}, r"environment \(A\): must be values on one line"),
        ({"environment": {"A": "x\\n"}}, r"environment \(A\): must be values on one line"),
        ({"environment": {"A": " x"}}, r"environment \(A\): must be values on one line"),
        ({"environment": {"A": "x "}}, r"environment \(A\): must be values on one line"),
    ],
)
def test_a_prop_out_of_range_is_refused(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(bare_stack(), **props)


def test_a_mount_elsewhere_is_refused() -> None:
    stack = bare_stack()
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    files = efs.FileSystem(stack, "Files", vpc=vpc)
    with pytest.raises(ValueError, match="folder: must be a folder below /mnt as '/mnt/releases', got '/etc'"):
        MountedFileSystem(file_system=files, access_point=files.add_access_point("Point"), folder="/etc")


@pytest.mark.parametrize("value", ["", "a=b", '{"a": 1}', "it's", "x y", "ENVIRONMENT"])
def test_a_harmless_value_passes(value: str) -> None:
    stack = bare_stack()
    make(stack, environment={"A": value})
    assert f"A={value}\n" in json.loads(f'"{_joined(data(synthesized(stack))["UserData"])}"')


def _joined(user_data: dict[str, Any]) -> str:
    _, parts = user_data["Fn::Base64"]["Fn::Join"]
    return json.dumps("".join(one for one in parts if isinstance(one, str)))[1:-1]


def test_two_in_one_stack() -> None:
    stack = bare_stack()
    make(stack, "One")
    make(stack, "Two", removal_policy=RemovalPolicy.DESTROY)
    assert len(resources(stack, GROUP)) == 2


def test_guards_hold(default: Template) -> None:
    guards = {*guards_security.GUARDS, *guards_operations.GUARDS} - {guards_operations.alarms_are_heard}
    assert [one for guard in guards for one in guard(default)] == []


@pytest.mark.parametrize("pinned", [False, True], ids=["any account", "an account and region"])
def test_an_importer_with_cdk_nag_has_nothing_to_do(pinned: bool) -> None:
    def app() -> cdk.App:
        made = cdk.App(context={**flags(), **NO_BUNDLING}, outdir=str(scratch()))
        env = Environment(account="111122223333", region="eu-central-1") if pinned else None
        make(cdk.Stack(made, "S", env=env), files=True)
        return made

    found = review(app)
    assert [one for one in found.problems() if "TierVpc" not in one and "TierFiles" not in one] == []
