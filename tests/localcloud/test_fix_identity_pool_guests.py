"""localcloud/fixes/identity_pool_guests.py."""

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from tests.localcloud import cognito_probe

pytestmark = pytest.mark.cloud


def guest(cloud: LocalCloud, *, admitted: bool) -> str:
    """The identity that somebody without a token gets."""
    provider, app, _ = cognito_probe.id_token(cloud)
    pool = cognito_probe.identity_pool(cloud, provider, app, guests=admitted)
    return str(cloud.client("cognito-identity").get_id(IdentityPoolId=pool)["IdentityId"])


def test_guests_are_refused(cloud: LocalCloud) -> None:
    with pytest.raises(ClientError, match="Unauthenticated access is not supported for this identity pool"):
        guest(cloud, admitted=False)


def test_guests_are_admitted_where_the_pool_says_so(cloud: LocalCloud) -> None:
    assert guest(cloud, admitted=True)


def test_users_are_admitted_all_the_same(cloud: LocalCloud) -> None:
    provider, app, token = cognito_probe.id_token(cloud)
    pool = cognito_probe.identity_pool(cloud, provider, app)
    assert cloud.client("cognito-identity").get_id(IdentityPoolId=pool, Logins={provider: token})["IdentityId"]


def test_the_emulator_alone_still_admits_them(bare: LocalCloud) -> None:
    assert guest(bare, admitted=False)
