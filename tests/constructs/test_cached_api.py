"""Callers sign, reads come from a cache that lets in its functions alone, and both ends are encrypted."""

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Environment, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from constructs_lib import ApiRoute, CachedApi, PythonFunction
from constructs_lib._acknowledge import acknowledge
from tests.repo import guards_operations, guards_security
from tests.repo.policies import identity_statements, many
from tests.repo.rules import Review, review
from tests.templates import NO_BUNDLING, Template, bare_stack, flags, mutated, only, resources, scratch, synthesized

CACHE, USER, USERS = "AWS::ElastiCache::ServerlessCache", "AWS::ElastiCache::User", "AWS::ElastiCache::UserGroup"
METHOD, TABLE, FUNCTION = "AWS::ApiGateway::Method", "AWS::DynamoDB::GlobalTable", "AWS::Lambda::Function"
GROUP, INGRESS, EGRESS = "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"
DOMAIN, ANSWER = "AWS::ApiGateway::DomainName", "AWS::ApiGateway::GatewayResponse"
KEY = dynamodb.Attribute(name="sku", type=dynamodb.AttributeType.STRING)
READ, WRITE = ApiRoute("GET", "/products/{sku}"), ApiRoute("PUT", "/products/{sku}")
SCHEMA = apigateway.JsonSchema(
    type=apigateway.JsonSchemaType.OBJECT,
    required=["name"],
    properties={"name": apigateway.JsonSchema(type=apigateway.JsonSchemaType.STRING, description="1-200 characters")},
)
NAME = "catalog.example.com"


