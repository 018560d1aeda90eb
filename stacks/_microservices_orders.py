"""Service 1, orders: ALB -> Fargate -> DynamoDB, whose stream tells the rest of the world."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib import FargateService, PythonFunction, SnsFanoutToSqs
from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when
from stacks._domain import Domain
from stacks._servers import image
from stacks.settings import Settings

# As many as Lambda takes. A topic that is away is no reason to give up an order; half of the time that the stream keeps
# it, 24 hours, is left to whoever reads of it among the failures. Source: AWS Lambda developer guide, "Lambda
# parameters for Amazon DynamoDB event source mappings".
_RETRIES = 10_000
_RETRIED_FOR = Duration.hours(12)
_BEHIND_MS = 15 * 60 * 1000


class Orders(Construct):
    """Orders are placed over HTTPS, kept in a table, and published: the write is the news, by the table's stream.

    Args:
        vpc: The VPC.
        domain: Its names.
        catalog_url: Service 2.
        customers_url: Service 3.
        settings: The app's settings.

    Attributes:
        table: The orders.
        service: The servers.
        publisher: The function that publishes.
        failures: Where it tells of what it could not publish.
        url: Where the service is.
        alarms: All alarms.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        domain: Domain,
        catalog_url: str,
        customers_url: str,
        settings: Settings,
    ) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="orderId", type=dynamodb.AttributeType.STRING),
            dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=settings.retain,
            removal_policy=settings.removal_policy,
        )
        self.service = FargateService(
            self,
            "Service",
            vpc=vpc,
            image=image(self, "Image", "orders_service"),
            name="orders_service",
            certificate=domain.certificate,
            environment={
                "AWS_REGION": Stack.of(self).region,
                "ORDERS_TABLE": self.table.table_name,
                "CATALOG_URL": catalog_url,
                "CUSTOMERS_URL": customers_url,
            },
            removal_policy=settings.removal_policy,
        )
        self.table.grant(self.service.role, "dynamodb:GetItem", "dynamodb:PutItem")
        self.publisher = PythonFunction(self, "Publisher", package="order_publisher", target=settings.target)
        self.failures = self._failures()
        self.failures.grant_send_messages(self.publisher.function)
        self.publisher.function.add_environment("FAILURES_URL", self.failures.queue_url)
        self.url = f"https://{domain.alias('orders', targets.LoadBalancerTarget(self.service.load_balancer))}"
        self.alarms = [*self.service.alarms, *self.publisher.alarms, *self._alarms()]

    def publish_to(self, events: SnsFanoutToSqs) -> None:
        """Tell a topic of each new order, at least once, and wait for one that is away.

        What is no order is told to ``failures`` at once, and so is what could not be told within 12 hours.
        """
        events.grant_publish(self.publisher.function)
        self.publisher.function.add_environment("TOPIC_ARN", events.topic.topic_arn)
        self.publisher.function.add_event_source(
            event_sources.DynamoEventSource(
                self.table,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=10,
                report_batch_item_failures=True,
                bisect_batch_on_error=True,
                retry_attempts=_RETRIES,
                max_record_age=_RETRIED_FOR,
                on_failure=event_sources.SqsDlq(self.failures),
                filters=[lambda_.FilterCriteria.filter({"eventName": lambda_.FilterRule.is_equal("INSERT")})],
            )
        )
        publishes = "SNS documents this action for publishers to an encrypted topic; it is granted on its key alone."
        acknowledge(self.publisher.role, {"AwsSolutions-IAM5[Action::kms:GenerateDataKey*]": publishes})

    def _failures(self) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "Failures",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        acknowledge(
            queue,
            {
                "AwsSolutions-SQS3": "It is where a stream's consumer tells of failures, which the rule does not see.",
                "Serverless-SQSRedrivePolicy": "It is where records end: another queue behind it would hide them.",
            },
        )
        polled = "Streams are polled, so failures end in the event source's destination; this one would stay empty."
        acknowledge(self.publisher.function, {"Serverless-LambdaDLQ": polled})
        return queue

    def _alarms(self) -> list[cloudwatch.Alarm]:
        waiting = self.failures.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(1), statistic="Maximum"
        )
        behind = self.publisher.function.metric("IteratorAge", period=Duration.minutes(5), statistic="Maximum")
        return [
            alarm_when(self, "FailuresAlarm", waiting, above=0, says="could not publish an order"),
            alarm_when(self, "BehindAlarm", behind, above=_BEHIND_MS, says="is far behind its stream"),
        ]
