"""A user pool with one user and an identity pool that takes its tokens, made by the API."""

from typing import Any

import boto3

from localcloud.cloud import REGION, LocalCloud

PASSWORD = "Passw0rd!of-a-probe"


def client_with(cloud: LocalCloud, service: str, keys: dict[str, Any]) -> Any:
    """A client under credentials of an identity pool."""
    make: Any = boto3.client
    return make(
        service,
        region_name=REGION,
        endpoint_url=cloud.endpoint_url,
        verify=str(cloud.ca_bundle),
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretKey"],
        aws_session_token=keys["SessionToken"],
    )


def id_token(cloud: LocalCloud) -> tuple[str, str, str]:
    """A new pool's (provider name, app client, ID token of its only user)."""
    cognito = cloud.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="probe")["UserPool"]["Id"]
    app = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="probe", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="ada", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username="ada", Password=PASSWORD, Permanent=True)
    signed_in = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=app,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ada", "PASSWORD": PASSWORD},
    )
    return f"cognito-idp.{REGION}.amazonaws.com/{pool}", app, signed_in["AuthenticationResult"]["IdToken"]


def identity_pool(cloud: LocalCloud, provider: str, app: str, role: str = "", *, guests: bool = False) -> str:
    """A new identity pool that takes the app's tokens and gives this role for them."""
    identities = cloud.client("cognito-identity")
    pool = identities.create_identity_pool(
        IdentityPoolName="probe",
        AllowUnauthenticatedIdentities=guests,
        CognitoIdentityProviders=[{"ProviderName": provider, "ClientId": app}],
    )["IdentityPoolId"]
    if role:
        identities.set_identity_pool_roles(IdentityPoolId=pool, Roles={"authenticated": role})
    return str(pool)


def federated(*statements: dict[str, Any]) -> dict[str, Any]:
    """A role for users of identity pools, as a resource of a template."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": "given", "PolicyDocument": document}],
        },
    }
