"""A user pool for people who sign up by themselves, and the app client of their app."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from constructs_lib._acknowledge import acknowledge

# Source: Amazon Cognito developer guide, app client token expiration: 5 minutes to 1 day.
MIN_TOKEN_SECONDS, MAX_TOKEN_SECONDS = 300, 86_400


def user_pool(scope: Construct, construct_id: str, *, removal_policy: RemovalPolicy) -> cognito.UserPool:
    """People sign up with a confirmed e-mail address and a password of 12 characters at least."""
    pool = cognito.UserPool(
        scope,
        construct_id,
        self_sign_up_enabled=True,
        sign_in_aliases=cognito.SignInAliases(email=True),
        sign_in_case_sensitive=False,
        auto_verify=cognito.AutoVerifiedAttrs(email=True),
        # A changed address counts once it is confirmed: until then nobody signs in or recovers with it.
        keep_original=cognito.KeepOriginalAttrs(email=True),
        password_policy=cognito.PasswordPolicy(
            min_length=12,
            require_lowercase=True,
            require_uppercase=True,
            require_digits=True,
            require_symbols=True,
            temp_password_validity=Duration.days(1),
        ),
        account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
        mfa=cognito.Mfa.OPTIONAL,
        mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
        deletion_protection=removal_policy == RemovalPolicy.RETAIN,
        removal_policy=removal_policy,
    )
    acknowledge(
        pool,
        {
            "AwsSolutions-COG2": "A second factor is the user's choice here: an authenticator app, never SMS.",
            "AwsSolutions-COG8": "Threat protection needs the Plus plan, billed per user; bring a pool with it.",
        },
    )
    return pool


def app_client(pool: cognito.IUserPool, construct_id: str, *, token_validity: Duration) -> cognito.UserPoolClient:
    """A public client (no secret) that proves the password without sending it (SRP); refresh tokens can be revoked."""
    return pool.add_client(
        construct_id,
        auth_flows=cognito.AuthFlow(user_srp=True),
        disable_o_auth=True,
        generate_secret=False,
        prevent_user_existence_errors=True,
        enable_token_revocation=True,
        id_token_validity=token_validity,
        access_token_validity=token_validity,
        refresh_token_validity=Duration.days(30),
    )
