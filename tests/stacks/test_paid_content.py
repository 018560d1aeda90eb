"""What must never drift in the shop of paid content: who signs, who reads, what is charged, what is kept."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.repo.policies import identity_statements, many, refers_to, resource_statements
from tests.templates import Template, resources, template

Holds = Callable[[Template], None]
Spoil = Callable[[Template], Any]
TABLE = "AWS::DynamoDB::GlobalTable"


@pytest.fixture
def paid_content() -> Template:
    return template("paid-content")


def named(made: Template, kind: str, part: str) -> Any:
    (found,) = [one for name, one in made["Resources"].items() if one["Type"] == kind and part in name]
    return found


def rights(made: Template, role: str) -> dict[str, list[Any]]:
    """Action -> resources, of the policy whose id has a word in it."""
    found: dict[str, list[Any]] = {}
    for name, statement in identity_statements(made):
        if role in name:
            for action in many(statement["Action"]):
                found.setdefault(action, []).extend(many(statement["Resource"]))
    return found


def videos_need_a_signature(made: Template) -> None:
    (distribution,) = resources(made, "AWS::CloudFront::Distribution").values()
    config = distribution["DistributionConfig"]
    (group,) = resources(made, "AWS::CloudFront::KeyGroup")
    behaviours = [config["DefaultCacheBehavior"], *config.get("CacheBehaviors", [])]
    for behaviour in behaviours:
        assert behaviour.get("TrustedKeyGroups") == [{"Ref": group}], "videos would be given without a signature"
        assert behaviour["ViewerProtocolPolicy"] == "https-only", "videos would be given over HTTP"
    assert len(resources(made, "AWS::CloudFront::KeyGroup")[group]["KeyGroupConfig"]["Items"]) == 2, "no key to rotate"


def only_cloudfront_reads_the_videos(made: Template) -> None:
    (bucket,) = [name for name in resources(made, "AWS::S3::Bucket") if "AccessLogs" not in name]
    for name, policy in resources(made, "AWS::S3::BucketPolicy").items():
        if refers_to(policy["Bucket"], bucket):
            allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
            assert [one["Principal"] for one in allowed] == [{"Service": "cloudfront.amazonaws.com"}], f"{name}: others"
            assert all("AWS:SourceArn" in one["Condition"]["StringEquals"] for one in allowed), "any distribution reads"
    readers = [name for name, one in identity_statements(made) if "s3:GetObject" in str(one["Action"])]
    assert readers == [], f"read past CloudFront: {readers}"


def the_shop_may_do_only_this(made: Template) -> None:
    may = rights(made, "ShopRole")
    assert set(may) == {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "secretsmanager:GetSecretValue",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }, f"the shop may do other things than it should: {sorted(may)}"
    charges = next(name for name in resources(made, TABLE) if name.startswith("Charges"))
    allowed = {action for action, where in may.items() if any(refers_to(one, charges) for one in where)}
    assert allowed == {"dynamodb:PutItem"}, f"charges could be changed: {allowed}"


def only_shop_and_maker_read_the_keys(made: Template) -> None:
    readers = {name for name, one in identity_statements(made) if "secretsmanager" in str(one["Action"])}
    assert len(readers) == 2, f"others read the private keys: {readers}"
    assert all("Shop" in name or "Maker" in name for name in readers), f"others read the private keys: {readers}"
    assert not [one for _, one in resource_statements(made) if "secretsmanager" in str(one["Action"])]


def every_call_is_of_a_user(made: Template) -> None:
    methods = resources(made, "AWS::ApiGateway::Method").values()
    open_ = [one["HttpMethod"] for one in methods if one["AuthorizationType"] != "COGNITO_USER_POOLS"]
    assert open_ == [], f"anybody may call {open_}"


def what_was_bought_and_charged_is_kept(made: Template) -> None:
    for part in ("Premium", "Charges", "Videos"):
        (table,) = [one for name, one in made["Resources"].items() if one["Type"] == TABLE and name.startswith(part)]
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain", f"{part} leaves with the stack"
        (replica,) = table["Properties"]["Replicas"]
        assert replica["DeletionProtectionEnabled"] is True, f"{part} can be deleted by mistake"
        recovery = replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert recovery is True, f"{part} cannot be recovered"


def purchases_leave_the_table_and_charges_do_not(made: Template) -> None:
    expiring = {
        name: table["TimeToLiveSpecification"]["AttributeName"]
        for name, table in resources(made, TABLE).items()
        if "TimeToLiveSpecification" in table
    }
    assert sorted(expiring.values()) == ["expiration", "expiresAt"], f"the wrong things expire: {expiring}"
    assert not [name for name in expiring if name.startswith(("Charges", "Videos"))], f"charges expire: {expiring}"


def links_last_for_minutes(made: Template) -> None:
    variables = named(made, "AWS::Lambda::Function", "ShopFunction")["Properties"]["Environment"]["Variables"]
    assert int(variables["LINK_SECONDS"]) <= 300, "links last for too long"
    assert "PRIVATE" not in str(variables), "a key is in the environment"


ALL: tuple[Holds, ...] = (
    videos_need_a_signature,
    only_cloudfront_reads_the_videos,
    the_shop_may_do_only_this,
    only_shop_and_maker_read_the_keys,
    every_call_is_of_a_user,
    what_was_bought_and_charged_is_kept,
    purchases_leave_the_table_and_charges_do_not,
    links_last_for_minutes,
)


@pytest.mark.parametrize("holds", ALL)
def test_it_holds(paid_content: Template, holds: Holds) -> None:
    holds(paid_content)


def _behaviour(**parts: Any) -> Spoil:
    def spoil(made: Template) -> None:
        (one,) = resources(made, "AWS::CloudFront::Distribution").values()
        one["DistributionConfig"]["DefaultCacheBehavior"].update(parts)

    return spoil


def _allow(role: str, action: str, resource: Any = "*") -> Spoil:
    def spoil(made: Template) -> None:
        found = next(one for name, one in resources(made, "AWS::IAM::Policy").items() if role in name)
        found["PolicyDocument"]["Statement"].append({"Effect": "Allow", "Action": action, "Resource": resource})

    return spoil


def _charges(made: Template) -> str:
    return next(name for name in resources(made, TABLE) if name.startswith("Charges"))


def _arn_of_charges(made: Template) -> Any:
    return {"Fn::GetAtt": [_charges(made), "Arn"]}


def _another_reader(made: Template) -> None:
    for policy in resources(made, "AWS::S3::BucketPolicy").values():
        policy["PolicyDocument"]["Statement"].append(
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": "*"}
        )


def _one_key(made: Template) -> None:
    for group in resources(made, "AWS::CloudFront::KeyGroup").values():
        del group["KeyGroupConfig"]["Items"][1]


def _open_method(made: Template) -> None:
    next(iter(resources(made, "AWS::ApiGateway::Method").values()))["AuthorizationType"] = "NONE"


def _drop(part: str) -> Spoil:
    def spoil(made: Template) -> None:
        next(one for name, one in made["Resources"].items() if name.startswith(part))["DeletionPolicy"] = "Delete"

    return spoil


def _expiring_charges(made: Template) -> None:
    made["Resources"][_charges(made)]["Properties"]["TimeToLiveSpecification"] = {"AttributeName": "chargedAt"}


def _long_links(made: Template) -> None:
    function = named(made, "AWS::Lambda::Function", "ShopFunction")
    function["Properties"]["Environment"]["Variables"]["LINK_SECONDS"] = "3600"


SPOILT: list[tuple[Holds, Spoil, str]] = [
    (videos_need_a_signature, _behaviour(TrustedKeyGroups=[]), "without a signature"),
    (videos_need_a_signature, _behaviour(ViewerProtocolPolicy="allow-all"), "over HTTP"),
    (videos_need_a_signature, _one_key, "no key to rotate"),
    (only_cloudfront_reads_the_videos, _another_reader, "others"),
    (only_cloudfront_reads_the_videos, _allow("ShopRole", "s3:GetObject"), "read past CloudFront"),
    (the_shop_may_do_only_this, _allow("ShopRole", "secretsmanager:PutSecretValue"), "other things"),
    (
        the_shop_may_do_only_this,
        lambda made: _allow("ShopRole", "dynamodb:UpdateItem", _arn_of_charges(made))(made),
        "changed",
    ),
    (only_shop_and_maker_read_the_keys, _allow("Publisher", "secretsmanager:GetSecretValue"), "others read"),
    (every_call_is_of_a_user, _open_method, "anybody may call"),
    (what_was_bought_and_charged_is_kept, _drop("Premium"), "Premium leaves with the stack"),
    (purchases_leave_the_table_and_charges_do_not, _expiring_charges, "the wrong things expire"),
    (links_last_for_minutes, _long_links, "links last for too long"),
]


@pytest.mark.parametrize(("holds", "spoil", "says"), SPOILT)
def test_and_would_be_missed(paid_content: Template, holds: Holds, spoil: Spoil, says: str) -> None:
    mutant = copy.deepcopy(paid_content)
    spoil(mutant)
    with pytest.raises(AssertionError, match=says):
        holds(mutant)
