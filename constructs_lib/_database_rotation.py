"""Rotation of a database's password by a function of this library, instead of a hosted application of AWS."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._subnets import selected
from constructs_lib._vpc_function import move_in
from constructs_lib.function_target import FunctionTarget
from constructs_lib.python_function import PythonFunction

_HTTPS = 443


class DatabaseRotation(Construct):
    """The function, where it stands, what it may do, and when it is asked.

    Args:
        secret: The secret, with the database's name in it.
        encryption_key: The secret's key.
        vpc: Where the database is.
        subnets: Where the function stands in it.
        days: How often it is asked.
        target: Python version and processor of the function.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        secret: secretsmanager.ISecret,
        encryption_key: kms.IKey,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        days: int,
        target: FunctionTarget | None,
    ) -> None:
        super().__init__(scope, construct_id)
        worker = PythonFunction(
            self, "Rotator", package="database_rotation", target=target, timeout=Duration.seconds(60)
        )
        self.function, self.alarms = worker.function, worker.alarms
        self.security_group = ec2.SecurityGroup(
            self, "Group", vpc=vpc, allow_all_outbound=False, description="Rotates the password of a database"
        )
        self.security_group.add_egress_rule(
            ec2.Peer.any_ipv4(), ec2.Port.tcp(_HTTPS), "to Secrets Manager, by NAT or by an endpoint"
        )
        move_in(worker, subnet_ids=selected(vpc, subnets).subnet_ids, group=self.security_group)
        _let_rotate(worker, secret, encryption_key)
        # Not the L2's add_rotation_schedule: it lets Secrets Manager of any account in.
        caller = lambda_.CfnPermission(
            self,
            "Caller",
            action="lambda:InvokeFunction",
            function_name=worker.function.function_arn,
            principal="secretsmanager.amazonaws.com",
            source_account=Stack.of(self).account,
            source_arn=secret.secret_arn,
        )
        schedule = secretsmanager.CfnRotationSchedule(
            self,
            "Schedule",
            secret_id=secret.secret_arn,
            rotation_lambda_arn=worker.function.function_arn,
            rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(automatically_after_days=days),
            rotate_immediately_on_update=False,
        )
        schedule.node.add_dependency(caller)


def _let_rotate(worker: PythonFunction, secret: secretsmanager.ISecret, key: kms.IKey) -> None:
    """Source: AWS Secrets Manager user guide, "Lambda rotation function execution role permissions"."""
    worker.function.add_to_role_policy(
        iam.PolicyStatement(
            actions=[
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            resources=[secret.secret_arn],
        )
    )
    # It makes a text and touches no secret; it takes no resource.
    worker.function.add_to_role_policy(
        iam.PolicyStatement(actions=["secretsmanager:GetRandomPassword"], resources=["*"])
    )
    use_key_through_secrets_manager(key, worker.function, "kms:Decrypt", "kms:GenerateDataKey")
    waits = "Secrets Manager calls it and waits, asks again, and tells of a rotation that failed; its errors alarm."
    acknowledge(worker.function, {"Serverless-LambdaDLQ": waits})


def use_key_through_secrets_manager(key: kms.IKey, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
    """Let somebody use a key for secrets alone; said with the grantee, so that the key need not know of it."""
    service = f"secretsmanager.{Stack.of(key).region}.amazonaws.com"
    return iam.Grant.add_to_principal(
        grantee=grantee,
        actions=list(actions),
        resource_arns=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": service}},
    )