def network(stack: cdk.Stack, construct_id: str = "Network") -> ec2.Vpc:
    made = ec2.Vpc(
        stack,
        construct_id,
        max_azs=2,
        nat_gateways=0,
        restrict_default_security_group=False,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24)
        ],
    )
    made.add_gateway_endpoint("Table", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
    acknowledge(made, {"AwsSolutions-VPC7": "It is the network of a test, and nothing is ever sent through it."})
    return made


def make(
    stack: cdk.Stack, construct_id: str = "Catalog", *, vpc: ec2.IVpc | None = None, named: bool = True, **props: Any
) -> CachedApi:
    worker = PythonFunction(stack, f"{construct_id}Worker", package="catalog_api")
    name = {}
    if named:
        certificate = acm.Certificate.from_certificate_arn(
            stack, f"{construct_id}Certificate", "arn:aws:acm:eu-central-1:111122223333:certificate/a"
        )
        name = {"domain_name": NAME, "certificate": certificate}
    given = {"routes": [READ, WRITE], "partition_key": KEY, "bodies": {"PUT /products/{sku}": SCHEMA}, **name, **props}
    return CachedApi(stack, construct_id, vpc=vpc or network(stack, f"{construct_id}Net"), handler=worker, **given)


@pytest.fixture(scope="module")
def default() -> Template:
    stack = bare_stack()
    make(stack)
    return synthesized(stack)


def every_method_is_signed(template: Template) -> None:
    kinds = {name: one["AuthorizationType"] for name, one in resources(template, METHOD).items()}
    assert set(kinds.values()) == {"AWS_IAM"}, f"anybody may call: {kinds}"
    assert len(kinds) == 3, "two routes, and whatever there is not"


def bodies_are_checked(template: Template) -> None:
    validator = only(template, "AWS::ApiGateway::RequestValidator")
    assert validator["ValidateRequestBody"] is True, "bodies are not checked"
    (put,) = [one for one in resources(template, METHOD).values() if one["HttpMethod"] == "PUT"]
    (model,) = resources(template, "AWS::ApiGateway::Model")
    assert put.get("RequestModels") == {"application/json": {"Ref": model}}, "the body of PUT has no schema"


def encrypted(template: Template) -> None:
    cache = only(template, CACHE)
    (key,) = resources(template, "AWS::KMS::Key")
    assert cache["KmsKeyId"] == {"Fn::GetAtt": [key, "Arn"]}, "not encrypted with a key of its owner"
    assert only(template, "AWS::KMS::Key")["EnableKeyRotation"] is True, "the key is never rotated"
    assert only(template, DOMAIN)["SecurityPolicy"].startswith("SecurityPolicy_TLS13_1_2"), "old TLS is accepted"
    assert only(template, DOMAIN)["EndpointAccessMode"] == "STRICT", "another host than that of the handshake gets in"
    assert only(template, "AWS::ApiGateway::RestApi")["SecurityPolicy"].startswith("SecurityPolicy_TLS13"), "old TLS"


def nobody_without_a_name(template: Template) -> None:
    user = only(template, USER)
    assert user["AuthenticationMode"] == {"Type": "iam"}, "a password opens the cache"
    assert user["UserId"] == user["UserName"], "IAM refuses a user whose id is not its name"
    assert user["AccessString"] == "on ~* -@all +get +set +del +ping", "the user may do other things"
    group = only(template, USERS)
    assert group["UserIds"] == [user["UserId"]], "others get in"
    assert user["Engine"] == group["Engine"] == "valkey", "the engine Redis wants a user 'default'"
    assert only(template, CACHE)["UserGroupId"] == {"Ref": next(iter(resources(template, USERS)))}, "no group guards it"


def only_functions_get_in(template: Template) -> None:
    (endpoint,) = [name for name in resources(template, GROUP) if "Cache" in name]
    assert only(template, CACHE)["SecurityGroupIds"] == [{"Fn::GetAtt": [endpoint, "GroupId"]}], "another group"
    ingress = only(template, INGRESS)
    assert ingress["GroupId"] == {"Fn::GetAtt": [endpoint, "GroupId"]}
    assert (ingress["FromPort"], ingress["ToPort"]) == (6379, 6379), "other ports are open"
    assert "WorkerAccess" in str(ingress.get("SourceSecurityGroupId")), "others get in"
    assert not any(one.get("SecurityGroupIngress") for one in resources(template, GROUP).values()), "others get in"


def has_limits_and_snapshots(template: Template) -> None:
    cache = only(template, CACHE)
    limits = cache["CacheUsageLimits"]
    assert limits["DataStorage"] == {"Maximum": 1, "Unit": "GB"}, "it may grow, and so may its price"
    assert limits["ECPUPerSecond"] == {"Maximum": 1000}, "it may work without a limit, and so may its price"
    assert cache["SnapshotRetentionLimit"] >= 1, "no snapshots are kept"


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
    (table,), (cache,) = resources(template, TABLE), resources(template, CACHE)
    may = rights(template, "CatalogWorker")
    on_table = {"Fn::GetAtt": [table, "Arn"]}
    assert may.keys() == {"dynamodb:GetItem", "dynamodb:PutItem", "elasticache:Connect"}, "the function may do more"
    assert may["dynamodb:GetItem"] == may["dynamodb:PutItem"] == on_table, "it reaches other tables"
    to_cache, to_user = may["elasticache:Connect"]
    assert to_cache == {"Fn::GetAtt": [cache, "ARN"]}, "it reaches other caches"
    assert str(only(template, USER)["UserId"]) in str(to_user), "it is another user"


HOLDS = [
    every_method_is_signed,
    bodies_are_checked,
    encrypted,
    nobody_without_a_name,
    only_functions_get_in,
    has_limits_and_snapshots,
    least_rights,
]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(default: Template, holds: Callable[[Template], None]) -> None:
    holds(default)


@pytest.mark.parametrize(
    ("holds", "kind", "path", "value", "says"),
    [
        (every_method_is_signed, METHOD, ["AuthorizationType"], "NONE", "anybody may call"),
        (bodies_are_checked, "AWS::ApiGateway::RequestValidator", ["ValidateRequestBody"], False, "not checked"),
        (bodies_are_checked, METHOD, ["RequestModels"], None, "no schema"),
        (encrypted, CACHE, ["KmsKeyId"], "alias/aws/elasticache", "not encrypted with a key of its owner"),
        (encrypted, DOMAIN, ["SecurityPolicy"], "TLS_1_0", "old TLS"),
        (nobody_without_a_name, USER, ["AuthenticationMode"], {"Type": "no-password-required"}, "a password opens"),
        (nobody_without_a_name, USER, ["AccessString"], "on ~* +@all", "other things"),
        (nobody_without_a_name, USER, ["UserName"], "default", "IAM refuses"),
        (nobody_without_a_name, USERS, ["UserIds"], ["default"], "others get in"),
        (nobody_without_a_name, CACHE, ["UserGroupId"], None, "no group guards it"),
        (only_functions_get_in, INGRESS, ["FromPort"], 0, "other ports"),
        (only_functions_get_in, INGRESS, ["SourceSecurityGroupId"], "sg-1", "others get in"),
        (only_functions_get_in, CACHE, ["SecurityGroupIds"], ["sg-1"], "another group"),
        (has_limits_and_snapshots, CACHE, ["CacheUsageLimits", "DataStorage"], {}, "may grow"),
        (has_limits_and_snapshots, CACHE, ["CacheUsageLimits", "ECPUPerSecond"], {}, "may work without"),
        (has_limits_and_snapshots, CACHE, ["SnapshotRetentionLimit"], 0, "no snapshots"),
        (least_rights, "AWS::IAM::Policy", ["PolicyDocument", "Statement", 2, "Action"], "dynamodb:*", "may do more"),
        (least_rights, "AWS::IAM::Policy", ["PolicyDocument", "Statement", 2, "Resource"], "*", "other tables"),
    ],
)
def test_and_would_be_missed(
    default: Template, holds: Callable[[Template], None], kind: str, path: list[Any], value: Any, says: str
) -> None:
    with pytest.raises(AssertionError, match=says):
        holds(mutated(default, kind, path, value))


def test_the_function_stands_in_the_vpc_and_knows_where_to_ask(default: Template) -> None:
    function = only(default, FUNCTION)
    assert function["VpcConfig"]["SubnetIds"] == only(default, CACHE)["SubnetIds"]
    variables = function["Environment"]["Variables"]
    (table,), (cache,) = resources(default, TABLE), resources(default, CACHE)
    assert variables["TABLE_NAME"] == {"Ref": table}
    assert variables["CACHE_HOST"] == {"Fn::GetAtt": [cache, "Endpoint.Address"]}
    assert variables["CACHE_PORT"] == {"Fn::GetAtt": [cache, "Endpoint.Port"]}
    assert variables["CACHE_NAME"] == only(default, CACHE)["ServerlessCacheName"]
    assert variables["CACHE_USER"] == only(default, USER)["UserId"]


def test_a_function_reaches_cache_and_endpoint_alone(default: Template) -> None:
    assert only(default, EGRESS)["FromPort"] == 6379
    (access,) = [one for name, one in resources(default, GROUP).items() if "Access" in name]
    assert [(one["FromPort"], one["ToPort"]) for one in access["SecurityGroupEgress"]] == [(443, 443)]


def test_refusals_are_problem_details(default: Template) -> None:
    answers = {one["ResponseType"]: one for one in resources(default, ANSWER).values()}
    unsigned = answers["MISSING_AUTHENTICATION_TOKEN"]
    assert unsigned["StatusCode"] == "403"
    body = json.loads(answers["BAD_REQUEST_BODY"]["ResponseTemplates"]["application/json"])
    assert body["rules"] == {"name": "1-200 characters"}


def test_the_name_leads_to_the_stage(default: Template) -> None:
    assert only(default, DOMAIN)["DomainName"] == NAME
    mapping = only(default, "AWS::ApiGateway::BasePathMapping")
    (stage,) = resources(default, "AWS::ApiGateway::Stage")
    assert mapping["Stage"] == {"Ref": stage}


def test_without_a_name_it_has_the_one_that_aws_makes_up() -> None:
    stack = bare_stack()
    made = make(stack, named=False)
    assert made.domain is None
    assert not resources(stack, DOMAIN)


def test_alarms_are_about_this_api_and_this_cache(default: Template) -> None:
    found = {one["MetricName"]: one for one in resources(default, "AWS::CloudWatch::Alarm").values()}
    assert found.keys() >= {"5XXError", "Latency", "CacheErrors", "ThrottledCmds", "Evictions"}
    (function,) = resources(default, FUNCTION)
    assert {"Name": "function_name", "Value": {"Ref": function}} in found["CacheErrors"]["Dimensions"]
    assert {"Name": "service", "Value": "catalog-api"} in found["CacheErrors"]["Dimensions"]
    name = only(default, CACHE)["ServerlessCacheName"]
    assert found["Evictions"]["Dimensions"] == [{"Name": "clusterId", "Value": name}]


def invocable(routes: list[ApiRoute]) -> list[str]:
    stack = bare_stack()
    made = make(stack)
    made.grant_invoke(iam.Role(stack, "Shop", assumed_by=iam.AccountRootPrincipal()), *routes)
    ((action, arns),) = rights(synthesized(stack), "ShopDefaultPolicy").items()
    assert action == "execute-api:Invoke"
    return [json.dumps(one).split("/", 1)[1].split('"')[0] + json.dumps(one)[-40:] for one in many(arns)]


def test_a_caller_is_granted_routes() -> None:
    (one,) = invocable([READ])
    assert "/GET/products/*" in one
    assert len(invocable([])) == 3, "both routes, and whatever there is not"


def test_a_grant_on_no_route_is_refused() -> None:
    stack = bare_stack()
    made = make(stack)
    with pytest.raises(ValueError, match=r"routes: must be one of GET /products/\{sku\}, PUT .*, got 'GET /other'"):
        made.grant_invoke(iam.Role(stack, "R", assumed_by=iam.AccountRootPrincipal()), ApiRoute("GET", "/other"))


def test_another_function_gets_its_own_rights() -> None:
    stack = bare_stack()
    made = make(stack)
    made.connect(PythonFunction(stack, "Stock", package="order_worker"), "dynamodb:UpdateItem")
    template = synthesized(stack)
    assert rights(template, "StockRole").keys() == {"dynamodb:UpdateItem", "elasticache:Connect"}
    assert len(resources(template, INGRESS)) == 2


@pytest.mark.parametrize("actions", [(), ("dynamodb:*",), ("s3:GetObject",)])
def test_a_right_that_is_none_is_refused(actions: tuple[str, ...]) -> None:
    stack = bare_stack()
    made = make(stack)
    with pytest.raises(ValueError, match="actions: must"):
        made.connect(PythonFunction(stack, "Stock", package="order_worker"), *actions)


def names(stack: cdk.Stack) -> set[str]:
    return {
        only(stack, CACHE)["ServerlessCacheName"],
        only(stack, USER)["UserId"],
        only(stack, USERS)["UserGroupId"],
    }


def test_stacks_of_one_account_do_not_share_names() -> None:
    found: list[str] = []
    for stack_name in ("Shop", "Test-Shop", "A" * 100, "A" * 99):
        stack = cdk.Stack(cdk.App(context=dict(NO_BUNDLING), outdir=str(scratch())), "Same", stack_name=stack_name)
        make(stack)
        found += names(stack)
    assert len(set(found)) == 4
    assert all(len(one) <= 40 and one[0].isalpha() and "--" not in one and one == one.lower() for one in found)


@pytest.mark.parametrize(("policy", "kept"), [(RemovalPolicy.RETAIN, "Retain"), (RemovalPolicy.DESTROY, "Delete")])
def test_the_table_outlives_the_stack_unless_told_otherwise(policy: RemovalPolicy, kept: str) -> None:
    stack = bare_stack()
    make(stack, removal_policy=policy, ttl_attribute="expires")
    (table,) = [one for one in synthesized(stack)["Resources"].values() if one["Type"] == TABLE]
    (replica,) = table["Properties"]["Replicas"]
    assert (table["DeletionPolicy"], replica["DeletionProtectionEnabled"]) == (kept, kept == "Retain")
    assert table["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}


def test_subnets_of_its_owners_choice() -> None:
    stack = bare_stack()
    mine = ec2.Vpc(stack, "Mine", max_azs=2)
    make(stack, vpc=mine, subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS))
    assert all("Private" in one["Ref"] for one in only(stack, CACHE)["SubnetIds"])


def test_one_subnet_of_each_zone_is_a_choice_too() -> None:
    stack = bare_stack()
    kinds = [ec2.SubnetConfiguration(name=one, subnet_type=ec2.SubnetType.PRIVATE_ISOLATED) for one in ("One", "Two")]
    mine = ec2.Vpc(stack, "Mine", max_azs=2, subnet_configuration=kinds)
    chosen = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, one_per_az=True)
    make(stack, vpc=mine, subnets=chosen)
    assert len(only(stack, CACHE)["SubnetIds"]) == 2, "two endpoints in one zone"


