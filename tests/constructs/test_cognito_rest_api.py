"""Only users of the pool get in; what one of them was told is never told to another."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Duration, Environment, RemovalPolicy
from aws_cdk import aws_cognito as cognito

from constructs_lib import ApiRoute, CognitoRestApi, PythonFunction
from constructs_lib._acknowledge import acknowledge
from tests.repo.rules import Review, review
from tests.templates import NO_BUNDLING, Template, bare_stack, flags, only, resources, scratch, synthesized

API, STAGE, METHOD = "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage", "AWS::ApiGateway::Method"
AUTHORIZER, ANSWER = "AWS::ApiGateway::Authorizer", "AWS::ApiGateway::GatewayResponse"
POOL, CLIENT = "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"
ROUTES = (
    ApiRoute("GET", "/things", query=("limit",)),
    ApiRoute("POST", "/things"),
    ApiRoute("GET", "/things/{thing_id}"),
)
ADVICE = "API Gateway calls it and waits: its errors go to the caller."


def make(stack: cdk.Stack, construct_id: str = "Api", **props: Any) -> CognitoRestApi:
    handler = PythonFunction(stack, f"{construct_id}Handler", package="order_worker").function
    acknowledge(handler, {"Serverless-LambdaDLQ": ADVICE})
    return CognitoRestApi(stack, construct_id, **{"handler": handler, "routes": ROUTES, **props})


@pytest.fixture(scope="module")
def default() -> Template:
    stack = bare_stack()
    make(stack)
    return synthesized(stack)


@pytest.fixture(scope="module")
def cached() -> Template:
    stack = bare_stack()
    make(stack, cache_ttl=Duration.seconds(30))
    return synthesized(stack)


def test_the_api_is_regional_and_speaks_modern_tls_alone(default: Template) -> None:
    api = only(default, API)
    assert api["EndpointConfiguration"]["Types"] == ["REGIONAL"]
    assert api["SecurityPolicy"].startswith("SecurityPolicy_TLS13_1_2")
    assert api["EndpointAccessMode"] == "STRICT"


def unauthorized(template: Template) -> list[str]:
    """The methods that somebody gets into without a token of the pool."""
    (authorizer,), (pool,) = resources(template, AUTHORIZER), resources(template, POOL)
    if only(template, AUTHORIZER)["ProviderARNs"] != [{"Fn::GetAtt": [pool, "Arn"]}]:
        return ["all"]
    return [
        name
        for name, one in resources(template, METHOD).items()
        if (one["AuthorizationType"], one.get("AuthorizerId")) != ("COGNITO_USER_POOLS", {"Ref": authorizer})
    ]


def test_every_method_wants_a_token_of_the_pool(default: Template) -> None:
    assert len(resources(default, METHOD)) == len(ROUTES)
    assert unauthorized(default) == []


def test_a_method_that_wants_none_would_be_seen(default: Template) -> None:
    mutant = json.loads(json.dumps(default))
    (name, *_) = resources(mutant, METHOD)
    mutant["Resources"][name]["Properties"]["AuthorizationType"] = "NONE"
    assert unauthorized(mutant) == [name]


def test_methods_ask_for_no_scope_so_that_id_tokens_are_taken(default: Template) -> None:
    assert not [one for one in resources(default, METHOD).values() if "AuthorizationScopes" in one]


def test_a_token_is_verified_at_every_request(default: Template) -> None:
    assert only(default, AUTHORIZER)["AuthorizerResultTtlInSeconds"] == 0


def test_the_function_is_told_whose_tokens_to_take(default: Template) -> None:
    (client,) = resources(default, CLIENT)
    variables = only(default, "AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables["USER_POOL_CLIENT_ID"] == {"Ref": client}


@pytest.mark.parametrize(
    ("kind", "status"),
    [("UNAUTHORIZED", "401"), ("ACCESS_DENIED", "403"), ("MISSING_AUTHENTICATION_TOKEN", "404"), ("THROTTLED", "429")],
)
def test_refusals_are_problem_details(default: Template, kind: str, status: str) -> None:
    (answer,) = [one for one in resources(default, ANSWER).values() if one["ResponseType"] == kind]
    assert answer["StatusCode"] == status
    problem = json.loads(answer["ResponseTemplates"]["application/json"])
    assert problem.keys() == {"type", "title", "status", "detail", "requestId"}
    assert problem["status"] == int(status)


def test_without_a_cache_nothing_is_kept(default: Template) -> None:
    assert "CacheClusterEnabled" not in only(default, STAGE)
    assert "CachingEnabled" not in json.dumps(only(default, STAGE)["MethodSettings"])
    assert not [one for one in resources(default, METHOD).values() if "CacheKeyParameters" in one["Integration"]]


def keeps_for_all(template: Template) -> list[str]:
    """The methods whose kept answers could be told to another caller, or kept in the clear."""
    stage = only(template, STAGE)
    kept = [one for one in stage["MethodSettings"] if one.get("CachingEnabled")]
    found = [one["ResourcePath"] for one in kept if one.get("CacheDataEncrypted") is not True]
    for name, method in resources(template, METHOD).items():
        key = method["Integration"].get("CacheKeyParameters", [])
        if method["HttpMethod"] == "GET" and "method.request.header.Authorization" not in key:
            found.append(name)
    return found


def test_a_cache_keeps_answers_to_get_encrypted_and_per_caller(cached: Template) -> None:
    stage = only(cached, STAGE)
    assert (stage["CacheClusterEnabled"], stage["CacheClusterSize"]) == (True, "0.5")
    kept = {one["ResourcePath"]: one for one in stage["MethodSettings"] if one.get("CachingEnabled")}
    assert kept.keys() == {"/~1things", "/~1things~1{thing_id}"}
    assert {(one["HttpMethod"], one["CacheTtlInSeconds"]) for one in kept.values()} == {("GET", 30)}
    assert {(one["ThrottlingRateLimit"], one["ThrottlingBurstLimit"]) for one in kept.values()} == {(100, 200)}
    assert keeps_for_all(cached) == []


@pytest.mark.parametrize("spoil", ["key", "encryption"])
def test_a_cache_that_is_shared_or_in_the_clear_would_be_seen(cached: Template, spoil: str) -> None:
    mutant = json.loads(json.dumps(cached))
    for resource in mutant["Resources"].values():
        if resource["Type"] == METHOD and spoil == "key":
            resource["Properties"]["Integration"]["CacheKeyParameters"] = []
        if resource["Type"] == STAGE and spoil == "encryption":
            for settings in resource["Properties"]["MethodSettings"]:
                settings.pop("CacheDataEncrypted", None)
    assert len(keeps_for_all(mutant)) == 2


def test_the_key_holds_all_that_the_answer_depends_on(cached: Template) -> None:
    keys = {
        tuple(one["Integration"]["CacheKeyParameters"][1:]): one["RequestParameters"]
        for one in resources(cached, METHOD).values()
        if one["HttpMethod"] == "GET"
    }
    assert keys.keys() == {("method.request.querystring.limit",), ("method.request.path.thing_id",)}
    # API Gateway takes for the key what is declared, and refuses requests without what is declared as needed.
    assert [dict(declared) for declared in keys.values()] == [
        {"method.request.header.Authorization": True, "method.request.querystring.limit": False},
        {"method.request.header.Authorization": True, "method.request.path.thing_id": True},
    ]


def test_people_sign_up_with_an_address_and_a_long_password(default: Template) -> None:
    pool = only(default, POOL)
    assert pool["UsernameAttributes"] == pool["AutoVerifiedAttributes"] == ["email"]
    policy = pool["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] == 12
    assert {name for name, value in policy.items() if value is True} == {
        "RequireLowercase",
        "RequireNumbers",
        "RequireSymbols",
        "RequireUppercase",
    }
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])


def test_the_app_proves_passwords_without_sending_them_and_learns_no_names(default: Template) -> None:
    client = only(default, CLIENT)
    assert set(client["ExplicitAuthFlows"]) == {"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["EnableTokenRevocation"] is True
    assert client["GenerateSecret"] is False
    assert "AllowedOAuthFlows" not in client
    assert (client["IdTokenValidity"], client["TokenValidityUnits"]["IdToken"]) == (60, "minutes")


def test_users_outlive_the_stack_unless_told_otherwise(default: Template) -> None:
    (kept,) = [one for one in default["Resources"].values() if one["Type"] == POOL]
    assert (kept["DeletionPolicy"], kept["Properties"]["DeletionProtection"]) == ("Retain", "ACTIVE")
    stack = bare_stack()
    make(stack, removal_policy=RemovalPolicy.DESTROY)
    (gone,) = [one for one in synthesized(stack)["Resources"].values() if one["Type"] == POOL]
    assert (gone["DeletionPolicy"], gone["Properties"]["DeletionProtection"]) == ("Delete", "INACTIVE")


def test_a_pool_is_brought() -> None:
    stack = bare_stack()
    pool = cognito.UserPool(stack, "Pool")
    client = pool.add_client("App")
    api = make(stack, user_pool=pool, user_pool_client=client)
    assert (api.user_pool, api.user_pool_client) == (pool, client)
    assert len(resources(stack, POOL)) == len(resources(stack, CLIENT)) == 1
    assert unauthorized(synthesized(stack)) == []


def test_two_in_one_stack() -> None:
    stack = bare_stack()
    first, second = make(stack, "One"), make(stack, "Two")
    names = {one["Name"] for one in resources(stack, API).values()}
    assert names == {"Test-One", "Test-Two"}
    assert first.user_pool is not second.user_pool
    assert [len(each.alarms) for each in (first, second)] == [1, 1]


def test_it_adds_no_output_and_its_url_ends_without_a_slash() -> None:
    stack = bare_stack()
    url = make(stack).url
    assert "Outputs" not in synthesized(stack)
    cdk.CfnOutput(stack, "Url", value=url)
    (stage,) = resources(stack, STAGE)
    parts = synthesized(stack)["Outputs"]["Url"]["Value"]["Fn::Join"][1]
    assert parts[-1] == {"Ref": stage}, f"it ends otherwise: {parts}"


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"routes": []}, "routes: must have at least one item, got none"),
        ({"routes": [ROUTES[0], ROUTES[0]]}, "routes: must be unique, got 'GET /things' twice"),
        ({"cache_ttl": Duration.seconds(0)}, "cache_ttl: must be whole seconds between 1 and 3600, got 0 seconds"),
        ({"cache_ttl": Duration.hours(2)}, "cache_ttl: must be whole seconds between 1 and 3600, got 7200 seconds"),
        (
            {"token_validity": Duration.minutes(4)},
            "token_validity: must be whole seconds between 300 and 86400, got 240",
        ),
        (
            {"token_validity": Duration.days(2)},
            "token_validity: must be whole seconds between 300 and 86400, got 172800",
        ),
        ({"rate_limit": 0}, "rate_limit: must be between 1 and 10000, got 0"),
        ({"burst_limit": 5001}, "burst_limit: must be between 1 and 5000, got 5001"),
    ],
)
def test_a_prop_out_of_range_is_refused(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(bare_stack(), **props)


@pytest.mark.parametrize("given", ["user_pool", "user_pool_client"])
def test_half_a_pool_is_refused(given: str) -> None:
    stack = bare_stack()
    pool = cognito.UserPool(stack, "Pool")
    brought: dict[str, Any] = {"user_pool": pool, "user_pool_client": pool.add_client("App")}
    with pytest.raises(ValueError, match=f"user_pool, user_pool_client: bring both or neither, got {given} alone"):
        make(stack, **{given: brought[given]})


@pytest.mark.parametrize(
    ("route", "message"),
    [
        (("get", "/things"), "method: must be one of DELETE, GET, HEAD, PATCH, POST, PUT, got 'get'"),
        (("GET", "things"), "path: must be segments of letters, .* got 'things'"),
        (("GET", "/things/"), "path: must be segments of letters, .* got '/things/'"),
        (("GET", "/{proxy+}"), r"path: must be segments of letters, .* got '/\{proxy\+\}'"),
        (("GET", "/things", ("a b",)), "query: must be names of letters, digits, '_' and '-', got 'a b'"),
    ],
)
def test_a_route_that_is_none_is_refused(route: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ApiRoute(*route)


def _reviewed(**props: Any) -> Review:
    def app() -> cdk.App:
        made = cdk.App(context={**flags(), **NO_BUNDLING}, outdir=str(scratch()))
        env = Environment(account="111122223333", region="eu-central-1") if props.pop("pinned", False) else None
        make(cdk.Stack(made, "S", env=env), **props)
        return made

    return review(app)


@pytest.mark.parametrize("pinned", [False, True], ids=["any account", "an account and region"])
def test_an_importer_with_cdk_nag_has_nothing_to_do(pinned: bool) -> None:
    assert _reviewed(pinned=pinned, cache_ttl=Duration.minutes(1)).problems() == []
