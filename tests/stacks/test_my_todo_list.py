"""What must never drift in the to-do list: who gets in, what is kept for whom, what the function may do."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.repo.policies import identity_statements, many
from tests.templates import Template, only, resources, template

METHOD, STAGE, FUNCTION = "AWS::ApiGateway::Method", "AWS::ApiGateway::Stage", "AWS::Lambda::Function"
IDENTITIES, CLUSTER, TABLE = "AWS::Cognito::IdentityPool", "AWS::DAX::Cluster", "AWS::DynamoDB::GlobalTable"
OWN = "${cognito-identity.amazonaws.com:sub}/*"


@pytest.fixture
def my_todo_list() -> Template:
    return template("my-todo-list")


def every_call_needs_a_token(made: Template) -> None:
    open_to_all = [
        name for name, one in resources(made, METHOD).items() if one["AuthorizationType"] != "COGNITO_USER_POOLS"
    ]
    assert not open_to_all, f"anybody may call {open_to_all}"
    assert len(resources(made, METHOD)) == 5, "a method came or went"


def the_app_client_is_checked(made: Template) -> None:
    (client,) = resources(made, "AWS::Cognito::UserPoolClient")
    variables = only(made, FUNCTION)["Environment"]["Variables"]
    assert variables["USER_POOL_CLIENT_ID"] == {"Ref": client}, "tokens of other apps would pass"
    (provider,) = only(made, IDENTITIES)["CognitoIdentityProviders"]
    assert provider["ClientId"] == {"Ref": client}, "tokens of other apps would buy credentials"


def answers_are_kept_per_caller(made: Template) -> None:
    stage = only(made, STAGE)
    assert stage["CacheClusterEnabled"] is True, "nothing is kept"
    kept = [one for one in stage["MethodSettings"] if one.get("CachingEnabled")]
    assert {one["HttpMethod"] for one in kept} == {"GET"}, "writes would be answered from the cache"
    assert all(one["CacheDataEncrypted"] is True for one in kept), "answers lie in the clear"
    assert all(one["CacheTtlInSeconds"] <= 60 for one in kept), "answers are kept too long"
    for one in resources(made, METHOD).values():
        if one["HttpMethod"] == "GET":
            key = one["Integration"].get("CacheKeyParameters", [])
            assert "method.request.header.Authorization" in key, "one caller would be told what another asked"


def the_stage_is_throttled(made: Template) -> None:
    settings = only(made, STAGE)["MethodSettings"]
    assert all(0 < one.get("ThrottlingRateLimit", 0) <= 1000 for one in settings), "one caller could take it all"


def reads_go_through_an_encrypted_cache(made: Template) -> None:
    cluster = only(made, CLUSTER)
    assert cluster["SSESpecification"]["SSEEnabled"] is True, "the cache is not encrypted at rest"
    assert cluster["ClusterEndpointEncryptionType"] == "TLS", "the cache is not encrypted on the way"
    (name,) = resources(made, CLUSTER)
    endpoint = only(made, FUNCTION)["Environment"]["Variables"].get("DAX_ENDPOINT")
    assert endpoint == {"Fn::GetAtt": [name, "ClusterDiscoveryEndpointURL"]}, "the function does not know the cache"


def the_function_may_do_only_this(made: Template) -> None:
    rights = [one for name, one in identity_statements(made) if name.startswith("TodosRole")]
    may = {action for one in rights for action in many(one["Action"])}
    on_items = {"DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"}
    assert may == {f"{service}:{action}" for service in ("dax", "dynamodb") for action in on_items} | {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }, f"the function may do other things than it should: {sorted(may)}"
    for one in rights:
        assert one["Resource"] != "*" or str(one["Action"]).count("xray:") == 2, f"{one['Action']} on everything"


def users_reach_their_own_folder_alone(made: Template) -> None:
    rights = [one for name, one in identity_statements(made) if name.startswith("FilesRole")]
    assert len(rights) == 2, "users may do something else"
    for one in rights:
        if many(one["Action"]) == ["s3:ListBucket"]:
            assert one.get("Condition") == {"StringLike": {"s3:prefix": OWN}}, "users see each other's files"
        else:
            assert str(one["Resource"]).endswith(f"'/{OWN}']]}}"), "users reach each other's files"
    assert only(made, IDENTITIES)["AllowUnauthenticatedIdentities"] is False, "guests get in"


def what_people_keep_outlives_the_stack(made: Template) -> None:
    for kind in (TABLE, "AWS::S3::Bucket", "AWS::Cognito::UserPool"):
        for name, one in made["Resources"].items():
            if one["Type"] == kind:
                assert one["DeletionPolicy"] == one["UpdateReplacePolicy"] == "Retain", f"{name} leaves with the stack"
    (replica,) = only(made, TABLE)["Replicas"]
    assert replica["DeletionProtectionEnabled"] is True, "to-dos can be deleted by mistake"


HOLDS = [
    every_call_needs_a_token,
    the_app_client_is_checked,
    answers_are_kept_per_caller,
    the_stage_is_throttled,
    reads_go_through_an_encrypted_cache,
    the_function_may_do_only_this,
    users_reach_their_own_folder_alone,
    what_people_keep_outlives_the_stack,
]
_KEY: list[str | int] = ["Integration", "CacheKeyParameters"]
_VARIABLES = ["Environment", "Variables"]
_STATEMENT = ["PolicyDocument", "Statement"]
MUTATIONS: list[tuple[Callable[[Template], None], str, str, list[str | int], Any, str]] = [
    (every_call_needs_a_token, METHOD, "ApitodosPOST", ["AuthorizationType"], "NONE", "anybody may call"),
    (the_app_client_is_checked, FUNCTION, "", [*_VARIABLES, "USER_POOL_CLIENT_ID"], "x", "other apps would pass"),
    (the_app_client_is_checked, IDENTITIES, "", ["CognitoIdentityProviders", 0, "ClientId"], "x", "buy credentials"),
    (answers_are_kept_per_caller, METHOD, "ApitodosGET", _KEY, [], "what another asked"),
    (answers_are_kept_per_caller, STAGE, "", ["CacheClusterEnabled"], False, "nothing is kept"),
    (answers_are_kept_per_caller, STAGE, "", ["MethodSettings", 1, "CacheDataEncrypted"], False, "in the clear"),
    (answers_are_kept_per_caller, STAGE, "", ["MethodSettings", 1, "CacheTtlInSeconds"], 3600, "too long"),
    (answers_are_kept_per_caller, STAGE, "", ["MethodSettings", 1, "HttpMethod"], "POST", "writes would be answered"),
    (the_stage_is_throttled, STAGE, "", ["MethodSettings", 0, "ThrottlingRateLimit"], 10_000, "take it all"),
    (reads_go_through_an_encrypted_cache, CLUSTER, "", ["SSESpecification", "SSEEnabled"], False, "at rest"),
    (reads_go_through_an_encrypted_cache, CLUSTER, "", ["ClusterEndpointEncryptionType"], "NONE", "on the way"),
    (reads_go_through_an_encrypted_cache, FUNCTION, "", [*_VARIABLES, "DAX_ENDPOINT"], "", "does not know the cache"),
    (
        the_function_may_do_only_this,
        "AWS::IAM::Policy",
        "TodosRole",
        [*_STATEMENT, 2, "Action"],
        "s3:*",
        "other things",
    ),
    (the_function_may_do_only_this, "AWS::IAM::Policy", "TodosRole", [*_STATEMENT, 2, "Resource"], "*", "everything"),
    (
        users_reach_their_own_folder_alone,
        "AWS::IAM::Policy",
        "FilesRole",
        [*_STATEMENT, 1, "Condition"],
        {},
        "see each",
    ),
    (
        users_reach_their_own_folder_alone,
        "AWS::IAM::Policy",
        "FilesRole",
        [*_STATEMENT, 0, "Resource"],
        "*",
        "reach each",
    ),
    (users_reach_their_own_folder_alone, IDENTITIES, "", ["AllowUnauthenticatedIdentities"], True, "guests get in"),
    (what_people_keep_outlives_the_stack, TABLE, "", ["Replicas", 0, "DeletionProtectionEnabled"], False, "by mistake"),
]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(my_todo_list: Template, holds: Callable[[Template], None]) -> None:
    holds(my_todo_list)


@pytest.mark.parametrize(("holds", "kind", "where", "path", "value", "says"), MUTATIONS)
def test_and_would_be_missed(
    my_todo_list: Template,
    holds: Callable[[Template], None],
    kind: str,
    where: str,
    path: list[str | int],
    value: Any,
    says: str,
) -> None:
    mutant = copy.deepcopy(my_todo_list)
    for name, resource in mutant["Resources"].items():
        if resource["Type"] == kind and name.startswith(where):
            spot: Any = resource["Properties"]
            for step in path[:-1]:
                spot = spot[step]
            spot[path[-1]] = value
    with pytest.raises(AssertionError, match=says):
        holds(mutant)


@pytest.mark.parametrize("kind", [TABLE, "AWS::S3::Bucket", "AWS::Cognito::UserPool"])
def test_what_would_leave_with_the_stack_is_seen(my_todo_list: Template, kind: str) -> None:
    mutant = copy.deepcopy(my_todo_list)
    for resource in mutant["Resources"].values():
        if resource["Type"] == kind:
            resource["DeletionPolicy"] = "Delete"
    with pytest.raises(AssertionError, match="leaves with the stack"):
        what_people_keep_outlives_the_stack(mutant)


def test_a_method_that_is_added_is_noticed(my_todo_list: Template) -> None:
    mutant = copy.deepcopy(my_todo_list)
    mutant["Resources"]["Intruder"] = copy.deepcopy(
        next(one for one in mutant["Resources"].values() if one["Type"] == METHOD)
    )
    with pytest.raises(AssertionError, match="a method came or went"):
        every_call_needs_a_token(mutant)
