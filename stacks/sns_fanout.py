"""Publish once to many queues: order events by their filters, stock movements in order."""

import json
from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib import AlarmTopic, PythonFunction, SnsFanoutToSqs, Subscriber
from constructs_lib._acknowledge import acknowledge
from stacks.scenario import Scenario
from stacks.settings import Settings

# Six times the consumers' timeout.
_VISIBILITY = Duration.minutes(1)
_IS = sns.SubscriptionFilter

ORDER_SUBSCRIBERS = (
    # By the value of an attribute.
    Subscriber(
        "inventory",
        filter_attributes={"event": _IS.string_filter(allowlist=["order-placed", "order-cancelled"])},
        visibility_timeout=_VISIBILITY,
    ),
    # By a prefix and a number.
    Subscriber(
        "shipping",
        filter_attributes={
            "event": _IS.string_filter(allowlist=["order-placed"]),
            "destination": _IS.string_filter(match_prefixes=["EU-"]),
            "weight_kg": _IS.numeric_filter(between=sns.BetweenCondition(start=0, stop=30)),
        },
        visibility_timeout=_VISIBILITY,
    ),
    # By the message's body, two levels deep.
    Subscriber(
        "analytics",
        filter_body={
            "total": sns.FilterOrPolicy.filter(_IS.numeric_filter(greater_than_or_equal_to=10_000)),
            "customer": sns.FilterOrPolicy.policy(
                {"tier": sns.FilterOrPolicy.filter(_IS.string_filter(allowlist=["gold", "silver"]))}
            ),
        },
        visibility_timeout=_VISIBILITY,
    ),
)
STOCK_SUBSCRIBERS = (
    Subscriber("warehouse", visibility_timeout=_VISIBILITY),
    Subscriber("storefront", visibility_timeout=_VISIBILITY),
)
# What of an order a consumer cannot do without.
NEEDS = {"inventory": ["items"], "shipping": ["address"]}


class SnsFanout(Stack):
    """1 publisher -> 2 topic -> 3 queues, by filter or in order -> 4 a consumer each, which records what it got."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # 2, 3 Events of orders by their filters, those of no known kind aside; movements of stock in order per SKU.
        orders = SnsFanoutToSqs(
            self,
            "Orders",
            subscribers=ORDER_SUBSCRIBERS,
            required_attribute="event",
            removal_policy=settings.removal_policy,
        )
        stock = SnsFanoutToSqs(
            self, "Stock", subscribers=STOCK_SUBSCRIBERS, fifo=True, removal_policy=settings.removal_policy
        )
        # 1 Who may publish, and nothing else.
        publisher = iam.Role(self, "Publisher", assumed_by=iam.AccountPrincipal(self.account))
        orders.grant_publish(publisher)
        stock.grant_publish(publisher)
        acknowledge(
            publisher,
            {
                "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]": "SNS documents this action for publishers to an "
                "encrypted topic; it is granted on the two topics' keys alone."
            },
        )

        # 4 One function per queue; all record in one table, each under its name.
        records = dynamodb.TableV2(
            self,
            "Records",
            partition_key=dynamodb.Attribute(name="consumer", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=settings.retain,
            removal_policy=settings.removal_policy,
        )
        alarms = AlarmTopic(self, "Alarms", email=settings.alarm_email, removal_policy=settings.removal_policy)
        alarms.watch(orders.alarms, stock.alarms)
        consumers = Construct(self, "Consumers")
        for subscriber in ORDER_SUBSCRIBERS:
            consumer = _consumer(consumers, subscriber, records, settings)
            orders.add_consumer(subscriber.name, consumer.function)
            records.grant(consumer.function, "dynamodb:PutItem")
            alarms.watch(consumer.alarms)
        for subscriber in STOCK_SUBSCRIBERS:
            consumer = _consumer(consumers, subscriber, records, settings)
            # One message at a time, so that poison does not take those behind it to the dead letters.
            stock.add_consumer(subscriber.name, consumer.function, batch_size=1)
            records.grant(consumer.function, "dynamodb:PutItem", "dynamodb:UpdateItem")
            alarms.watch(consumer.alarms)

        CfnOutput(self, "OrdersTopicArn", value=orders.topic.topic_arn, description="Events of orders")
        CfnOutput(self, "StockTopicArn", value=stock.topic.topic_arn, description="Movements of stock, FIFO")
        if orders.unrouted_queue:
            CfnOutput(self, "UnroutedQueueUrl", value=orders.unrouted_queue.queue_url)
        CfnOutput(self, "PublisherRoleArn", value=publisher.role_arn)
        CfnOutput(self, "RecordsTableName", value=records.table_name)
        for fanout in (orders, stock):
            for name, queue in fanout.queues.items():
                CfnOutput(self, f"{name.capitalize()}QueueUrl", value=queue.queue_url)
                dead_letters = fanout.dead_letter_queues[name]
                CfnOutput(self, f"{name.capitalize()}DeadLetterQueueUrl", value=dead_letters.queue_url)


def _consumer(
    scope: Construct, subscriber: Subscriber, records: dynamodb.TableV2, settings: Settings
) -> PythonFunction:
    return PythonFunction(
        scope,
        subscriber.construct_id,
        package="fanout_consumer",
        target=settings.target,
        timeout=Duration.seconds(10),
        environment={
            "CONSUMER": subscriber.name,
            "RECORDS_TABLE": records.table_name,
            "NEEDS": json.dumps(NEEDS.get(subscriber.name, [])),
        },
    )


SCENARIO = Scenario(
    key="sns-fanout",
    stack=SnsFanout,
    summary="publisher -> SNS -> SQS queues by filter, and in order by FIFO -> Lambda -> DynamoDB",
    source="seed 001, Amazon SNS publish to multiple SQS queues",
)
