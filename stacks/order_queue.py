"""Queue-based load levelling: orders are taken at once, stored when there is time, and told by SMS."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib import AlarmTopic, PythonFunction, QueuedApi
from constructs_lib._acknowledge import acknowledge
from stacks.scenario import Scenario
from stacks.settings import Settings

# The same rules as lambda_src/order_worker/rules.py; tests/functions/test_order_worker.py holds the two together.
ORDER = apigateway.JsonSchema(
    schema=apigateway.JsonSchemaVersion.DRAFT4,
    title="Order",
    type=apigateway.JsonSchemaType.OBJECT,
    required=["orderId", "item", "quantity"],
    additional_properties=False,
    properties={
        "orderId": apigateway.JsonSchema(
            type=apigateway.JsonSchemaType.STRING,
            pattern="^[A-Za-z0-9_-]{1,64}$",
            description="1 to 64 letters, digits, '_' or '-'; the same id again is the same order",
        ),
        "item": apigateway.JsonSchema(
            type=apigateway.JsonSchemaType.STRING, min_length=1, max_length=100, description="1 to 100 characters"
        ),
        "quantity": apigateway.JsonSchema(
            type=apigateway.JsonSchemaType.INTEGER, minimum=1, maximum=1000, description="a whole number from 1 to 1000"
        ),
    },
)


class OrderQueue(Stack):
    """1 POST -> 2 queue -> 3 worker stores the order -> 4 subscribers get an SMS."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # 3 The worker's tables: the orders, and which of them were worked on already.
        orders = dynamodb.TableV2(
            self,
            "Orders",
            partition_key=dynamodb.Attribute(name="orderId", type=dynamodb.AttributeType.STRING),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=settings.retain,
            removal_policy=settings.removal_policy,
        )
        handled = dynamodb.TableV2(
            self,
            "Handled",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expiration",
            removal_policy=settings.removal_policy,
        )
        # 4 Subscribers' topic.
        key = kms.Key(self, "NoticesKey", enable_key_rotation=True, removal_policy=settings.removal_policy)
        notices = sns.Topic(self, "Notices", master_key=key, enforce_ssl=True)
        worker = PythonFunction(
            self,
            "Worker",
            package="order_worker",
            target=settings.target,
            timeout=Duration.seconds(10),
            environment={
                "ORDERS_TABLE": orders.table_name,
                "IDEMPOTENCY_TABLE": handled.table_name,
                "NOTICES_TOPIC_ARN": notices.topic_arn,
            },
        )
        orders.grant(worker.function, "dynamodb:PutItem")
        handled.grant(worker.function, "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
        notices.grant_publish(worker.function)
        acknowledge(
            worker.role,
            {
                "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]": "SNS documents this action for publishers to an "
                "encrypted topic; it is granted on that topic's key alone."
            },
        )

        # 1, 2 Orders come in by POST and wait in the queue.
        intake = QueuedApi(self, "Intake", path="orders", schema=ORDER, worker=worker.function)
        shop = iam.Role(self, "Shop", assumed_by=iam.AccountPrincipal(self.account), description="Whoever takes orders")
        intake.grant_invoke(shop)
        alarms = AlarmTopic(self, "Alarms", email=settings.alarm_email, removal_policy=settings.removal_policy)
        alarms.watch(intake.alarms, worker.alarms)

        CfnOutput(self, "OrdersUrl", value=intake.url, description="POST orders here, signed (SigV4)")
        CfnOutput(self, "OrdersTableName", value=orders.table_name)
        CfnOutput(self, "QueueUrl", value=intake.queue.queue_url)
        CfnOutput(self, "QueueArn", value=intake.queue.queue_arn)
        CfnOutput(self, "DeadLetterQueueUrl", value=intake.dead_letter_queue.queue_url)
        CfnOutput(self, "DeadLetterQueueArn", value=intake.dead_letter_queue.queue_arn)
        CfnOutput(self, "NoticesTopicArn", value=notices.topic_arn)
        CfnOutput(self, "ShopRoleArn", value=shop.role_arn)


SCENARIO = Scenario(
    key="order-queue",
    stack=OrderQueue,
    summary="POST -> API Gateway -> SQS -> Lambda -> DynamoDB, and an SMS by SNS",
    source="seed 001, example serverless architecture",
)
