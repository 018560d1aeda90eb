"""The load balancer speaks HTTPS, redirects HTTP, logs, and lets nobody near the servers but itself."""

import copy
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Environment, RemovalPolicy
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib._load_balancer import HttpsLoadBalancer, health_checked_targets
from tests.repo import guards_operations, guards_security
from tests.repo.rules import Finding, review
from tests.templates import NO_BUNDLING, Template, bare_stack, flags, mutated, only, resources, scratch, synthesized

BALANCER, LISTENER = "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancingV2::Listener"
TARGETS, GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::EC2::SecurityGroup"
INGRESS = "AWS::EC2::SecurityGroupIngress"
POLICY = "AWS::S3::BucketPolicy"
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/11111111-2222-3333-4444-555555555555"


def make(stack: cdk.Stack, construct_id: str = "Front", **props: Any) -> HttpsLoadBalancer:
    vpc = ec2.Vpc(stack, f"{construct_id}Vpc", max_azs=2, nat_gateways=0)
    targets = health_checked_targets(
        stack, f"{construct_id}Targets", vpc=vpc, port=8080, target_type=elbv2.TargetType.IP
    )
    certificate = acm.Certificate.from_certificate_arn(stack, f"{construct_id}Certificate", CERTIFICATE)
    return HttpsLoadBalancer(stack, construct_id, vpc=vpc, target_group=targets, certificate=certificate, **props)


@pytest.fixture(scope="module")
def default() -> Template:
    stack = bare_stack()
    make(stack)
    return synthesized(stack)


def attributes(template: Template) -> dict[str, Any]:
    return {one["Key"]: one["Value"] for one in only(template, BALANCER)["LoadBalancerAttributes"]}


def listener(template: Template, port: int) -> dict[str, Any]:
    (found,) = [one for one in resources(template, LISTENER).values() if one["Port"] == port]
    return found


