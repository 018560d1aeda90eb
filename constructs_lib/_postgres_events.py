"""What RDS tells of instances by itself: failovers, failures, low storage, recoveries, replication that ended."""

from collections.abc import Sequence

from aws_cdk import aws_rds as rds
from constructs import Construct

from constructs_lib.alarm_topic import AlarmTopic

# Source: Amazon RDS user guide, "Amazon RDS event categories and event messages", for DB instances.
_EVENTS = ("availability", "failover", "failure", "low storage", "notification", "recovery", "restoration")
# Of a replica whose replication ended; its lag is then told as -1, which is no alarm.
_REPLICA_EVENTS = "read replica"


def tell(
    scope: Construct, primary: rds.IDatabaseInstance, replicas: Sequence[rds.IDatabaseInstance], alarm_topic: AlarmTopic
) -> None:
    """Define the child "Events", a subscription, and let RDS speak to the topic about these instances.

    Source: Amazon RDS user guide, "Granting permissions to publish notifications to an Amazon SNS topic"; Amazon
    SNS developer guide, "Key management", for the service that must be let use the topic's key.
    """
    instances = [primary, *replicas]
    for one in instances:
        alarm_topic.admit("events.rds.amazonaws.com", one.instance_arn)
    rds.CfnEventSubscription(
        scope,
        "Events",
        sns_topic_arn=alarm_topic.topic.topic_arn,
        source_type="db-instance",
        source_ids=[one.instance_identifier for one in instances],
        event_categories=[*_EVENTS, *([_REPLICA_EVENTS] if replicas else [])],
    ).node.add_dependency(alarm_topic.topic.node.find_child("Policy"))
