"""An SQS queue that loses nothing: encrypted, TLS only, with dead letters and alarms."""

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when
from constructs_lib._checks import in_range, seconds_in_range
from constructs_lib._consumer import consume

# Source: Amazon SQS developer guide, "Message quotas".
_MAX_VISIBILITY_SECONDS = 12 * 3600
_MIN_RETENTION_SECONDS, _MAX_RETENTION_SECONDS = 60, 14 * 24 * 3600
_MAX_RECEIVES = 1000


class QueueWithDlq(Construct):
    """A queue and its dead-letter queue.

    Defines both queues (encrypted at rest, TLS demanded by policy), an alarm on dead letters and one on the age of the
    oldest message. Dead letters are kept for 14 days, the longest that SQS allows.

    Args:
        visibility_timeout: 0 s-12 h; at least six times the consumer's timeout. Default 3 minutes, for one of 30 s.
        max_receive_count: Deliveries before a message becomes a dead letter, 1-1000. Default 3.
        retention: How long an unread message is kept, 1 minute-14 days. Default 4 days.
        fifo: Ordered per message group, de-duplicated by content. Default False.
        encryption_key: Customer-managed key for both queues. Left out: the key that SQS manages.
        oldest_message_alarm: Age of the oldest message that raises an alarm, 1 minute-14 days. Default 15 minutes.

    Attributes:
        queue: The queue that producers and consumers use.
        dead_letter_queue: Where messages go after ``max_receive_count`` deliveries.
        alarms: Alarms on dead letters and age.

    Raises:
        ValueError: A prop is out of range.

    Example:
        jobs = QueueWithDlq(stack, "Jobs", visibility_timeout=Duration.minutes(6))
        jobs.add_consumer(worker.function)
        jobs.queue.grant_send_messages(producer)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        visibility_timeout: Duration | None = None,
        max_receive_count: int = 3,
        retention: Duration | None = None,
        fifo: bool = False,
        encryption_key: kms.IKey | None = None,
        oldest_message_alarm: Duration | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        visibility_timeout = visibility_timeout or Duration.minutes(3)
        retention = retention or Duration.days(4)
        oldest_message_alarm = oldest_message_alarm or Duration.minutes(15)
        seconds_in_range("visibility_timeout", visibility_timeout, 0, _MAX_VISIBILITY_SECONDS)
        seconds_in_range("retention", retention, _MIN_RETENTION_SECONDS, _MAX_RETENTION_SECONDS)
        seconds_in_range("oldest_message_alarm", oldest_message_alarm, _MIN_RETENTION_SECONDS, _MAX_RETENTION_SECONDS)
        in_range("max_receive_count", max_receive_count, 1, _MAX_RECEIVES)
        self._visibility = visibility_timeout

        encryption = sqs.QueueEncryption.KMS if encryption_key else sqs.QueueEncryption.SQS_MANAGED
        # SQS wants `FifoQueue: true` or no such property at all, so False becomes None.
        ordered = True if fifo else None
        self.dead_letter_queue = sqs.Queue(
            self,
            "DeadLetters",
            encryption=encryption,
            encryption_master_key=encryption_key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            fifo=ordered,
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=encryption,
            encryption_master_key=encryption_key,
            enforce_ssl=True,
            retention_period=retention,
            visibility_timeout=visibility_timeout,
            fifo=ordered,
            content_based_deduplication=ordered,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letter_queue, max_receive_count=max_receive_count),
        )
        waiting = self.dead_letter_queue.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(1), statistic="Maximum"
        )
        age = self.queue.metric_approximate_age_of_oldest_message(period=Duration.minutes(1), statistic="Maximum")
        self.alarms = [
            alarm_when(self, "DeadLettersAlarm", waiting, above=0, says="has dead letters"),
            alarm_when(self, "AgeAlarm", age, above=oldest_message_alarm.to_seconds(), says="is not drained"),
        ]
        acknowledge(
            self.dead_letter_queue,
            {"Serverless-SQSRedrivePolicy": "This queue is where messages end: another one behind it would hide them."},
        )

    def add_consumer(
        self, worker: lambda_.IFunction, *, batch_size: int = 10, max_concurrency: int | None = None
    ) -> None:
        """Let a function drain the queue; it says which messages of a batch failed, and only those come again.

        Args:
            worker: Function that handles SQS batches and returns partial batch failures.
            batch_size: Messages per invocation, 1-10. Default 10.
            max_concurrency: Invocations at once, 2-1000. Left out: as many as Lambda allows.

        Raises:
            ValueError: A value is out of range, or the worker may run for longer than a sixth of
                ``visibility_timeout``, so that messages would be delivered again while they are worked on.
        """
        consume(self.queue, worker, visibility=self._visibility, batch_size=batch_size, max_concurrency=max_concurrency)