def https_forwards(template: Template) -> None:
    one = listener(template, 443)
    (targets,) = resources(template, TARGETS)
    assert (one["Protocol"], one["SslPolicy"]) == ("HTTPS", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"), "old TLS"
    assert one["Certificates"] == [{"CertificateArn": CERTIFICATE}], "another certificate"
    assert one["DefaultActions"] == [{"Type": "forward", "TargetGroupArn": {"Ref": targets}}], "it leads elsewhere"


def http_redirects(template: Template) -> None:
    (action,) = listener(template, 80)["DefaultActions"]
    assert action["Type"] == "redirect", "plain HTTP is answered"
    assert action["RedirectConfig"] == {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}, "to elsewhere"


def hardened(template: Template) -> None:
    found = attributes(template)
    assert found["routing.http.drop_invalid_header_fields.enabled"] == "true", "invalid headers pass"
    assert found["routing.http.desync_mitigation_mode"] == "strictest", "ambiguous requests pass"
    assert found["deletion_protection.enabled"] == "true", "it can be deleted"


def logged(template: Template) -> None:
    (bucket,), (policy,) = resources(template, "AWS::S3::Bucket"), resources(template, POLICY)
    found = attributes(template)
    assert found["access_logs.s3.enabled"] == "true", "no access logs"
    assert found["access_logs.s3.bucket"] == {"Ref": bucket}, "no access logs"
    (resource,) = [one for one in template["Resources"].values() if one["Type"] == BALANCER]
    assert policy in resource["DependsOn"], "the bucket would refuse to be named"


def only_its_own_account_logs(template: Template) -> None:
    (bucket,) = resources(template, "AWS::S3::Bucket")
    (allowed,) = [one for one in only(template, POLICY)["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}, "others write logs"
    parts = ["", [{"Fn::GetAtt": [bucket, "Arn"]}, "/AWSLogs/", {"Ref": "AWS::AccountId"}, "/*"]]
    assert allowed["Resource"] == {"Fn::Join": parts}, "other accounts write logs"
    assert allowed["Action"] == "s3:PutObject", "it may do more than write"


def quick_health(template: Template) -> None:
    found = only(template, TARGETS)
    checks = (found["HealthCheckPath"], found["HealthCheckIntervalSeconds"], found["HealthCheckTimeoutSeconds"])
    assert checks == ("/health", 5, 2), "health is asked for elsewhere, or seldom"
    assert (found["HealthyThresholdCount"], found["UnhealthyThresholdCount"]) == (2, 2), "slow to notice"
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "30"}
    assert delay in found["TargetGroupAttributes"], "slow to leave"


HOLDS = [https_forwards, http_redirects, hardened, logged, only_its_own_account_logs, quick_health]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(default: Template, holds: Callable[[Template], None]) -> None:
    holds(default)


STRANGER = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}


@pytest.mark.parametrize(
    ("holds", "kind", "path", "value", "says"),
    [
        (https_forwards, LISTENER, ["SslPolicy"], "ELBSecurityPolicy-2016-08", "old TLS"),
        (https_forwards, LISTENER, ["Certificates"], [], "another certificate"),
        (https_forwards, LISTENER, ["DefaultActions"], [STRANGER], "leads elsewhere"),
        (http_redirects, LISTENER, ["DefaultActions"], [STRANGER], "plain HTTP is answered"),
        (hardened, BALANCER, ["LoadBalancerAttributes", 0, "Value"], "false", "can be deleted"),
        (logged, BALANCER, ["LoadBalancerAttributes", -1, "Value"], "another", "no access logs"),
        (only_its_own_account_logs, POLICY, ["PolicyDocument", "Statement", 1, "Resource"], "*", "other accounts"),
        (only_its_own_account_logs, POLICY, ["PolicyDocument", "Statement", 1, "Action"], "s3:*", "more than write"),
        (quick_health, TARGETS, ["HealthCheckPath"], "/", "asked for elsewhere"),
        (quick_health, TARGETS, ["TargetGroupAttributes"], [], "slow to leave"),
    ],
)
def test_and_would_be_missed(
    default: Template, holds: Callable[[Template], None], kind: str, path: list[str | int], value: Any, says: str
) -> None:
    with pytest.raises(AssertionError, match=says):
        holds(mutated(default, kind, path, value))


def test_the_internet_gets_in_at_two_ports(default: Template) -> None:
    ingress = resources(default, INGRESS).values()
    assert {(one["CidrIp"], one["FromPort"], one["ToPort"]) for one in ingress} == {
        ("0.0.0.0/0", 443, 443),
        ("0.0.0.0/0", 80, 80),
    }
    assert only(default, BALANCER)["Scheme"] == "internet-facing"


def test_an_internal_one_lets_in_the_vpc_alone() -> None:
    stack = bare_stack()
    private = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    make(stack, internet_facing=False, subnets=private)
    template = synthesized(stack)
    (vpc,) = resources(template, "AWS::EC2::VPC")
    ingress = resources(template, INGRESS).values()
    assert [one["CidrIp"] for one in ingress] == [{"Fn::GetAtt": [vpc, "CidrBlock"]}] * 2
    assert only(template, BALANCER)["Scheme"] == "internal"


def test_a_closed_one_lets_in_whom_it_is_told() -> None:
    stack = bare_stack()
    front = make(stack, open=False)
    assert not front.open
    assert not resources(stack, INGRESS)
    assert "SecurityGroupIngress" not in only(stack, GROUP)
    front.admit(stack, "Edge", prefix_list_id="pl-1", description="the edge")
    rule = only(stack, INGRESS)
    assert (rule["SourcePrefixListId"], rule["FromPort"], rule["ToPort"]) == ("pl-1", 443, 443)


def test_nothing_goes_out_but_to_targets(default: Template) -> None:
    (egress,) = only(default, GROUP)["SecurityGroupEgress"]
    assert egress["CidrIp"] == "255.255.255.255/32"


@pytest.mark.parametrize(("arn", "count"), [(None, 0), ("arn:aws:wafv2:us-east-1:1:regional/webacl/w/1", 1)])
def test_a_web_acl_is_asked_when_given(arn: str | None, count: int) -> None:
    stack = bare_stack()
    make(stack, web_acl_arn=arn)
    assert len(resources(stack, "AWS::WAFv2::WebACLAssociation")) == count


@pytest.mark.parametrize(("policy", "kept"), [(RemovalPolicy.RETAIN, "Retain"), (RemovalPolicy.DESTROY, "Delete")])
def test_retained_it_is_protected_and_its_logs_stay(policy: RemovalPolicy, kept: str) -> None:
    stack = bare_stack()
    make(stack, removal_policy=policy)
    template = synthesized(stack)
    (bucket,) = [one for one in template["Resources"].values() if one["Type"] == "AWS::S3::Bucket"]
    assert bucket["DeletionPolicy"] == kept
    protected = attributes(template).get("deletion_protection.enabled")
    assert protected == ("true" if kept == "Retain" else "false")


def test_alarms_are_about_this_load_balancer(default: Template) -> None:
    alarms = resources(default, "AWS::CloudWatch::Alarm").values()
    assert {one["MetricName"] for one in alarms} == {
        "HTTPCode_Target_5XX_Count",
        "HTTPCode_ELB_5XX_Count",
        "UnHealthyHostCount",
        "TargetResponseTime",
    }
    # The CDK reads the name out of a listener's ARN, where it is given a target group alone.
    names = [*resources(default, BALANCER), *resources(default, LISTENER)]
    dimensions = [str(one["Value"]) for alarm in alarms for one in alarm["Dimensions"] if one["Name"] == "LoadBalancer"]
    assert len(dimensions) == len(alarms)
    assert all(any(name in one for name in names) for one in dimensions), dimensions
    (slow,) = [one for one in alarms if one["MetricName"] == "TargetResponseTime"]
    assert slow["ExtendedStatistic"] == "p99"


def test_two_in_one_stack() -> None:
    stack = bare_stack()
    make(stack, "One")
    make(stack, "Two")
    assert len(resources(stack, BALANCER)) == 2


def test_guards_hold(default: Template) -> None:
    guards = {*guards_security.GUARDS, *guards_operations.GUARDS} - {guards_operations.alarms_are_heard}
    assert [one for guard in guards for one in guard(copy.deepcopy(default))] == []


@pytest.mark.parametrize("pinned", [False, True], ids=["any account", "an account and region"])
@pytest.mark.parametrize("internet_facing", [True, False])
def test_an_importer_with_cdk_nag_has_nothing_to_do(pinned: bool, internet_facing: bool) -> None:
    def app() -> cdk.App:
        made = cdk.App(context={**flags(), **NO_BUNDLING}, outdir=str(scratch()))
        stack = cdk.Stack(made, "S", env=Environment(account="111122223333", region="eu-central-1") if pinned else None)
        subnets = None if internet_facing else ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        make(stack, internet_facing=internet_facing, subnets=subnets)
        return made

    found = review(app)
    mine = [one for one in found.problems() if "FrontVpc" not in one]
    assert mine == [], [one for one in found.findings if isinstance(one, Finding)]
