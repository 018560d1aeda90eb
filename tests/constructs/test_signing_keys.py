"""Signing keys: one secret and one public key per name, made by one function, trusted as one group."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from constructs_lib import FunctionTarget, SigningKeys
from tests.repo.policies import identity_statements, many
from tests.templates import Template, bare_stack, only, resources, synthesized

SECRET, PAIR = "AWS::SecretsManager::Secret", "Custom::SigningKeyPair"
PUBLIC_KEY, KEY_GROUP = "AWS::CloudFront::PublicKey", "AWS::CloudFront::KeyGroup"


def keys(**props: Any) -> tuple[SigningKeys, cdk.Stack]:
    stack = bare_stack()
    return SigningKeys(stack, "Keys", **props), stack


def may(template: Template, role: str) -> dict[str, Any]:
    """Action -> resources of the role whose id has a word in it."""
    return {
        action: statement["Resource"]
        for name, statement in identity_statements(template)
        if role in name
        for action in many(statement["Action"])
    }


def test_two_keys_are_trusted_from_the_start() -> None:
    made, stack = keys()
    template = synthesized(stack)
    assert list(made.secrets) == list(made.public_keys) == ["blue", "green"]
    group = only(template, KEY_GROUP)["KeyGroupConfig"]
    assert [item["Ref"] for item in group["Items"]] == list(resources(template, PUBLIC_KEY))
    assert len(resources(template, SECRET)) == len(resources(template, PAIR)) == 2
    assert len(resources(template, "AWS::Lambda::Function")) == 1
    assert len(made.alarms) == len(resources(template, "AWS::CloudWatch::Alarm")) == 2


def test_each_pair_fills_its_own_secret_and_its_own_public_key() -> None:
    template = synthesized(keys()[1])
    pairs = resources(template, PAIR)
    assert {pair["SecretArn"]["Ref"] for pair in pairs.values()} == set(resources(template, SECRET))
    encoded = [key["PublicKeyConfig"]["EncodedKey"]["Fn::GetAtt"] for key in resources(template, PUBLIC_KEY).values()]
    assert encoded == [[name, "PublicKey"] for name in pairs]
    for name, pair in pairs.items():
        colour = "Blue" if "Blue" in name else "Green"
        assert f"Keys{colour}PrivateKey" in pair["SecretArn"]["Ref"]


def test_a_pair_that_is_never_answered_fails_within_minutes() -> None:
    template = synthesized(keys()[1])
    assert {pair["ServiceTimeout"] for pair in resources(template, PAIR).values()} == {"180"}
    assert only(template, "AWS::Lambda::Function")["Timeout"] == 30


def test_no_key_is_in_the_template() -> None:
    template = synthesized(keys()[1])
    for secret in resources(template, SECRET).values():
        assert "SecretString" not in secret
    function = only(template, "AWS::Lambda::Function")
    assert set(function["Environment"]["Variables"]) == {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}
    assert "PRIVATE" not in str(template)


def test_the_maker_may_read_and_fill_these_secrets_and_nothing_else() -> None:
    template = synthesized(keys()[1])
    rights = may(template, "Maker")
    assert set(rights) == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    assert [one["Ref"] for one in rights["secretsmanager:PutSecretValue"]] == list(resources(template, SECRET))


def test_a_signer_may_read_the_private_keys_alone() -> None:
    made, stack = keys(names=["one"])
    signer = iam.Role(stack, "Signer", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    assert made.grant_sign(signer).success
    (secret,) = resources(stack, SECRET)
    assert may(synthesized(stack), "Signer") == {"secretsmanager:GetSecretValue": {"Ref": secret}}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(None, "Retain"), (cdk.RemovalPolicy.DESTROY, "Delete"), (cdk.RemovalPolicy.RETAIN, "Retain")],
)
def test_private_keys_stay_unless_told_otherwise(policy: cdk.RemovalPolicy | None, expected: str) -> None:
    _, stack = keys(**({"removal_policy": policy} if policy else {}))
    found = [one for one in synthesized(stack)["Resources"].values() if one["Type"] == SECRET]
    assert [one["DeletionPolicy"] for one in found] == [expected] * 2


def test_a_new_name_leaves_the_old_ones_keys_as_they_are() -> None:
    """What makes a rotation safe: the old secret and the old public key keep their logical ids."""
    before, after = synthesized(keys(names=["a"])[1]), synthesized(keys(names=["a", "b"])[1])
    for kind in (SECRET, PAIR, PUBLIC_KEY, KEY_GROUP):
        assert set(resources(before, kind)) <= set(resources(after, kind))


def test_two_groups_in_one_stack() -> None:
    made, stack = keys()
    SigningKeys(stack, "MoreKeys", names=["blue"])
    names = [key["PublicKeyConfig"]["Name"] for key in resources(stack, PUBLIC_KEY).values()]
    assert len(set(names)) == 3
    assert made.key_group.key_group_id


def test_the_function_is_made_for_the_target() -> None:
    _, stack = keys(target=FunctionTarget(python="3.12", architecture="x86_64"))
    function = only(stack, "AWS::Lambda::Function")
    assert (function["Runtime"], function["Architectures"]) == ("python3.12", ["x86_64"])


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], r"names \(number\): must be between 1 and 5, got 0"),
        (["a", "b", "c", "d", "e", "f"], r"names \(number\): must be between 1 and 5, got 6"),
        (["A"], "names: must be 1-32 of a-z, 0-9 and '-', beginning with a letter, got 'A'"),
        (["1st"], "names: must be 1-32"),
        (["a" * 33], "names: must be 1-32"),
        (["a", "a"], "names: must be unique, got 'a' twice"),
    ],
)
def test_what_is_refused(names: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        keys(names=names)
