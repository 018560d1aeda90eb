"""The edge keeps files, passes the rest, and is the only one that the load balancer admits."""

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Environment, RemovalPolicy
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2

from constructs_lib import EdgeOffload
from tests.constructs.test_fargate_service import make as make_service
from tests.constructs.test_load_balancer import CERTIFICATE
from tests.constructs.test_load_balancer import make as make_front
from tests.repo import guards_operations, guards_security
from tests.repo.policies import identity_statements
from tests.repo.rules import review
from tests.templates import NO_BUNDLING, Template, bare_stack, flags, mutated, only, resources, scratch, synthesized

DISTRIBUTION, CACHE = "AWS::CloudFront::Distribution", "AWS::CloudFront::CachePolicy"
RULE, INGRESS = "AWS::ElasticLoadBalancingV2::ListenerRule", "AWS::EC2::SecurityGroupIngress"
SECRET = "AWS::SecretsManager::Secret"
FILES, MANIFEST = "/releases/*", "/releases/latest.json"


def make(stack: cdk.Stack, construct_id: str = "Edge", *, named: bool = False, **props: Any) -> EdgeOffload:
    if named:
        certificate = acm.Certificate.from_certificate_arn(stack, f"{construct_id}Public", CERTIFICATE)
        props |= {"domain_names": ["updates.example.com"], "certificate": certificate}
    given = {
        "front": props.pop("front", None) or make_front(stack, f"{construct_id}Front", open=False),
        "origin_domain": "origin.example.com",
        "file_paths": [FILES],
        "manifest_paths": [MANIFEST],
        **props,
    }
    return EdgeOffload(stack, construct_id, **given)


@pytest.fixture(scope="module")
def default() -> Template:
    stack = bare_stack()
    make(stack, named=True)
    return synthesized(stack)


def config(template: Template) -> dict[str, Any]:
    found: dict[str, Any] = only(template, DISTRIBUTION)["DistributionConfig"]
    return found


