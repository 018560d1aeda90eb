"""Each user's folder is open to that user alone."""

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Environment, RemovalPolicy
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_s3 as s3

from constructs_lib import UserFiles
from constructs_lib._acknowledge import acknowledge
from tests.repo import guards_operations, guards_security
from tests.repo.policies import identity_statements, many
from tests.repo.rules import Review, review
from tests.templates import NO_BUNDLING, Template, bare_stack, flags, only, resources, scratch, synthesized

BUCKET, IDENTITIES, ROLE = "AWS::S3::Bucket", "AWS::Cognito::IdentityPool", "AWS::IAM::Role"
OWN = "${cognito-identity.amazonaws.com:sub}/*"


def make(stack: cdk.Stack, construct_id: str = "Files", **props: Any) -> UserFiles:
    found = stack.node.try_find_child("Pool")
    pool = found if isinstance(found, cognito.UserPool) else cognito.UserPool(stack, "Pool")
    client = pool.add_client(f"{construct_id}App")
    return UserFiles(stack, construct_id, **{"user_pool": pool, "user_pool_client": client, **props})


@pytest.fixture
def default() -> Template:
    stack = bare_stack()
    make(stack)
    return synthesized(stack)


def no_guests(template: Template) -> None:
    pool = only(template, IDENTITIES)
    assert pool["AllowUnauthenticatedIdentities"] is False, "guests get in"
    assert pool["AllowClassicFlow"] is False, "the classic flow gives credentials without the pool's limits"
    (provider,) = pool["CognitoIdentityProviders"]
    assert provider["ServerSideTokenCheck"] is True, "who signed out stays in"
    (client,) = resources(template, "AWS::Cognito::UserPoolClient")
    assert provider["ClientId"] == {"Ref": client}, "tokens of other apps are taken"


def only_its_users_take_the_role(template: Template) -> None:
    (pool,) = resources(template, IDENTITIES)
    (role,) = [one for name, one in resources(template, ROLE).items() if name.startswith("FilesRole")]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Federated": "cognito-identity.amazonaws.com"}, "others take the role"
    assert trust["Condition"] == {
        "StringEquals": {"cognito-identity.amazonaws.com:aud": {"Ref": pool}},
        "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
    }, "users of other pools, or guests, take the role"


def only_their_own(template: Template) -> None:
    (bucket,) = [name for name in resources(template, BUCKET) if name.startswith("FilesBucket")]
    arn = {"Fn::GetAtt": [bucket, "Arn"]}
    rights = [one for name, one in identity_statements(template) if name.startswith("FilesRole")]
    assert {action for one in rights for action in many(one["Action"])} == {
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
    }, "users may do more than they should"
    for one in rights:
        if one["Action"] == "s3:ListBucket":
            assert one["Resource"] == arn, "they list other buckets"
            assert one.get("Condition") == {"StringLike": {"s3:prefix": OWN}}, "they see each other's names"
        else:
            assert one["Resource"] == {"Fn::Join": ["", [arn, f"/{OWN}"]]}, "they reach each other's files"


HOLDS = [no_guests, only_its_users_take_the_role, only_their_own]


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


RIGHTS = ("PolicyDocument", "Statement")


@pytest.mark.parametrize(
    ("holds", "spoil", "says"),
    [
        (no_guests, _set(IDENTITIES, "AllowUnauthenticatedIdentities", to=True), "guests get in"),
        (no_guests, _set(IDENTITIES, "AllowClassicFlow", to=True), "classic flow"),
        (
            no_guests,
            _set(IDENTITIES, "CognitoIdentityProviders", 0, "ServerSideTokenCheck", to=False),
            "signed out stays in",
        ),
        (no_guests, _set(IDENTITIES, "CognitoIdentityProviders", 0, "ClientId", to="x"), "other apps"),
        (
            only_its_users_take_the_role,
            _set(ROLE, "AssumeRolePolicyDocument", "Statement", 0, "Condition", to={}, where="FilesRole"),
            "users of other pools",
        ),
        (only_their_own, _set("AWS::IAM::Policy", *RIGHTS, 0, "Resource", to="*"), "reach each other's files"),
        (only_their_own, _set("AWS::IAM::Policy", *RIGHTS, 1, "Condition", to={}), "see each other's names"),
        (only_their_own, _set("AWS::IAM::Policy", *RIGHTS, 0, "Action", to="s3:*"), "more than they should"),
    ],
)
def test_and_would_be_missed(
    default: Template, holds: Callable[[Template], None], spoil: Callable[[Template], None], says: str
) -> None:
    mutant = json.loads(json.dumps(default))
    spoil(mutant)
    assert mutant != default
    with pytest.raises(AssertionError, match=says):
        holds(mutant)


def test_guards_hold_for_the_bucket(default: Template) -> None:
    assert [one for guard in guards_security.GUARDS for one in guard(default)] == []
    assert [one for guard in guards_operations.GUARDS for one in guard(default)] == []


def test_the_bucket_keeps_versions_and_logs(default: Template) -> None:
    (bucket,) = [one for name, one in resources(default, BUCKET).items() if name.startswith("FilesBucket")]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["LoggingConfiguration"]["LogFilePrefix"] == "Bucket/"


def test_the_role_is_for_those_who_signed_in(default: Template) -> None:
    attached = only(default, "AWS::Cognito::IdentityPoolRoleAttachment")
    assert attached["Roles"].keys() == {"authenticated"}


def test_a_bucket_is_brought() -> None:
    stack = bare_stack()
    mine = s3.Bucket(stack, "Mine")
    assert make(stack, bucket=mine).bucket is mine
    assert len(resources(stack, BUCKET)) == 1
    assert OWN in json.dumps(synthesized(stack))


def test_files_outlive_the_stack_unless_told_otherwise(default: Template) -> None:
    stack = bare_stack()
    make(stack, removal_policy=RemovalPolicy.DESTROY)
    policies = [
        {one["DeletionPolicy"] for one in template["Resources"].values() if one["Type"] == BUCKET}
        for template in (default, synthesized(stack))
    ]
    assert policies == [{"Retain"}, {"Delete"}]


def test_two_in_one_stack() -> None:
    stack = bare_stack()
    first, second = make(stack, "One"), make(stack, "Two")
    assert first.bucket is not second.bucket
    assert len(resources(stack, IDENTITIES)) == 2


def _reviewed(*, brought: bool = False, pinned: bool = False) -> Review:
    def app() -> cdk.App:
        made = cdk.App(context={**flags(), **NO_BUNDLING}, outdir=str(scratch()))
        env = Environment(account="111122223333", region="eu-central-1") if pinned else None
        stack = cdk.Stack(made, "S", env=env)
        bucket = s3.Bucket.from_bucket_name(stack, "Mine", "mine") if brought else None
        make(stack, bucket=bucket)
        pool = stack.node.find_child("Pool")
        reason = "It stands for somebody else's pool, which is not looked at here."
        acknowledge(pool, {f"AwsSolutions-COG{number}": reason for number in (1, 2, 8)})
        return made

    return review(app)


@pytest.mark.parametrize(
    "how", [{}, {"pinned": True}, {"brought": True}], ids=["any account", "an account", "a brought bucket"]
)
def test_an_importer_with_cdk_nag_has_nothing_to_do(how: dict[str, bool]) -> None:
    assert _reviewed(**how).problems() == []
