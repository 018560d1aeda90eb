"""One way out of a fan-out: subscription, queue and both kinds of dead letters."""

from collections.abc import Mapping

from aws_cdk import Annotations, Duration, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when
from constructs_lib.queue_with_dlq import QueueWithDlq


class Route(Construct):
    """A queue that one topic, and nobody else, delivers to.

    Two kinds of dead letters: ``dead_letter_queue`` gets what the consumer failed at, ``delivery_dead_letter_queue``
    what SNS could not hand over to the queue (its policy or key changed, say).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        encryption_key: kms.IKey,
        fifo: bool,
        visibility_timeout: Duration,
        max_receive_count: int,
        filter_attributes: Mapping[str, sns.SubscriptionFilter] | None,
        filter_body: Mapping[str, sns.FilterOrPolicy] | None,
    ) -> None:
        super().__init__(scope, construct_id)
        messages = QueueWithDlq(
            self,
            "Messages",
            visibility_timeout=visibility_timeout,
            max_receive_count=max_receive_count,
            fifo=fifo,
            encryption_key=encryption_key,
        )
        self.queue = messages.queue
        self.dead_letter_queue = messages.dead_letter_queue
        self.delivery_dead_letter_queue = sqs.Queue(
            self,
            "DeliveryDeadLetters",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=encryption_key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            fifo=True if fifo else None,
        )
        acknowledge(
            self.delivery_dead_letter_queue,
            {
                "AwsSolutions-SQS3": "It is the dead-letter queue of an SNS subscription, which the rule does not see.",
                "Serverless-SQSRedrivePolicy": "It is where messages end: another queue behind it would hide them.",
            },
        )
        # Not SqsSubscription: it lets SNS use the queue's key for any topic, or (by feature flag) names the topic in
        # the key's policy, which is a cycle when topic and queue share the key.
        may_deliver = self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sqs:SendMessage"],
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
            )
        )
        subscription = sns.Subscription(
            self,
            "Subscription",
            topic=topic,
            protocol=sns.SubscriptionProtocol.SQS,
            endpoint=self.queue.queue_arn,
            raw_message_delivery=True,
            filter_policy=filter_attributes,
            filter_policy_with_message_body=filter_body,
            dead_letter_queue=self.delivery_dead_letter_queue,
            region=_other_region(self, topic),
        )
        if may_deliver.policy_dependable:
            # A message published between the two would be refused.
            subscription.node.add_dependency(may_deliver.policy_dependable)
        undelivered = self.delivery_dead_letter_queue.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(1), statistic="Maximum"
        )
        says = "has messages that SNS could not deliver"
        self.alarms = [*messages.alarms, alarm_when(self, "UndeliveredAlarm", undelivered, above=0, says=says)]


def _other_region(scope: Construct, topic: sns.ITopic) -> str | None:
    """The region of a topic that is known to be in another one, as CloudFormation then wants it."""
    region = topic.env.region
    return None if Token.is_unresolved(region) or region == Stack.of(scope).region else region


def let_sns_use(key: kms.IKey, topic: sns.ITopic, scope: Construct) -> None:
    """Let SNS put messages into queues under ``key``; a warning when that must be said elsewhere.

    Which topic is said by the queues' policies. Said here too, a topic under this very key would be a cycle, so that
    this names the topics of its account and region.
    """
    region, account = topic.env.region, topic.env.account
    topics = Stack.of(scope).format_arn(service="sns", region=region, account=account, resource="*")
    added = key.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            principals=[iam.ServicePrincipal("sns.amazonaws.com")],
            resources=["*"],
            conditions={"ArnLike": {"aws:SourceArn": topics}},
        )
    )
    if not added.statement_added:
        Annotations.of(scope).add_warning_v2(
            "constructs_lib:SnsFanoutToSqs.importedKey",
            "encryption_key: its policy cannot be changed here; it must allow sns.amazonaws.com to kms:Decrypt and "
            "kms:GenerateDataKey*, or nothing is delivered",
        )
