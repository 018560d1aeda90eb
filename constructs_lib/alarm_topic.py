"""One place that alarms of a stack speak to."""

from collections.abc import Iterable

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from constructs_lib._checks import matches


class AlarmTopic(Construct):
    """A topic that tells people of alarms.

    Defines an encrypted topic (TLS demanded by policy) and its customer-managed key, which CloudWatch needs: alarms
    cannot publish to a topic under the key that AWS manages (source: Amazon SNS developer guide, "Key management").

    Args:
        email: Address that is told; it confirms once. Left out: nobody is subscribed yet.

    Attributes:
        topic: The topic.
        encryption_key: Its key.

    Raises:
        ValueError: ``email`` is no address.

    Example:
        AlarmTopic(stack, "Alarms", email="oncall@example.com").watch(jobs.alarms)
    """

    def __init__(self, scope: Construct, construct_id: str, *, email: str | None = None) -> None:
        super().__init__(scope, construct_id)
        if email is not None:
            matches("email", email, r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address")
        self.encryption_key = kms.Key(self, "Key", enable_key_rotation=True)
        self.topic = sns.Topic(self, "Topic", master_key=self.encryption_key, enforce_ssl=True)
        self.encryption_key.grant(
            iam.ServicePrincipal("cloudwatch.amazonaws.com"), "kms:Decrypt", "kms:GenerateDataKey*"
        )
        if email:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))

    def watch(self, *alarms: Iterable[cloudwatch.Alarm]) -> None:
        """Let each of these alarms speak to the topic when it is raised and when it is over."""
        action = actions.SnsAction(self.topic)
        for group in alarms:
            for alarm in group:
                alarm.add_alarm_action(action)
                alarm.add_ok_action(action)