def test_without_isolated_subnets_it_stands_in_the_private_ones() -> None:
    stack = bare_stack()
    make(stack, vpc=ec2.Vpc(stack, "Mine", max_azs=2))
    assert all("Private" in one["Ref"] for one in only(stack, CACHE)["SubnetIds"])


def test_two_in_one_stack() -> None:
    stack = bare_stack()
    vpc = network(stack)
    make(stack, "One", vpc=vpc, named=False)
    make(stack, "Two", vpc=vpc, named=False)
    caches = resources(stack, CACHE).values()
    assert len({one["ServerlessCacheName"] for one in caches}) == 2


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"routes": []}, "routes: must have at least one item, got none"),
        ({"routes": [READ, READ, WRITE]}, "routes: must be unique, got 'GET /products/{sku}' twice"),
        ({"bodies": {"POST /products": SCHEMA}}, "bodies: must be one of .*, got 'POST /products'"),
        ({"max_storage_gb": 0}, "max_storage_gb: must be between 1 and 5000, got 0"),
        ({"max_ecpu_per_second": 10}, "max_ecpu_per_second: must be between 1000 and 15000000, got 10"),
        ({"snapshot_days": 36}, "snapshot_days: must be between 1 and 35, got 36"),
        ({"rate_limit": 0}, "rate_limit: must be between 1 and 10000, got 0"),
        ({"certificate": None}, "domain_name, certificate: give both or neither, got domain_name alone"),
        ({"domain_name": None}, "domain_name, certificate: give both or neither, got certificate alone"),
        ({"domain_name": "Catalog"}, "domain_name: must be a domain name .*, got 'Catalog'"),
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
        stack = cdk.Stack(made, "S", env=Environment(account="111122223333", region="eu-central-1") if pinned else None)
        api = make(stack)
        for name, routes in {"Reader": [READ], "Owner": []}.items():
            api.grant_invoke(iam.Role(stack, name, assumed_by=iam.AccountRootPrincipal()), *routes)
        return made

    found: Review = review(app)
    assert found.problems() == []
