"""One place that alarms of a stack speak to."""

from collections.abc import Iterable

from aws_cdk import ArnFormat, RemovalPolicy, Stack
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

    Defines an encrypted topic (TLS demanded by policy, alarms of this account and region admitted) and its
    customer-managed key, which CloudWatch needs: alarms cannot publish to a topic under the key that AWS manages
    (source: Amazon SNS developer guide, "Key management").

    Args:
        email: Address that is told; it confirms once. Left out: nobody is subscribed yet.
        removal_policy: What happens to the key when the stack is deleted. Default RETAIN.

    Attributes:
        topic: The topic.
        encryption_key: Its key.

    Raises:
        ValueError: ``email`` is no address.

    Example:
        AlarmTopic(stack, "Alarms", email="oncall@example.com").watch(jobs.alarms)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        email: str | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        if email is not None:
            matches("email", email, r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address")
        self.encryption_key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=removal_policy)
        self.topic = sns.Topic(self, "Topic", master_key=self.encryption_key, enforce_ssl=True)
        # A policy of one's own replaces the default one, which had let the account's alarms in.
        self.admit("cloudwatch.amazonaws.com", _any_alarm(self), sid="AllowAlarmsOfThisAccount")
        if email:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))

    def watch(self, *alarms: Iterable[cloudwatch.Alarm]) -> None:
        """Let each of these alarms speak to the topic when it is raised and when it is over."""
        action = actions.SnsAction(self.topic)
        for group in alarms:
            for alarm in group:
                alarm.add_alarm_action(action)
                alarm.add_ok_action(action)

    def admit(self, service: str, source_arn: str, *, sid: str | None = None) -> None:
        """Let a service of AWS ("events.rds.amazonaws.com") speak to the topic about one resource of this account.

        Args:
            service: The service's principal.
            source_arn: What it may speak about.
            sid: The statement's name in the topic's policy. Left out: none.
        """
        principal = iam.ServicePrincipal(service)
        self.encryption_key.grant(principal, "kms:Decrypt", "kms:GenerateDataKey*")
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[principal],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                    "ArnLike": {"aws:SourceArn": source_arn},
                },
            )
        )


def _any_alarm(scope: Construct) -> str:
    return Stack.of(scope).format_arn(
        service="cloudwatch", resource="alarm", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
