"""SNS -> many SQS: publish once, and each subscriber gets what it asked for in a queue of its own."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib._alarms import alarm_when
from constructs_lib._checks import matches, not_empty, one_of, unique
from constructs_lib._consumer import consume
from constructs_lib._fanout_route import Route, let_sns_use
from constructs_lib._fanout_subscriber import Subscriber

__all__ = ["SnsFanoutToSqs", "Subscriber"]

# Source: Amazon SNS developer guide, "Message attribute items and validation".
_ATTRIBUTE = r"(?=.{1,256}$)(?!(?i:aws|amazon)\.)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"


class SnsFanoutToSqs(Construct):
    """Publish once, deliver to many queues.

    Defines one topic (TLS demanded by policy) and, per subscriber, a queue that admits this topic alone, its
    dead-letter queue, a filtered subscription with raw delivery, a dead-letter queue for what SNS could not deliver,
    and alarms; all under one customer-managed key with rotation.

    Args:
        subscribers: Who gets a queue, at least one; names must differ.
        fifo: Topic and queues keep the order within each message group, and take each message once. Default False.
        content_based_deduplication: With ``fifo``: equal bodies within five minutes are one message. Default False:
            publishers say ``MessageDeduplicationId``, so that two events that look the same are two.
        required_attribute: Message attribute that every message must have. One without it goes to ``unrouted_queue``
            and raises an alarm, instead of being filtered out everywhere unseen. Subscribers do not get it, except
            those with ``filter_body``, for which SNS does not look at attributes. One with no attribute at all SNS
            filters out even there (source: Amazon SNS developer guide, "Key matching"); that raises another alarm.
            Left out: no such queue.
        topic: An existing topic to subscribe to; its policy, key, TLS and alarms are its owner's. Left out: one is
            made.
        encryption_key: Customer-managed key for topic and queues. Left out: one is made. SNS is allowed to use it;
            the policy of an imported key cannot be changed here and must allow ``sns.amazonaws.com`` to
            ``kms:Decrypt`` and ``kms:GenerateDataKey*``.
        removal_policy: What happens to the key made here when the stack is deleted. Default RETAIN.

    Attributes:
        topic: The topic.
        encryption_key: The key of the queues, and of the topic unless that was brought.
        queues: Subscriber's name -> its queue.
        dead_letter_queues: Subscriber's name -> what its consumer failed at.
        delivery_dead_letter_queues: Subscriber's name -> what SNS could not put into its queue.
        unrouted_queue: Messages without ``required_attribute``; None without one.
        alarms: All alarms of the parts; hand them to an ``AlarmTopic``.

    Raises:
        ValueError: A prop is out of range, names collide, or ``topic`` is not as ``fifo`` says.

    Example:
        orders = SnsFanoutToSqs(stack, "Orders", subscribers=[Subscriber("billing"), Subscriber("shipping")])
        orders.grant_publish(checkout)
        orders.add_consumer("billing", worker.function)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        subscribers: Sequence[Subscriber],
        fifo: bool = False,
        content_based_deduplication: bool = False,
        required_attribute: str | None = None,
        topic: sns.ITopic | None = None,
        encryption_key: kms.IKey | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        not_empty("subscribers", subscribers)
        unique("subscribers (names)", [subscriber.construct_id for subscriber in subscribers])
        if required_attribute is not None:
            rule = "a message attribute: 1 to 256 letters, digits, '_', '-' and single '.' inside, not 'AWS.' first"
            matches("required_attribute", required_attribute, _ATTRIBUTE, rule)
        if content_based_deduplication and (not fifo or topic):
            raise ValueError("content_based_deduplication: must be False unless fifo is True and topic left out")
        if topic and _is_known(topic) and topic.fifo != fifo:
            raise ValueError(f"fifo: must be {topic.fifo} as of the topic {topic.node.path}, got {fifo}")

        self.encryption_key = encryption_key or kms.Key(
            self, "Key", enable_key_rotation=True, removal_policy=removal_policy
        )
        self.topic = topic or sns.Topic(
            self,
            "Topic",
            master_key=self.encryption_key,
            enforce_ssl=True,
            # SNS wants `FifoTopic: true` or no such property at all, so False becomes None.
            fifo=True if fifo else None,
            content_based_deduplication=True if content_based_deduplication else None,
        )
        let_sns_use(self.encryption_key, self.topic, self)
        self._visibility = {subscriber.name: subscriber.visibility for subscriber in subscribers}
        members = Construct(self, "Subscribers")
        routes = {
            subscriber.name: Route(
                members,
                subscriber.construct_id,
                topic=self.topic,
                encryption_key=self.encryption_key,
                fifo=fifo,
                visibility_timeout=subscriber.visibility,
                max_receive_count=subscriber.max_receive_count,
                filter_attributes=subscriber.attributes_with(required_attribute),
                filter_body=subscriber.filter_body,
            )
            for subscriber in subscribers
        }
        self.queues: Mapping[str, sqs.Queue] = {name: route.queue for name, route in routes.items()}
        self.dead_letter_queues: Mapping[str, sqs.Queue] = {
            name: route.dead_letter_queue for name, route in routes.items()
        }
        self.delivery_dead_letter_queues: Mapping[str, sqs.Queue] = {
            name: route.delivery_dead_letter_queue for name, route in routes.items()
        }
        self.alarms = [alarm for route in routes.values() for alarm in route.alarms]
        if not topic:
            says = "loses messages: neither a queue nor its delivery dead letters took them"
            self._alarm_when_any("LostAlarm", "NumberOfNotificationsFailedToRedriveToDlq", says)
        if not topic and required_attribute:
            says = "filters out messages that were published without any attribute"
            self._alarm_when_any("NoAttributesAlarm", "NumberOfNotificationsFilteredOut-NoMessageAttributes", says)
        self.unrouted_queue = self._unrouted(required_attribute, fifo=fifo) if required_attribute else None

    def grant_publish(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` publish: rights on the topic and on its key."""
        return self.topic.grant_publish(grantee)

    def grant_publish_to_service(self, service: str, source_arn: str) -> iam.Grant:
        """Let an AWS service publish on behalf of one of this account's resources, such as a bucket or a rule.

        The topic's policy names the resource. The key's policy names the service and account only, so that a resource
        which itself refers to the topic makes no cycle.

        Args:
            service: Principal, "s3.amazonaws.com".
            source_arn: ARN of the resource.

        Raises:
            ValueError: ``service`` is no service principal, or the topic is imported: its policy is its owner's.
        """
        imported = not isinstance(self.topic, sns.Topic)
        if imported:
            raise ValueError(
                f"topic: must be defined in this app to let a service in, got the imported {self.topic.node.path}; "
                "its owner must change its policy"
            )
        matches("service", service, r"[a-z0-9.-]+\.amazonaws\.com", "a service principal like 's3.amazonaws.com'")
        account = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        principal = iam.ServicePrincipal(service)
        if self.topic.master_key:
            self.topic.master_key.grant(principal.with_conditions(account), "kms:Decrypt", "kms:GenerateDataKey*")
        return iam.Grant.add_to_principal_or_resource(
            grantee=principal.with_conditions({"ArnEquals": {"aws:SourceArn": source_arn}, **account}),
            actions=["sns:Publish"],
            resource_arns=[self.topic.topic_arn],
            resource=self.topic,
        )

    def add_consumer(
        self, name: str, function: lambda_.IFunction, *, batch_size: int = 10, max_concurrency: int | None = None
    ) -> None:
        """Let a function work on a subscriber's queue; it must answer partial batch failures.

        Args:
            name: The subscriber.
            function: The consumer; its timeout may be a sixth of the subscriber's ``visibility_timeout`` at most.
            batch_size: Messages per invocation, 1-10. Default 10. With ``fifo``, 1 keeps a message that always fails
                from taking those behind it to the dead letters: all of its group in the batch count as delivered again.
            max_concurrency: Invocations at once, 2-1000. Left out: as many as Lambda allows.

        Raises:
            ValueError: There is no such subscriber, a value is out of range, or the visibility is too short.
        """
        one_of("name", name, self.queues)
        consume(
            self.queues[name],
            function,
            visibility=self._visibility[name],
            batch_size=batch_size,
            max_concurrency=max_concurrency,
            visibility_prop=f"visibility_timeout of {name!r}",
        )

    def _alarm_when_any(self, construct_id: str, metric: str, says: str) -> None:
        found = self.topic.metric(metric, period=Duration.minutes(5), statistic="Sum")
        self.alarms.append(alarm_when(self, construct_id, found, above=0, says=says))

    def _unrouted(self, attribute: str, *, fifo: bool) -> sqs.Queue:
        route = Route(
            self,
            "Unrouted",
            topic=self.topic,
            encryption_key=self.encryption_key,
            fifo=fifo,
            visibility_timeout=Duration.minutes(3),
            max_receive_count=3,
            filter_attributes={attribute: sns.SubscriptionFilter.not_exists_filter()},
            filter_body=None,
        )
        waiting = route.queue.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(1), statistic="Maximum"
        )
        says = f"holds messages that were published without the attribute {attribute!r}"
        self.alarms += [*route.alarms, alarm_when(self, "UnroutedAlarm", waiting, above=0, says=says)]
        return route.queue


def _is_known(topic: sns.ITopic) -> bool:
    """Whether it can be told at synth that a topic is FIFO: by its definition here, or by the end of its ARN."""
    return isinstance(topic, sns.Topic) or not Token.is_unresolved(topic.topic_arn)
