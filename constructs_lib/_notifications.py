"""Events of a bucket to a topic or a queue, set by the CDK's custom resource, whose logs get a retention."""

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IDependable

# The CDK's id of that function, one per stack (aws-s3/lib/notifications-resource/notifications-resource-handler.ts).
HANDLER_ID = "BucketNotificationsHandler050a0587b7544547bf325f094a3db834"


def notify_of_created(
    scope: Construct, bucket: s3.IBucket, topic_arn: str, *, prefix: str, admitted: iam.Grant, heard_by: IDependable
) -> None:
    """Let the bucket publish what was created to a topic.

    Args:
        scope: Where what is defined here belongs.
        bucket: Of this stack, or imported into it; notifications that an imported bucket has are kept.
        topic_arn: The topic.
        prefix: Only keys that begin so; empty: all.
        admitted: The bucket's grant to publish. It comes first, since S3 tries the topic out when it is told of it.
        heard_by: The topic's subscribers. They come first, since what nobody hears is lost.
    """
    # Named by its ARN, so that the CDK leaves its policy and key alone: what it would add to the key (by feature flag)
    # admits S3 on behalf of anybody.
    destination = notifications.SnsDestination(sns.Topic.from_topic_arn(scope, "Destination", topic_arn))
    filters = [s3.NotificationKeyFilter(prefix=prefix)] if prefix else []
    bucket.add_event_notification(s3.EventType.OBJECT_CREATED, destination, *filters)
    notification = bucket.node.find_child("Notifications").node.find_child("Resource")
    admitted.apply_before(notification)
    notification.node.add_dependency(heard_by)
    handler = Stack.of(bucket).node.try_find_child(HANDLER_ID)
    if isinstance(handler, Construct):
        keep_its_logs(handler)


def queue_created(
    scope: Construct, bucket: s3.Bucket, queue: sqs.Queue, *, prefix: str, suffix: str | None = None
) -> None:
    """Let the bucket tell a queue of what was created.

    Args:
        scope: Where what is defined here belongs.
        bucket: Of this stack.
        queue: Of this stack; its policy admits this bucket alone.
        prefix: Only keys that begin so,
        suffix: and that end so. Left out: however they end.
    """
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AllowEventsOfTheBucket",
            principals=[iam.ServicePrincipal("s3.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={
                "ArnLike": {"aws:SourceArn": bucket.bucket_arn},
                "StringEquals": {"aws:SourceAccount": Stack.of(bucket).account},
            },
        )
    )
    # Named by its ARN, since the CDK would add to the policy what is already there, without the account.
    named = sqs.Queue.from_queue_arn(scope, "Destination", queue.queue_arn)
    only = s3.NotificationKeyFilter(prefix=prefix, suffix=suffix)
    bucket.add_event_notification(s3.EventType.OBJECT_CREATED, notifications.SqsDestination(named), only)
    # S3 tries the queue out when it is told of it.
    notification = bucket.node.find_child("Notifications").node.find_child("Resource")
    notification.node.add_dependency(queue.node.find_child("Policy"))
    handler = Stack.of(bucket).node.try_find_child(HANDLER_ID)
    if isinstance(handler, Construct):
        keep_its_logs(handler)


def keep_its_logs(handler: Construct) -> None:
    """A log group with retention and the right to write to it alone, instead of a managed policy for all log groups.

    A handler whose role was brought by somebody else is left as it is. Its other right, ``s3:PutBucketNotification``,
    the CDK grants for each bucket by itself.
    """
    role = handler.node.try_find_child("Role")
    function = handler.node.try_find_child("Resource")
    if not isinstance(role, iam.Role) or not isinstance(function, CfnResource) or handler.node.try_find_child("Logs"):
        return
    log_group = logs.LogGroup(
        handler, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
    )
    log_group.grant_write(role)
    resource = role.node.default_child
    if isinstance(resource, iam.CfnRole):
        resource.managed_policy_arns = None
    function.add_property_override("LoggingConfig", {"LogGroup": log_group.log_group_name})
