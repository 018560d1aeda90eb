"""Service 3, customers: internal ALB -> EC2 Auto Scaling group -> RDS for PostgreSQL."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from constructs_lib import LoadBalancedWebTier, PostgresDatabase
from stacks._domain import Domain
from stacks._servers import RDS_AUTHORITIES, application
from stacks.settings import Settings


class Customers(Construct):
    """Customers, for the other services alone.

    Args:
        vpc: The VPC.
        domain: Its names.
        settings: The app's settings.

    Attributes:
        database: The database.
        tier: The servers.
        url: Where the service is, from inside the VPC.
        alarms: All alarms.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, domain: Domain, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id)
        self.database = PostgresDatabase(
            self,
            "Database",
            vpc=vpc,
            database_name="customers",
            target=settings.target,
            removal_policy=settings.removal_policy,
        )
        self.tier = LoadBalancedWebTier(
            self,
            "Servers",
            vpc=vpc,
            application=application("customers_service", downloads=RDS_AUTHORITIES),
            certificate=domain.certificate,
            environment={"DATABASE_SECRET_ARN": self.database.secret.secret_arn},
            internet_facing=False,
            removal_policy=settings.removal_policy,
        )
        self.database.grant_connect(self.tier.role, self.tier.group)
        # Servers start with the database's tables, so there must be a database.
        self.tier.group.node.add_dependency(self.database.instance)
        self.url = f"https://{domain.alias('customers', targets.LoadBalancerTarget(self.tier.load_balancer))}"
        self.alarms = [*self.database.alarms, *self.tier.alarms]