def cache_of(template: Template, behaviour: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resources(template, CACHE)[behaviour["CachePolicyId"]["Ref"]]["CachePolicyConfig"]
    return found


def kept(template: Template) -> None:
    manifest, files = config(template)["CacheBehaviors"]
    assert (manifest["PathPattern"], files["PathPattern"]) == (MANIFEST, FILES), (
        "the manifest would be taken for a file"
    )
    limits = [(one["MinTTL"], one["DefaultTTL"], one["MaxTTL"]) for one in map(_cache(template), (manifest, files))]
    assert limits == [(0, 30, 60), (0, 86_400, 31_536_000)], "kept for another time"
    for one in map(_cache(template), (manifest, files)):
        key = one["ParametersInCacheKeyAndForwardedToOrigin"]
        behaviours = (key["QueryStringsConfig"], key["CookiesConfig"], key["HeadersConfig"])
        assert [next(iter(each.values())) for each in behaviours] == ["none"] * 3, "the same file is kept many times"
        encodings = (key["EnableAcceptEncodingGzip"], key["EnableAcceptEncodingBrotli"])
        assert encodings == (False, False), "the same file is kept in many encodings"
    assert files["Compress"] is False, "a compressed file has no ranges"
    assert manifest["Compress"] is False, "what is compressed has another digest"


def _cache(template: Template) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda behaviour: cache_of(template, behaviour)


def passed_on(template: Template) -> None:
    other = config(template)["DefaultCacheBehavior"]
    # The ids of AWS's own policies CachingDisabled and AllViewerExceptHostHeader.
    assert other["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "what was not a file is kept"
    assert other["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac", "the origin is not told"
    assert len(other["AllowedMethods"]) == 7, "some requests do not pass"


def https_both_ways(template: Template) -> None:
    (origin,) = config(template)["Origins"]
    assert origin["DomainName"] == "origin.example.com", "its certificate has another name"
    custom = origin["CustomOriginConfig"]
    assert (custom["OriginProtocolPolicy"], custom["OriginSSLProtocols"]) == ("https-only", ["TLSv1.2"]), "in the clear"
    behaviours = [config(template)["DefaultCacheBehavior"], *config(template)["CacheBehaviors"]]
    assert {one["ViewerProtocolPolicy"] for one in behaviours} == {"redirect-to-https"}, "in the clear"
    assert all("ResponseHeadersPolicyId" in one for one in behaviours), "no security headers"
    assert config(template)["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021", "old TLS"


def _value(secret: str) -> dict[str, Any]:
    return {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": secret}, ":SecretString:::}}"]]}


def only_with_the_secret(template: Template) -> None:
    (secret,) = resources(template, SECRET)
    (origin,) = config(template)["Origins"]
    assert origin["OriginCustomHeaders"] == [{"HeaderName": "X-Origin-Verify", "HeaderValue": _value(secret)}], (
        "another header is sent"
    )
    first, second = sorted(resources(template, RULE).values(), key=lambda one: one["Priority"])
    assert [one["Priority"] for one in (first, second)] == [1, 2], "other rules come before"
    header = {"HttpHeaderName": "X-Origin-Verify", "Values": [_value(secret)]}
    assert first["Conditions"] == [{"Field": "http-header", "HttpHeaderConfig": header}], "others are let in"
    assert first["Actions"][0]["Type"] == "forward", "nobody is let in"
    assert second["Conditions"] == [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["*"]}}], (
        "some are let in"
    )
    refusal = second["Actions"][0]["FixedResponseConfig"]
    assert (refusal["StatusCode"], json.loads(refusal["MessageBody"])["status"]) == ("403", 403), "they are let in"


def only_from_cloudfront(template: Template) -> None:
    (found,) = resources(template, "Custom::ManagedPrefixList")
    name = only(template, "Custom::ManagedPrefixList")["Name"]
    assert name == "com.amazonaws.global.cloudfront.origin-facing", "others get in"
    rule = only(template, INGRESS)
    assert rule["SourcePrefixListId"] == {"Fn::GetAtt": [found, "Id"]}, "others get in"
    assert (rule["FromPort"], rule["ToPort"]) == (443, 443), "at other ports"


def in_order(template: Template) -> None:
    """Accepted before it is sent, and nobody refused before there is another way."""
    (distribution,) = [one for one in template["Resources"].values() if one["Type"] == DISTRIBUTION]
    (name,) = resources(template, DISTRIBUTION)
    rules = {logical_id: one for logical_id, one in template["Resources"].items() if one["Type"] == RULE}
    admit = next(one for one in rules if "Admit" in one)
    refuse = next(one for logical_id, one in rules.items() if "Refuse" in logical_id)
    assert admit in distribution.get("DependsOn", []), "the distribution sends what is not accepted yet"
    assert name in refuse.get("DependsOn", []), "clients are refused before there is another way"


HOLDS = [kept, passed_on, https_both_ways, only_with_the_secret, only_from_cloudfront, in_order]


def test_nobody_is_refused_before_the_names_lead_here() -> None:
    stack = bare_stack()
    edge, names = make(stack), [cdk.CfnResource(stack, name, type="AWS::Route53::RecordSet") for name in ("A", "B")]
    edge.close_after(*names)
    rules = synthesized(stack)["Resources"]
    (refuse,) = [one for name, one in rules.items() if one["Type"] == RULE and "Refuse" in name]
    assert {"A", "B"} < set(refuse["DependsOn"]), "clients are refused whose name still leads to the load balancer"


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(default: Template, holds: Callable[[Template], None]) -> None:
    holds(default)


BEHAVIORS, KEY = (
    ["DistributionConfig", "CacheBehaviors"],
    ["CachePolicyConfig", "ParametersInCacheKeyAndForwardedToOrigin"],
)


@pytest.mark.parametrize(
    ("holds", "kind", "path", "value", "says"),
    [
        (kept, DISTRIBUTION, [*BEHAVIORS, 0, "PathPattern"], FILES, "taken for a file"),
        (kept, CACHE, ["CachePolicyConfig", "MinTTL"], 60, "another time"),
        (
            kept,
            CACHE,
            [*KEY, "QueryStringsConfig"],
            {"QueryStringBehavior": "all"},
            "many times",
        ),
        (kept, CACHE, [*KEY, "EnableAcceptEncodingGzip"], True, "many encodings"),
        (kept, DISTRIBUTION, [*BEHAVIORS, 1, "Compress"], True, "no ranges"),
        (kept, DISTRIBUTION, [*BEHAVIORS, 0, "Compress"], True, "another digest"),
        (passed_on, DISTRIBUTION, ["DistributionConfig", "DefaultCacheBehavior", "CachePolicyId"], "x", "is kept"),
        (
            https_both_ways,
            DISTRIBUTION,
            ["DistributionConfig", "Origins", 0, "CustomOriginConfig", "OriginProtocolPolicy"],
            "match-viewer",
            "in the clear",
        ),
        (https_both_ways, DISTRIBUTION, [*BEHAVIORS, 0, "ViewerProtocolPolicy"], "allow-all", "in the clear"),
        (only_with_the_secret, RULE, ["Conditions"], [], "others are let in"),
        (only_with_the_secret, RULE, ["Priority"], 3, "other rules"),
        (
            only_with_the_secret,
            DISTRIBUTION,
            ["DistributionConfig", "Origins", 0, "OriginCustomHeaders"],
            [],
            "another",
        ),
        (only_from_cloudfront, INGRESS, ["SourcePrefixListId"], "pl-1", "others get in"),
        (only_from_cloudfront, INGRESS, ["FromPort"], 0, "other ports"),
        (only_from_cloudfront, "Custom::ManagedPrefixList", ["Name"], "com.example", "others get in"),
    ],
)
def test_and_would_be_missed(
    default: Template, holds: Callable[[Template], None], kind: str, path: list[str | int], value: Any, says: str
) -> None:
    with pytest.raises(AssertionError, match=says):
        holds(mutated(default, kind, path, value))


@pytest.mark.parametrize(("kind", "says"), [(DISTRIBUTION, "not accepted yet"), (RULE, "before there is another way")])
def test_and_haste_would_be_missed(default: Template, kind: str, says: str) -> None:
    mutant = json.loads(json.dumps(default))
    for one in mutant["Resources"].values():
        if one["Type"] == kind:
            one.pop("DependsOn", None)
    with pytest.raises(AssertionError, match=says):
        in_order(mutant)


def test_the_look_up_may_do_nothing_else(default: Template) -> None:
    (found,) = [
        one for _, one in identity_statements(default) if "ec2:DescribeManagedPrefixLists" in str(one["Action"])
    ]
    assert found["Resource"] == "*"
    assert (
        set(found["Action"])
        <= {
            "ec2:DescribeManagedPrefixLists",
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
        }
        or found["Action"] == "ec2:DescribeManagedPrefixLists"
    )


def test_rotating_the_last_secret_is_sent_and_each_is_accepted() -> None:
    stack = bare_stack()
    make(stack, secret_names=["blue", "green"])
    template = synthesized(stack)
    blue, green = sorted(resources(template, SECRET))
    (origin,) = config(template)["Origins"]
    assert origin["OriginCustomHeaders"][0]["HeaderValue"] == _value(green)
    (admit,) = [one for one in resources(template, RULE).values() if one["Priority"] == 1]
    assert admit["Conditions"][0]["HttpHeaderConfig"]["Values"] == [_value(blue), _value(green)]


def test_a_secret_is_long_and_has_no_wildcards(default: Template) -> None:
    made = only(default, SECRET)["GenerateSecretString"]
    assert (made["PasswordLength"], made["ExcludePunctuation"]) == (48, True)


def test_errors_are_kept_for_moments(default: Template) -> None:
    kept_for = {one["ErrorCode"]: one["ErrorCachingMinTTL"] for one in config(default)["CustomErrorResponses"]}
    assert kept_for == {404: 10, 500: 1, 502: 1, 503: 1, 504: 1}


def test_with_a_shield_all_edges_share_a_cache() -> None:
    stack = bare_stack()
    make(stack, origin_shield_region="eu-central-1")
    (origin,) = config(synthesized(stack))["Origins"]
    assert origin["OriginShield"] == {"Enabled": True, "OriginShieldRegion": "eu-central-1"}


def test_without_one_there_is_none(default: Template) -> None:
    assert config(default)["Origins"][0]["OriginShield"] == {"Enabled": False}
    assert config(default)["PriceClass"] == "PriceClass_100"


def test_without_names_it_has_one_of_cloudfronts() -> None:
    stack = bare_stack()
    edge = make(stack)
    assert "Aliases" not in config(synthesized(stack))
    assert "cloudfront" not in edge.url.lower() or "Distribution" in str(stack.resolve(edge.url))


def test_its_own_names_and_logs(default: Template) -> None:
    assert config(default)["Aliases"] == ["updates.example.com"]
    assert config(default)["Logging"]["Prefix"] == "Distribution/"
    assert only(default, "AWS::CloudFront::MonitoringSubscription")


def test_alarms_watch_origin_and_answers(default: Template) -> None:
    alarms = {
        name: one for name, one in resources(default, "AWS::CloudWatch::Alarm").items() if "EdgeFront" not in name
    }
    said = " ".join(one["AlarmDescription"] for one in alarms.values())
    for words in ("leaves over 6000 a minute", "answers more than 5 % with 5xx", "fails"):
        assert words in said, f"nobody is told that it {words}"
    (asked,) = [one for one in alarms.values() if one["MetricName"] == "RequestCount"]
    assert (asked["Threshold"], asked["Statistic"]) == (6000, "Sum")
    assert only(default, "AWS::CloudFront::MonitoringSubscription"), "how much the cache hits is not published"


@pytest.mark.parametrize(("policy", "says"), [(RemovalPolicy.RETAIN, "Retain"), (RemovalPolicy.DESTROY, "Delete")])
def test_logs_outlive_the_stack_unless_told_otherwise(policy: RemovalPolicy, says: str) -> None:
    stack = bare_stack()
    make(stack, removal_policy=policy)
    found = synthesized(stack)["Resources"]
    (logs,) = [one for name, one in found.items() if one["Type"] == "AWS::S3::Bucket" and name.startswith("EdgeAccess")]
    assert logs["DeletionPolicy"] == says


def test_two_in_one_stack() -> None:
    stack = bare_stack()
    make(stack, "One")
    make(stack, "Two")
    assert len(resources(stack, DISTRIBUTION)) == 2


@pytest.fixture(scope="module")
def before_containers() -> Template:
    stack = bare_stack()
    make(stack, front=make_service(stack, open=False).front, named=True)
    return synthesized(stack)


@pytest.mark.parametrize("holds", [kept, passed_on, https_both_ways, only_with_the_secret, in_order])
def test_it_stands_before_containers_as_well(before_containers: Template, holds: Callable[[Template], None]) -> None:
    holds(before_containers)


def test_then_it_alone_reaches_the_load_balancer_and_that_the_containers(before_containers: Template) -> None:
    groups = resources(before_containers, "AWS::EC2::SecurityGroup")
    (balancer,) = [name for name in groups if "LoadBalancer" in name]
    (tasks,) = [name for name in groups if "LoadBalancer" not in name]
    assert not any("SecurityGroupIngress" in one for one in groups.values())
    reached = {
        one["GroupId"]["Fn::GetAtt"][0]: one.get("SourceSecurityGroupId", one.get("SourcePrefixListId"))
        for one in resources(before_containers, INGRESS).values()
    }
    (found,) = resources(before_containers, "Custom::ManagedPrefixList")
    assert reached == {balancer: {"Fn::GetAtt": [found, "Id"]}, tasks: {"Fn::GetAtt": [balancer, "GroupId"]}}
    (targets,) = resources(before_containers, "AWS::ElasticLoadBalancingV2::TargetGroup")
    (admit,) = [one for one in resources(before_containers, RULE).values() if one["Priority"] == 1]
    assert admit["Actions"] == [{"TargetGroupArn": {"Ref": targets}, "Type": "forward"}]
    (served,) = only(before_containers, "AWS::ECS::Service")["LoadBalancers"]
    assert served["TargetGroupArn"] == {"Ref": targets}, "the containers stand behind another one"


def test_an_open_service_is_refused() -> None:
    stack = bare_stack()
    with pytest.raises(ValueError, match=r"front: must not be open, .*, got Test/Orders/LoadBalancer"):
        make(stack, front=make_service(stack).front)


@pytest.mark.parametrize("containers", [False, True])
def test_an_internal_front_is_refused(containers: bool) -> None:
    stack = bare_stack()
    if containers:
        front = make_service(stack, open=False, internet_facing=False).front
    else:
        private = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        front = make_front(stack, open=False, internet_facing=False, subnets=private)
    with pytest.raises(ValueError, match="front: must face the internet, where the edge asks it, got Test/"):
        make(stack, front=front)


def test_an_open_front_is_refused() -> None:
    stack = bare_stack()
    with pytest.raises(ValueError, match="front: must not be open, or the edge could be gone round, got Test/Front"):
        make(stack, front=make_front(stack))


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"origin_domain": "https://origin"}, "origin_domain: must be a domain name as 'origin.example.com', got"),
        ({"file_paths": []}, "file_paths: must have at least one item, got none"),
        ({"file_paths": ["releases/*"]}, "file_paths, manifest_paths: must be patterns like '/releases/\\*', got"),
        ({"manifest_paths": [FILES]}, "file_paths, manifest_paths: must be unique, got '/releases/\\*' twice"),
        ({"secret_names": []}, r"secret_names \(number\): must be between 1 and 3, got 0"),
        ({"secret_names": ["a", "b", "c", "d"]}, r"secret_names \(number\): must be between 1 and 3, got 4"),
        ({"secret_names": ["a", "a"]}, "secret_names: must be unique, got 'a' twice"),
        ({"secret_names": ["A"]}, "secret_names: must be 1-32 of a-z and 0-9, beginning with a letter, got 'A'"),
        ({"origin_shield_region": "Europe"}, "origin_shield_region: must be a region as 'eu-central-1', got 'Europe'"),
        ({"origin_requests_alarm": 0}, "origin_requests_alarm: must be between 1 and 10000000, got 0"),
        ({"domain_names": ["a.example.com"]}, "domain_names, certificate: give both or neither"),
        (
            {"domain_names": ["https://a"]},
            "domain_names: must be domain names as 'updates.example.com', got 'https://a'",
        ),
    ],
)
def test_a_prop_out_of_range_is_refused(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(bare_stack(), **props)


def test_a_certificate_of_no_name_is_refused() -> None:
    stack = bare_stack()
    certificate = acm.Certificate.from_certificate_arn(stack, "Public", CERTIFICATE)
    with pytest.raises(ValueError, match="domain_names, certificate: give both or neither, got a certificate alone"):
        make(stack, certificate=certificate)


@pytest.mark.parametrize("region", ["us-east-1", None])
def test_a_certificate_is_taken_from_where_cloudfront_wants_it(region: str | None) -> None:
    stack = bare_stack(env=Environment(account="111122223333", region=region))
    make(stack, domain_names=["*.example.com"], certificate=acm.Certificate(stack, "Own", domain_name="*.example.com"))
    assert "AcmCertificateArn" in config(synthesized(stack))["ViewerCertificate"]


def test_and_from_nowhere_else() -> None:
    stack = bare_stack(env=Environment(account="111122223333", region="eu-central-1"))
    own = acm.Certificate(stack, "Own", domain_name="a.example.com")
    with pytest.raises(ValueError, match=r"certificate: must be of us-east-1, as .* wants it, got 'eu-central-1'"):
        make(stack, domain_names=["a.example.com"], certificate=own)


def test_guards_hold(default: Template) -> None:
    guards = {*guards_security.GUARDS, *guards_operations.GUARDS} - {guards_operations.alarms_are_heard}
    assert [one for guard in guards for one in guard(default)] == []


@pytest.mark.parametrize("pinned", [False, True], ids=["any account", "an account and region"])
@pytest.mark.parametrize(("named", "containers"), [(False, False), (True, False), (True, True)])
def test_an_importer_with_cdk_nag_has_nothing_to_do(pinned: bool, named: bool, containers: bool) -> None:
    def app() -> cdk.App:
        made = cdk.App(context={**flags(), **NO_BUNDLING}, outdir=str(scratch()))
        env = Environment(account="111122223333", region="eu-central-1") if pinned else None
        stack = cdk.Stack(made, "S", env=env)
        front: dict[str, Any] = {"front": make_service(stack, open=False).front} if containers else {}
        make(stack, named=named, **front)
        return made

    found = review(app)
    assert [one for one in found.problems() if "EdgeFrontVpc" not in one] == []
