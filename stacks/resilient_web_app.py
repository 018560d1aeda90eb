"""A resilient web application: servers over two zones, a database with a standby, and backups that outlive both."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from constructs_lib import AlarmTopic, LoadBalancedWebTier, PostgresDatabase, TieredNetwork
from stacks._database_copies import copies_vault
from stacks._domain import Domain
from stacks._servers import RDS_AUTHORITIES, application
from stacks.scenario import Scenario
from stacks.settings import Settings


class ResilientWebApp(Stack):
    """1 name -> 2 load balancer -> 3 servers in each zone -> 4 PostgreSQL, its standby elsewhere -> 5 backups.

    **When it fails.** A server: the load balancer asks every 5 seconds and leaves it out after two failures; Auto
    Scaling starts another. A zone: the other one has servers, its own NAT gateway and the standby. The database: RDS
    promotes the standby in a minute or two and says so by the alarm topic; meanwhile servers answer 503 with
    Retry-After within 3 seconds, and go on by themselves. Nothing needs a restart. To do it by hand::

        aws rds reboot-db-instance --force-failover --db-instance-identifier <DatabaseIdentifier>

    **When data was damaged.** Restore to the minute before, as a second instance, and look. Subnets, security group and
    parameters are those of the first one (``aws rds describe-db-instances`` names them)::

        aws rds restore-db-instance-to-point-in-time --source-db-instance-identifier <DatabaseIdentifier> \
            --target-db-instance-identifier <new> --restore-time <time> --multi-az --db-subnet-group-name <subnets> \
            --vpc-security-group-ids <DatabaseGroupId> --db-parameter-group-name <parameters>

    It has the password of that minute: set the secret's with ``modify-db-instance`` if it was rotated since. Then write
    its address into the secret, and stop the first one: servers that cannot connect read the secret again.

    **When the region is gone.** With ``-c options=copies -c copies_region=<region>`` each recovery point is also there,
    in a vault with a key of its own: restore it from there with AWS Backup and deploy this stack there.

    **When a password leaked.** ``aws secretsmanager rotate-secret --secret-id <DatabaseSecretArn>``: the old one is
    refused within seconds, and servers read the new one when they next connect.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # 1 A name with its certificate; a network in three tiers over two zones, with a way out for the servers.
        domain = Domain(self, "Domain", key="resilient-web-app", settings=settings)
        if settings.nat_gateways == 0:
            raise ValueError("nat_gateways: must be 1 or 2 for resilient-web-app, whose servers fetch packages, got 0")
        network = TieredNetwork(self, "Network", nat_gateways=settings.nat_gateways)
        # 4, 5 The database, and who is told of it. Copies elsewhere and replicas cost, so only when asked for.
        database = PostgresDatabase(
            self,
            "Database",
            vpc=network.vpc,
            database_name="customers",
            replicas=1 if "replica" in settings.options else 0,
            backup_copies_to=copies_vault(self, settings) if "copies" in settings.options else None,
            target=settings.target,
            removal_policy=settings.removal_policy,
        )
        # 2, 3 The servers, told where the secret is and let into the database.
        servers = LoadBalancedWebTier(
            self,
            "Servers",
            vpc=network.vpc,
            application=application("customers_service", downloads=RDS_AUTHORITIES),
            certificate=domain.certificate,
            environment={"DATABASE_SECRET_ARN": database.secret.secret_arn},
            removal_policy=settings.removal_policy,
        )
        database.grant_connect(servers.role, servers.group)
        name = domain.alias("", targets.LoadBalancerTarget(servers.load_balancer))
        alarms = AlarmTopic(self, "Alarms", email=settings.alarm_email, removal_policy=settings.removal_policy)
        alarms.watch(servers.alarms, database.alarms, network.alarms)
        database.tell(alarms)

        CfnOutput(self, "Url", value=f"https://{name}", description="The application: /customers, /openapi.json")
        CfnOutput(self, "ServerGroupName", value=servers.group.auto_scaling_group_name)
        CfnOutput(self, "TargetGroupArn", value=servers.target_group.target_group_arn)
        CfnOutput(self, "LoadBalancerGroupId", value=servers.front.security_group.security_group_id)
        CfnOutput(self, "ServersGroupId", value=servers.security_group.security_group_id)
        CfnOutput(self, "DatabaseGroupId", value=database.security_group.security_group_id)
        CfnOutput(self, "DatabaseIdentifier", value=database.instance.instance_identifier)
        CfnOutput(self, "DatabaseSecretArn", value=database.secret.secret_arn)
        CfnOutput(self, "RotationFunctionName", value=database.rotation.function_name)
        CfnOutput(self, "AlarmTopicArn", value=alarms.topic.topic_arn)
        if database.vault:
            CfnOutput(self, "VaultName", value=database.vault.backup_vault_name)
        for replica in database.replica_instances:
            CfnOutput(self, "ReplicaAddress", value=replica.db_instance_endpoint_address)


SCENARIO = Scenario(
    key="resilient-web-app",
    stack=ResilientWebApp,
    summary="name -> ALB -> EC2 Auto Scaling over zones -> RDS PostgreSQL Multi-AZ, rotated, backed up",
    source="seed 003, resilient, durable application",
)
