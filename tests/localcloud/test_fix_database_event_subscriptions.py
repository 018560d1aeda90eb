"""localcloud/fixes/database_event_subscriptions.py and resource_types/rds.py."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from tests.localcloud import databases, probes

pytestmark = pytest.mark.cloud


def template(*, admitted: bool = True, **properties: Any) -> dict[str, Any]:
    """A database, a subscription to its events, and a queue that hears them."""
    events: dict[str, Any] = {
        "SnsTopicArn": {"Ref": "Topic"},
        "SourceType": "db-instance",
        "SourceIds": [{"Ref": "Database"}],
        "EventCategories": ["notification"],
    }
    publish = {"Principal": {"Service": "events.rds.amazonaws.com" if admitted else "s3.amazonaws.com"}}
    send = probes.allow("sqs:SendMessage") | {"Principal": {"Service": "sns.amazonaws.com"}}
    heard = {"TopicArn": {"Ref": "Topic"}, "Protocol": "sqs", "Endpoint": probes.attribute("Queue")}
    return {
        "Database": databases.instance(MasterUsername="owner", MasterUserPassword="first-one"),
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Admits": policy("AWS::SNS::TopicPolicy", "Topics", "Topic", probes.allow("sns:Publish") | publish),
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Takes": policy("AWS::SQS::QueuePolicy", "Queues", "Queue", send),
        "Heard": {"Type": "AWS::SNS::Subscription", "Properties": heard | {"RawMessageDelivery": True}},
        "Events": {"Type": "AWS::RDS::EventSubscription", "Properties": events | properties},
    }


def policy(resource_type: str, key: str, logical: str, statement: dict[str, Any]) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": resource_type, "Properties": {key: [{"Ref": logical}], "PolicyDocument": document}}


def heard(cloud: LocalCloud, queue: str) -> list[str]:
    return [json.loads(body)["Event Message"] for body in probes.bodies(cloud, queue, seconds=1)]


@pytest.mark.lifecycle("AWS::RDS::EventSubscription")
def test_a_topic_is_told_of_what_it_asked_for(cloud: LocalCloud) -> None:
    rds = cloud.client("rds")
    made = probes.deploy(cloud, template())

    def read() -> Any:
        (found,) = rds.describe_event_subscriptions(SubscriptionName=made["Events"])["EventSubscriptionsList"]
        return found

    told = read()
    assert (told["SnsTopicArn"], told["SourceIdsList"]) == (made["Topic"], [made["Database"]])
    assert (told["EventCategoriesList"], told["Enabled"]) == (["notification"], True)
    rds.stop_db_instance(DBInstanceIdentifier=made["Database"])
    (message,) = [json.loads(body) for body in probes.bodies(cloud, made["Queue"])]
    assert (message["Source ID"], message["Event Message"]) == (made["Database"], "DB instance stopped")
    assert message["Event ID"].endswith("#RDS-EVENT-0087")

    assert probes.update(cloud, template(EventCategories=["availability"]))["Events"] == made["Events"]
    assert read()["EventCategoriesList"] == ["availability"]
    rds.start_db_instance(DBInstanceIdentifier=made["Database"])
    assert heard(cloud, made["Queue"]) == [], "it is another category"
    rds.reboot_db_instance(DBInstanceIdentifier=made["Database"])
    assert heard(cloud, made["Queue"]) == ["DB instance restarted"]
    probes.update(cloud, template(EventCategories=["availability"], Enabled=False))
    rds.reboot_db_instance(DBInstanceIdentifier=made["Database"])
    assert heard(cloud, made["Queue"]) == []
    probes.update(cloud, template(admitted=False, EventCategories=["availability"], Enabled=True))
    rds.reboot_db_instance(DBInstanceIdentifier=made["Database"])
    assert heard(cloud, made["Queue"]) == [], "the topic's policy does not let RDS in"
    probes.destroy(cloud)
    with pytest.raises(ClientError, match="SubscriptionNotFound"):
        rds.describe_event_subscriptions(SubscriptionName=made["Events"])


def test_a_topic_that_is_not_there_is_refused(cloud: LocalCloud) -> None:
    with pytest.raises(ClientError, match="SNSTopicArnNotFound"):
        cloud.client("rds").create_event_subscription(
            SubscriptionName="nobody", SnsTopicArn="arn:aws:sns:us-east-1:000000000000:nobody"
        )


def test_the_emulator_alone_still_has_none(bare: LocalCloud) -> None:
    with pytest.raises(ClientError, match="InvalidAction"):
        bare.client("rds").describe_event_subscriptions()
