"""DynamoDB stream -> Lambda -> SES: whoever is added to a table is welcomed by e-mail, once."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when
from constructs_lib._checks import in_range, matches
from constructs_lib.function_target import FunctionTarget
from constructs_lib.python_function import PythonFunction

_ADDRESS = r"[^@\s,;<>]+@[^@\s,;<>.]+(\.[^@\s,;<>.]+)+"
# Source: AWS Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB".
_MIN_RETRIES, _MAX_RETRIES = 0, 10_000
_BATCH_SIZE = 10


class WelcomeMailer(Construct):
    """Whoever is inserted into a table gets one welcome by e-mail.

    Defines the function and its event source on the table's stream (inserts alone, partial batch failures, a failing
    batch is halved), a table of what was done, a queue for what could not be done, and alarms. Streams deliver at
    least once: a record that comes again, also as another batch, is not mailed again. SES has no idempotency token, so
    a function that dies between SES's answer and writing that down is the one case of a second mail.

    Items must have ``email`` (the key, one spelling per mailbox) and ``address`` (as it was written).

    Args:
        table: Whose new items are welcomed; its stream must hold new images.
        sender: Address that welcomes come from, like "news@example.com".
        site_url: Where the blog is, for the mail's text.
        identity: The sender's SES identity, its address or domain. Left out: the address becomes one, and SES sends it
            a link to confirm; until that is done nothing is mailed, and welcomes end in ``failure_queue``.
        retry_attempts: How often a failing record is tried again, 0-10000. Default 10; SES's throttling passes sooner.
        target: Python version and processor of the function. Left out: Python 3.13 on arm64.
        removal_policy: What happens to the table of what was done when the stack is deleted. Default RETAIN.

    Attributes:
        function: The function.
        identity: The sender's identity.
        handled: Table of the records that were done, for two days each.
        failure_queue: Which records could not be done; the stream has them for a day.
        alarms: Alarms on failures, errors and a mailer that falls behind; hand them to an ``AlarmTopic``.

    Raises:
        ValueError: A prop is out of range, or the table was imported without its stream.

    Example:
        table = GlobalTable(stack, "Subscribers", partition_key="email", stream=True).table
        WelcomeMailer(stack, "Welcome", table=table, sender="news@example.com", site_url="https://www.example.com")
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: dynamodb.ITableV2,
        sender: str,
        site_url: str,
        identity: ses.IEmailIdentity | None = None,
        retry_attempts: int = 10,
        target: FunctionTarget | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        matches("sender", sender, _ADDRESS, "one address like 'news@example.com'")
        matches("site_url", site_url, r"https://\S+", "an https:// URL")
        in_range("retry_attempts", retry_attempts, _MIN_RETRIES, _MAX_RETRIES)
        if not table.table_stream_arn:
            raise ValueError(f"table: must have a stream of new images, got {table.node.path} without one")

        self.handled = dynamodb.TableV2(
            self,
            "Handled",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expiration",
            removal_policy=removal_policy,
        )
        self.identity = identity or ses.EmailIdentity(self, "Sender", identity=ses.Identity.email(sender))
        made = PythonFunction(
            self,
            "Mailer",
            package="welcome_mailer",
            environment={"SENDER": sender, "SITE_URL": site_url, "IDEMPOTENCY_TABLE": self.handled.table_name},
            target=target,
        )
        self.function = made.function
        self.handled.grant(made.function, "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
        self.identity.grant(made.function, "ses:SendEmail")
        self.failure_queue = self._failures(made)
        self._listen(made, table, retry_attempts)
        waiting = self.failure_queue.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(1), statistic="Maximum"
        )
        behind = made.function.metric("IteratorAge", period=Duration.minutes(5), statistic="Maximum")
        self.alarms = [
            *made.alarms,
            alarm_when(self, "FailuresAlarm", waiting, above=0, says="could not welcome somebody"),
            alarm_when(self, "BehindAlarm", behind, above=_quarter_of_an_hour(), says="is far behind its stream"),
        ]

    def _failures(self, made: PythonFunction) -> sqs.Queue:
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
        acknowledge(made.function, {"Serverless-LambdaDLQ": polled})
        return queue

    def _listen(self, made: PythonFunction, table: dynamodb.ITableV2, retry_attempts: int) -> None:
        made.function.add_event_source(
            event_sources.DynamoEventSource(
                table,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=_BATCH_SIZE,
                report_batch_item_failures=True,
                bisect_batch_on_error=True,
                retry_attempts=retry_attempts,
                on_failure=event_sources.SqsDlq(self.failure_queue),
                filters=[lambda_.FilterCriteria.filter({"eventName": lambda_.FilterRule.is_equal("INSERT")})],
            )
        )


def _quarter_of_an_hour() -> int:
    """In milliseconds, as IteratorAge is counted."""
    return int(Duration.minutes(15).to_milliseconds())
