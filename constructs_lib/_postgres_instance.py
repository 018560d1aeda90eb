"""The instance of a PostgreSQL database, its parameters, its credentials and its replicas."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._daily_windows import DailyWindows

ENGINE = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17)
PORT = 5432
_MONITORED_EVERY = Duration.seconds(60)
# As lambda_src/database_rotation/rules.py; tests/constructs/test_postgres_database.py holds the two together.
_PASSWORD_LENGTH = 40
_EXCLUDED = " %+~`#$&*()|[]{}:;<>?!'/@\"\\"
_PARAMETERS = {
    "rds.force_ssl": "1",
    # A statement that takes a second or longer, and a wait for a lock, are written down; logs are kept for a week.
    "log_min_duration_statement": "1000",
    "log_lock_waits": "1",
    "rds.log_retention_period": "10080",
    # A client that went away in the middle of a transaction does not hold its locks for ever.
    "idle_in_transaction_session_timeout": "60000",
}
_DEFAULT_PORT = (
    "The port is no secret: nothing but what grant_connect lets in reaches it, and clients expect PostgreSQL's own."
)


def credentials(scope: Construct, key: kms.IKey, username: str, removal_policy: RemovalPolicy) -> secretsmanager.Secret:
    """The child "Credentials": a password that nobody chose."""
    return secretsmanager.Secret(
        scope,
        "Credentials",
        description="User, password and address of a PostgreSQL database",
        encryption_key=key,
        generate_secret_string=secretsmanager.SecretStringGenerator(
            secret_string_template=f'{{"username": "{username}"}}',
            generate_string_key="password",
            password_length=_PASSWORD_LENGTH,
            exclude_characters=_EXCLUDED,
        ),
        removal_policy=removal_policy,
    )


class PostgresInstances(Construct):
    """The primary with its standby, and replicas.

    Args:
        vpc: Where they are.
        subnets: Where in it.
        security_group: Who gets in.
        instance_type: Class, without "db.".
        credentials: What the primary's user and password are.
        key: Encrypts storage, backups and what Performance Insights keeps.
        database_name: Made at first.
        multi_az: Whether there is a standby.
        storage_gb: At first.
        max_storage_gb: It grows to this by itself.
        backup_days: How long automated backups are kept.
        windows: When it is backed up and mended.
        replicas: How many.
        removal_policy: RETAIN: deletion is refused, and when that is lifted a snapshot is left.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        security_group: ec2.ISecurityGroup,
        instance_type: ec2.InstanceType,
        credentials: secretsmanager.ISecret,
        username: str,
        key: kms.IKey,
        database_name: str,
        multi_az: bool,
        storage_gb: int,
        max_storage_gb: int,
        backup_days: int,
        windows: DailyWindows,
        replicas: int,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        kept = removal_policy == RemovalPolicy.RETAIN
        leaves = RemovalPolicy.SNAPSHOT if kept else removal_policy
        monitor = iam.Role(self, "Monitor", assumed_by=iam.ServicePrincipal("monitoring.rds.amazonaws.com"))
        name = "service-role/AmazonRDSEnhancedMonitoringRole"
        monitor.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name(name))
        policy = f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{name}]"
        acknowledge(monitor, {policy: "AWS documents it for Enhanced Monitoring; it writes to one log group of RDS."})
        parameters = rds.ParameterGroup(
            self, "Parameters", engine=ENGINE, description="TLS forced, slow statements logged", parameters=_PARAMETERS
        )
        place = rds.SubnetGroup(
            self,
            "Subnets",
            vpc=vpc,
            vpc_subnets=subnets,
            description="Where a PostgreSQL database is",
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.primary = rds.DatabaseInstance(
            self,
            "Primary",
            engine=ENGINE,
            instance_type=instance_type,
            vpc=vpc,
            subnet_group=place,
            security_groups=[security_group],
            publicly_accessible=False,
            credentials=rds.Credentials.from_secret(credentials, username),
            database_name=database_name,
            multi_az=multi_az,
            storage_type=rds.StorageType.GP3,
            allocated_storage=storage_gb,
            max_allocated_storage=max_storage_gb,
            storage_encryption_key=key,
            parameter_group=parameters,
            ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
            backup_retention=Duration.days(backup_days),
            preferred_backup_window=windows.backup,
            preferred_maintenance_window=windows.maintenance,
            delete_automated_backups=not kept,
            copy_tags_to_snapshot=True,
            auto_minor_version_upgrade=True,
            enable_performance_insights=True,
            performance_insight_encryption_key=key,
            monitoring_interval=_MONITORED_EVERY,
            monitoring_role=monitor,
            deletion_protection=kept,
            removal_policy=leaves,
        )
        acknowledge(self.primary, {"AwsSolutions-RDS11": _DEFAULT_PORT})
        self.replicas: list[rds.DatabaseInstanceReadReplica] = [
            rds.DatabaseInstanceReadReplica(
                self,
                f"Replica{number}",
                source_database_instance=self.primary,
                instance_type=instance_type,
                vpc=vpc,
                subnet_group=place,
                security_groups=[security_group],
                publicly_accessible=False,
                storage_type=rds.StorageType.GP3,
                max_allocated_storage=max_storage_gb,
                parameter_group=parameters,
                ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
                preferred_maintenance_window=windows.maintenance,
                auto_minor_version_upgrade=True,
                enable_performance_insights=True,
                performance_insight_encryption_key=key,
                monitoring_interval=_MONITORED_EVERY,
                monitoring_role=monitor,
                deletion_protection=kept,
                # What it holds is the primary's; a replica cannot leave a snapshot of its own.
                removal_policy=RemovalPolicy.DESTROY,
            )
            for number in range(1, replicas + 1)
        ]
        for replica in self.replicas:
            acknowledge(
                replica,
                {
                    "AwsSolutions-RDS2": "A replica in the same region is encrypted by its source's key, and "
                    "CloudFormation wants that left unsaid.",
                    "AwsSolutions-RDS3": "It is read from, and can be made anew from its source at any time.",
                    "AwsSolutions-RDS11": _DEFAULT_PORT,
                },
            )
