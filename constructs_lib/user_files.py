"""Cognito identity pool -> S3: signed-in users work in a folder of their own, and in no other."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._buckets import access_log_bucket, objects_rule, private_bucket

# Filled in by IAM at every request with the caller's identity id, which the caller cannot choose.
_IDENTITY = "${cognito-identity.amazonaws.com:sub}"


class UserFiles(Construct):
    """A bucket in which each user of a user pool reads and writes below a prefix of their own: their identity id.

    Defines the bucket (private, encrypted, TLS only, versioned, with access logs), an identity pool that trades the ID
    token of one app client for temporary credentials (no guests, no classic flow, tokens checked for sign-out), and
    the role of these credentials. The role may get, put and delete objects below ``<identity id>/`` and list with a
    prefix that begins so; whatever else is in the bucket it can neither read nor see.

    Args:
        user_pool: The pool whose users these are.
        user_pool_client: The app client whose tokens are taken.
        bucket: A bucket of yours. Left out: a new one.
        removal_policy: What happens to the new buckets when the stack is deleted. Default RETAIN.

    Attributes:
        bucket: The bucket.
        identity_pool: The identity pool; ``ref`` is its id.
        role: The role of signed-in users.

    Example:
        files = UserFiles(stack, "Files", user_pool=api.user_pool, user_pool_client=api.user_pool_client)
        CfnOutput(stack, "IdentityPoolId", value=files.identity_pool.ref)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        user_pool: cognito.IUserPool,
        user_pool_client: cognito.IUserPoolClient,
        bucket: s3.IBucket | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = bucket or private_bucket(
            self,
            "Bucket",
            versioned=True,
            logs_to=access_log_bucket(self, "AccessLogs", removal_policy=removal_policy),
            removal_policy=removal_policy,
        )
        self.identity_pool = cognito.CfnIdentityPool(
            self,
            "Identities",
            allow_unauthenticated_identities=False,
            allow_classic_flow=False,
            cognito_identity_providers=[
                cognito.CfnIdentityPool.CognitoIdentityProviderProperty(
                    client_id=user_pool_client.user_pool_client_id,
                    provider_name=user_pool.user_pool_provider_name,
                    # Otherwise a token is good until it expires, though its user signed out or was disabled.
                    server_side_token_check=True,
                )
            ],
        )
        self.role = iam.Role(
            self,
            "Role",
            description="Users who signed in",
            assumed_by=iam.FederatedPrincipal(
                "cognito-identity.amazonaws.com",
                {
                    "StringEquals": {"cognito-identity.amazonaws.com:aud": self.identity_pool.ref},
                    "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
                },
                "sts:AssumeRoleWithWebIdentity",
            ),
        )
        self._let_in()
        cognito.CfnIdentityPoolRoleAttachment(
            self, "Roles", identity_pool_id=self.identity_pool.ref, roles={"authenticated": self.role.role_arn}
        )

    def _let_in(self) -> None:
        own = f"{_IDENTITY}/*"
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                resources=[self.bucket.arn_for_objects(own)],
            )
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[self.bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": own}},
            )
        )
        # The finding writes the variable as it does a reference.
        finding = objects_rule(self.bucket, own.replace("${", "<").replace("}", ">"))
        reason = "Everything below the caller's own identity id, which IAM fills in, is the caller's."
        acknowledge(self.role, {finding: reason})
