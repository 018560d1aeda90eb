"""Key pairs for CloudFront's signed URLs and cookies, made while the stack is deployed and trusted as one group."""

from collections.abc import Mapping, Sequence

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._checks import in_range, matches, unique
from constructs_lib.function_target import FunctionTarget
from constructs_lib.python_function import PythonFunction

# Source: Amazon CloudFront developer guide, "Quotas on key groups": public keys in one group.
_MAX_KEYS = 5
# A custom resource that never answers would hold the stack for an hour; making a key takes a second or two.
_TIMEOUT = Duration.seconds(30)
_SERVICE_TIMEOUT = Duration.minutes(3)


class SigningKeys(Construct):
    """RSA key pairs whose private halves nobody sees, and the CloudFront key group of their public halves.

    Defines per key a secret, a public key at CloudFront and a custom resource that makes the pair, all made by one
    function, which may read and write these secrets and nothing else; the key group; alarms on the function. A private
    key is born in that function and stays in its secret: it is in no template, asset, environment variable or log. A
    key once made stays the same, whatever is deployed again.

    **Rotation** takes three deployments and refuses no link that still lasts: put a new name behind the old one
    (``["a", "b"]``), sign with the new one, and once the longest link is over leave the old one out (``["b"]``). Both
    are trusted meanwhile. To be ready at any time, keep two from the start.

    Args:
        names: The keys, 1-5: 1-32 of a-z, 0-9 and "-", beginning with a letter; they must differ. Default "blue" and
            "green". A name is one key for ever.
        target: Python version and processor of the function. Left out: Python 3.13 on arm64.
        removal_policy: What happens to the secrets when a key or the stack is deleted. Default RETAIN.

    Attributes:
        key_group: The key group, for ``BehaviorOptions.trusted_key_groups``.
        secrets: Name -> secret with the private key (PKCS #8, PEM).
        public_keys: Name -> public key at CloudFront; its ``public_key_id`` is a signature's Key-Pair-Id.
        function: The function that makes the keys.
        alarms: Its alarms; hand them to an ``AlarmTopic``.

    Raises:
        ValueError: There are too few or too many names, or one of another form, or twice the same.

    Example:
        keys = SigningKeys(stack, "Keys", names=["spring", "summer"])
        keys.grant_sign(links.function)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Sequence[str] = ("blue", "green"),
        target: FunctionTarget | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        in_range("names (number)", len(names), 1, _MAX_KEYS)
        for name in names:
            matches("names", name, r"[a-z][a-z0-9-]{0,31}", "1-32 of a-z, 0-9 and '-', beginning with a letter")
        unique("names", names)
        maker = PythonFunction(self, "Maker", package="signing_key_maker", target=target, timeout=_TIMEOUT)
        self.function = maker.function
        self.alarms = maker.alarms
        acknowledge(
            maker.function,
            {"Serverless-LambdaDLQ": "CloudFormation waits for its answer, and fails the deployment when none comes."},
        )
        pairs = {name: _KeyPair(self, _construct_id(name), maker, removal_policy) for name in names}
        self.secrets: Mapping[str, secretsmanager.Secret] = {name: pair.secret for name, pair in pairs.items()}
        self.public_keys: Mapping[str, cloudfront.PublicKey] = {name: pair.public_key for name, pair in pairs.items()}
        arns = [secret.secret_arn for secret in self.secrets.values()]
        # One statement: the CDK's grant_read and grant_write would give more.
        maker.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"], resources=arns
            )
        )
        self.key_group = cloudfront.KeyGroup(self, "KeyGroup", items=list(self.public_keys.values()))

    def grant_sign(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` read the private keys; neither change nor list them."""
        arns = [secret.secret_arn for secret in self.secrets.values()]
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["secretsmanager:GetSecretValue"], resource_arns=arns
        )

    def description(self) -> str:
        """JSON, name -> id of the public key and ARN of the private key's secret: what a signer has to be told."""
        listed = {
            name: {"id": self.public_keys[name].public_key_id, "secret": secret.secret_arn}
            for name, secret in self.secrets.items()
        }
        return Stack.of(self).to_json_string(listed)


class _KeyPair(Construct):
    """One key: its secret, the custom resource that fills it, its public half at CloudFront."""

    def __init__(
        self, scope: Construct, construct_id: str, maker: PythonFunction, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        # Born with a random text that is no key, which the function replaces.
        self.secret = secretsmanager.Secret(
            self, "PrivateKey", description="Private key that signs links", removal_policy=removal_policy
        )
        acknowledge(
            self.secret,
            {
                "AwsSolutions-SMG4": "A new key under a new name replaces this one, and both are trusted meanwhile; "
                "changing it in place would break every link that still lasts."
            },
        )
        pair = CustomResource(
            self,
            "Pair",
            resource_type="Custom::SigningKeyPair",
            service_token=maker.function.function_arn,
            service_timeout=_SERVICE_TIMEOUT,
            properties={"SecretArn": self.secret.secret_arn},
        )
        self.public_key = cloudfront.PublicKey(self, "PublicKey", encoded_key=pair.get_att_string("PublicKey"))


def _construct_id(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))
