"""Three services of three shapes under one domain, which talk to each other by name and by events."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib import AlarmTopic, SnsFanoutToSqs, Subscriber, TieredNetwork
from stacks._domain import Domain
from stacks._microservices_catalog import READ, Catalog
from stacks._microservices_customers import Customers
from stacks._microservices_orders import Orders
from stacks.scenario import Scenario
from stacks.settings import Settings

KEY = "microservices"
_PLACED = {"event": sns.SubscriptionFilter.string_filter(allowlist=["order-placed"])}


class Microservices(Stack):
    """1 orders -> 2 catalog and 3 customers over HTTPS by name; an order placed -> topic -> the catalog's stock.

    Each service is a construct of its own, with its data, its servers, its rights and its alarms; between them there
    are names, one grant and one subscription, all made here.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        if settings.nat_gateways == 0:
            raise ValueError("nat_gateways: must be 1 or 2 for microservices, whose servers fetch packages, got 0")
        network = TieredNetwork(self, "Network", nat_gateways=settings.nat_gateways)
        domain = Domain(self, "Domain", key=KEY, settings=settings)

        # 2, 3 The services that are asked.
        catalog = Catalog(self, "Catalog", vpc=network.vpc, domain=domain, settings=settings)
        customers = Customers(self, "Customers", vpc=network.vpc, domain=domain, settings=settings)
        # 1 The service that asks them, synchronously, each by its name.
        orders = Orders(
            self,
            "Orders",
            vpc=network.vpc,
            domain=domain,
            catalog_url=catalog.url,
            customers_url=customers.url,
            settings=settings,
        )
        catalog.api.grant_invoke(orders.service.role, READ)

        # An order that was placed is published, and taken from stock.
        events = SnsFanoutToSqs(
            self,
            "Events",
            subscribers=[
                # Six times the consumer's timeout, and no more: so poison is soon among the dead letters.
                Subscriber("stock", filter_attributes=_PLACED, visibility_timeout=Duration.seconds(30)),
            ],
            required_attribute="event",
            removal_policy=settings.removal_policy,
        )
        orders.publish_to(events)
        events.add_consumer("stock", catalog.stock.function)

        # Who keeps the catalog: signs as this role.
        merchant = iam.Role(self, "Merchant", assumed_by=iam.AccountPrincipal(self.account))
        catalog.api.grant_invoke(merchant)

        alarms = AlarmTopic(self, "Alarms", email=settings.alarm_email, removal_policy=settings.removal_policy)
        alarms.watch(network.alarms, orders.alarms, catalog.alarms, customers.alarms, events.alarms)
        customers.database.tell(alarms)
        self._outputs(orders, catalog, customers, events, merchant)

    def _outputs(
        self, orders: Orders, catalog: Catalog, customers: Customers, events: SnsFanoutToSqs, merchant: iam.Role
    ) -> None:
        found = {
            "OrdersUrl": orders.url,
            "CatalogUrl": catalog.url,
            "CustomersUrl": customers.url,
            "OrdersTableName": orders.table.table_name,
            "OrdersClusterName": orders.service.cluster.cluster_name,
            "OrdersServiceName": orders.service.service.service_name,
            "OrdersLogGroupName": orders.service.log_group.log_group_name,
            "OrdersRoleArn": orders.service.role.role_arn,
            "PublisherFunctionName": orders.publisher.function.function_name,
            "PublisherLogGroupName": orders.publisher.log_group.log_group_name,
            "PublisherFailuresUrl": orders.failures.queue_url,
            "CatalogTableName": catalog.api.table.table_name,
            "CatalogCacheName": catalog.api.cache.name,
            "CatalogLogGroupName": catalog.answers.log_group.log_group_name,
            "StockLogGroupName": catalog.stock.log_group.log_group_name,
            "CustomersGroupName": customers.tier.group.auto_scaling_group_name,
            "CustomersLogGroupName": customers.tier.log_group.log_group_name,
            "CustomersDatabaseId": customers.database.instance.instance_identifier,
            "CustomersSecretArn": customers.database.secret.secret_arn,
            "EventsTopicArn": events.topic.topic_arn,
            "StockQueueUrl": events.queues["stock"].queue_url,
            "StockDeadLetterQueueUrl": events.dead_letter_queues["stock"].queue_url,
            "MerchantRoleArn": merchant.role_arn,
        }
        for name, value in found.items():
            CfnOutput(self, name, value=value)


SCENARIO = Scenario(
    key=KEY,
    stack=Microservices,
    summary="orders (ALB -> Fargate) -> catalog (API -> Lambda -> Valkey), customers (ALB -> EC2 -> PostgreSQL); SNS",
    source="seed 000, microservices: three services, three shapes, one domain",
)
