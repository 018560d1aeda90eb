"""RDS PostgreSQL with a standby in another zone: encrypted, backed up, watched, and its password rotated."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_backup as backup
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from constructs_lib import _postgres_alarms, _postgres_events, _postgres_instance, _subnets
from constructs_lib._checks import in_range, matches
from constructs_lib._daily_windows import DailyWindows
from constructs_lib._database_backup import DatabaseBackup
from constructs_lib._database_rotation import DatabaseRotation, use_key_through_secrets_manager
from constructs_lib.alarm_topic import AlarmTopic
from constructs_lib.function_target import FunctionTarget

# Source: Amazon RDS user guide, "Working with backups", "Read replicas for RDS for PostgreSQL", "Storage types" (gp3).
_MAX_BACKUP_DAYS, _MAX_REPLICAS = 35, 15
_MIN_STORAGE_GB, _MAX_STORAGE_GB, _GROWTH = 20, 16_384, 4
_MAX_ROTATION_DAYS = 365
_USER = "postgres"


class PostgresDatabase(Construct):
    """A PostgreSQL 17 database that survives the loss of a zone, of its password and of its data.

    Defines the instance (gp3 storage, TLS demanded, statements of a second and longer logged for a week, Performance
    Insights, Enhanced Monitoring) with a synchronous standby, its key, parameters and security group, a secret with its
    user, password and address, and the function that rotates the password; a backup plan with a vault and a key of
    its own; alarms on what runs out, and on a rotation or a backup that fails.

    Nobody gets in who was not let in by ``grant_connect``. Clients connect over TLS, with the authority of RDS
    (``lambda_src/database_rotation/rds-global-bundle.pem``), read the secret when they connect, and again when their
    password is refused. The function that rotates stands where a way leads to Secrets Manager: in the VPC's private
    subnets with NAT, or with an interface endpoint of "secretsmanager".

    **Failover** takes a minute or two and gives the same name another address, so clients must keep an address for
    less than 30 seconds (source: Amazon RDS user guide, "Best practices for Amazon RDS"), give up on a connection after
    seconds, and connect again. Runbook: 1 RDS fails over by itself; the topic of ``tell`` says so. 2 To do it by hand,
    reboot with failover: ``aws rds reboot-db-instance --force-failover``. 3 Writes that were answered are there, as the
    standby is synchronous; what was under way failed and may be sent again. 4 If data was damaged and not lost, restore
    to a time before it, as a second instance, and take over from there; a restored instance has the password of then.

    Args:
        vpc: The VPC, with subnets in two zones at least.
        subnets: Where the database stands. Left out: the VPC's isolated subnets.
        rotation_subnets: Where the rotation's function stands. Left out: the VPC's private subnets, or ``subnets``.
        instance_type: Class, without "db.". Left out: t4g.medium.
        database_name: Made at first: 1-63 letters, digits and "_", beginning with a letter. Default "app".
        multi_az: Whether there is a standby. Default True.
        storage_gb: 20-16384 GiB at first, which grows by itself to four times as much. Default 20.
        replicas: 0-15 replicas to read from, which lag behind. Default 0.
        backup_days: 1-35 days for which any moment can be restored. Default 35, the longest there is.
        backup_window: When automated backups are made, UTC, 30-120 minutes at the low of writes. Default "03:00-04:00".
            Maintenance follows on Sundays, half an hour later.
        backup_plan: Whether AWS Backup makes daily (kept ``backup_days``) and weekly (84 days) recovery points, too,
            which outlive the instance. Default True.
        backup_copies_to: A vault in another region or account that gets a copy of each. Left out: no copies.
        backup_lock_days: Nobody deletes a recovery point younger than these 1-``backup_days`` days. Left out: no lock.
        rotation_days: 1-365 days between two rotations. Default 30.
        target: Python version and processor of the function. Left out: Python 3.13 on arm64.
        removal_policy: RETAIN (default) refuses to delete the database, and leaves a snapshot when that is lifted;
            keys, secret and vault stay.

    Attributes:
        instance: The primary.
        secret: User, password, host, port and dbname, as JSON.
        replica_instances: The replicas, to be reached under their own names.
        security_group: Of primary and replicas.
        encryption_key: Of storage, automated backups and secret.
        vault: Where the plan's recovery points are; None without.
        rotation: The function.
        alarms: Alarms; hand them to an ``AlarmTopic``.

    Raises:
        ValueError: A prop is out of range, or the VPC has no fitting subnets.

    Example:
        database = PostgresDatabase(stack, "Customers", vpc=vpc, database_name="customers")
        role = iam.Role(stack, "Server", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
        database.grant_connect(role, ec2.SecurityGroup(stack, "Servers", vpc=vpc))
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection | None = None,
        rotation_subnets: ec2.SubnetSelection | None = None,
        instance_type: ec2.InstanceType | None = None,
        database_name: str = "app",
        multi_az: bool = True,
        storage_gb: int = 20,
        replicas: int = 0,
        backup_days: int = _MAX_BACKUP_DAYS,
        backup_window: str = "03:00-04:00",
        backup_plan: bool = True,
        backup_copies_to: backup.IBackupVault | None = None,
        backup_lock_days: int | None = None,
        rotation_days: int = 30,
        target: FunctionTarget | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        letters = 'letters, digits and "_", beginning with a letter, 63 at most'
        matches("database_name", database_name, r"[A-Za-z][A-Za-z0-9_]{0,62}", letters)
        in_range("storage_gb", storage_gb, _MIN_STORAGE_GB, _MAX_STORAGE_GB)
        in_range("replicas", replicas, 0, _MAX_REPLICAS)
        in_range("backup_days", backup_days, 1, _MAX_BACKUP_DAYS)
        in_range("rotation_days", rotation_days, 1, _MAX_ROTATION_DAYS)
        if backup_lock_days is not None:
            in_range("backup_lock_days", backup_lock_days, 1, backup_days)
        if not backup_plan and (backup_copies_to or backup_lock_days):
            raise ValueError("backup_plan: must be True for backup_copies_to and backup_lock_days, got False")
        windows = DailyWindows.after("backup_window", backup_window)
        subnets = _subnets.in_two_zones(vpc, subnets or _subnets.isolated(vpc))
        instance_type = instance_type or ec2.InstanceType("t4g.medium")

        self.encryption_key = kms.Key(
            self, "Key", description="A PostgreSQL database", enable_key_rotation=True, removal_policy=removal_policy
        )
        self.security_group = ec2.SecurityGroup(
            self, "Group", vpc=vpc, allow_all_outbound=False, description="A PostgreSQL database"
        )
        self._credentials = _postgres_instance.credentials(self, self.encryption_key, _USER, removal_policy)
        instances = _postgres_instance.PostgresInstances(
            self,
            "Instances",
            vpc=vpc,
            subnets=subnets,
            security_group=self.security_group,
            instance_type=instance_type,
            credentials=self._credentials,
            username=_USER,
            key=self.encryption_key,
            database_name=database_name,
            multi_az=multi_az,
            storage_gb=storage_gb,
            max_storage_gb=_GROWTH * storage_gb,
            backup_days=backup_days,
            windows=windows,
            replicas=replicas,
            removal_policy=removal_policy,
        )
        self.instance, self.replica_instances = instances.primary, instances.replicas
        # Known once RDS has written its address into it.
        self.secret: secretsmanager.ISecret = self.instance.secret or self._credentials
        rotation = DatabaseRotation(
            self,
            "Rotation",
            secret=self.secret,
            encryption_key=self.encryption_key,
            vpc=vpc,
            subnets=rotation_subnets or _subnets.private(vpc) or subnets,
            days=rotation_days,
            target=target,
        )
        self.rotation = rotation.function
        self._let_in(rotation.security_group, "the rotation of its password")
        plan = None
        if backup_plan:
            plan = DatabaseBackup(
                self,
                "Backup",
                database_arn=self.instance.instance_arn,
                hour=windows.plan_hour,
                daily_days=backup_days,
                copies_to=backup_copies_to,
                lock_days=backup_lock_days,
                removal_policy=removal_policy,
            )
        self.vault: backup.IBackupVault | None = plan.vault if plan else None
        self.alarms: list[cloudwatch.Alarm] = [
            *_postgres_alarms.of_instance(
                self, self.instance, instance_class=instance_type.to_string(), storage_gb=storage_gb
            ),
            *_postgres_alarms.of_replicas(self, self.replica_instances),
            *rotation.alarms,
            *(plan.alarms if plan else []),
        ]

    def grant_connect(self, grantee: iam.IGrantable, connectable: ec2.IConnectable) -> iam.Grant:
        """Let a server in: it may read the secret, and reaches primary and replicas on their port.

        Args:
            grantee: Its role.
            connectable: What it is reached from: its security group, or whatever has one.
        """
        self._let_in(connectable, "a client")
        read = iam.Grant.add_to_principal(
            grantee=grantee, actions=["secretsmanager:GetSecretValue"], resource_arns=[self.secret.secret_arn]
        )
        return read.combine(use_key_through_secrets_manager(self.encryption_key, grantee, "kms:Decrypt"))

    def tell(self, alarm_topic: AlarmTopic) -> None:
        """Let RDS tell people of failovers, failures, low storage and recoveries, by the topic that alarms speak to.

        Of primary and replicas; of these also that their replication ended.
        """
        _postgres_events.tell(self, self.instance, self.replica_instances, alarm_topic)

    def _let_in(self, client: ec2.IConnectable, who: str) -> None:
        port = ec2.Port.tcp(_postgres_instance.PORT)
        self.security_group.connections.allow_from(client, port, f"PostgreSQL for {who}")
