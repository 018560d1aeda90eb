"""localcloud/fixes/iam_policy_variables.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from tests.localcloud import cognito_probe, probes

pytestmark = pytest.mark.cloud

OWN = "${cognito-identity.amazonaws.com:sub}/*"


def signed_in(cloud: LocalCloud, prefix: str = OWN) -> tuple[str, str, Any]:
    """(bucket, the user's identity id, S3 client of a user who may put and list below this prefix)."""
    inside: Any = {"Fn::Sub": ["${Arn}/", {"Arn": probes.attribute("Bucket")}]}
    put = probes.allow("s3:PutObject", {"Fn::Join": ["", [inside, prefix]]})
    seen = probes.allow("s3:ListBucket", probes.attribute("Bucket"))
    seen["Condition"] = {"StringLike": {"s3:prefix": prefix}}
    role = cognito_probe.federated(put, seen)
    made = probes.deploy(cloud, {"Bucket": {"Type": "AWS::S3::Bucket"}, "Role": role}, RoleArn=("Role", "Arn"))
    provider, app, token = cognito_probe.id_token(cloud)
    identities = cloud.client("cognito-identity")
    pool = cognito_probe.identity_pool(cloud, provider, app, made["RoleArn"])
    identity = identities.get_id(IdentityPoolId=pool, Logins={provider: token})["IdentityId"]
    given = identities.get_credentials_for_identity(IdentityId=identity, Logins={provider: token})
    return made["Bucket"], identity, cognito_probe.client_with(cloud, "s3", dict(given["Credentials"]))


def test_a_user_reaches_their_own_folder_and_no_other(cloud: LocalCloud) -> None:
    bucket, identity, s3 = signed_in(cloud)
    s3.put_object(Bucket=bucket, Key=f"{identity}/x", Body=b"x")
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix=f"{identity}/")["Contents"]] == [
        f"{identity}/x"
    ]
    for other in ("somebody", OWN.removesuffix("/*")):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object(Bucket=bucket, Key=f"{other}/x", Body=b"x")
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.list_objects_v2(Bucket=bucket, Prefix=f"{other}/")


def test_a_variable_without_a_value_matches_nothing(cloud: LocalCloud) -> None:
    bucket, identity, s3 = signed_in(cloud, "${aws:PrincipalTag/team}*")
    for key in (f"{identity}/x", "x", "${aws:PrincipalTag/team}x"):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")


def test_a_policy_without_variables_is_as_before(cloud: LocalCloud) -> None:
    bucket, _, s3 = signed_in(cloud, "shared/*")
    s3.put_object(Bucket=bucket, Key="shared/x", Body=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="other/x", Body=b"x")


def test_the_emulator_alone_still_denies_users_their_own_folder(bare: LocalCloud) -> None:
    bucket, identity, s3 = signed_in(bare)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key=f"{identity}/x", Body=b"x")
