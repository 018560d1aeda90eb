"""localcloud/fixes/phone_and_mail_subscriptions.py."""

import json
from typing import Any

import pytest
import urllib3

from localcloud.cloud import ACCOUNT, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

PHONE, MAIL = "+4915112345678", "someone@example.com"


def publish(cloud: LocalCloud) -> tuple[list[str], list[str]]:
    """Publish two messages to subscribers of one colour; the texts and mails that they got."""
    red = {"FilterPolicy": {"colour": ["red"]}, "TopicArn": {"Ref": "Topic"}}
    made = probes.deploy(
        cloud,
        {
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Phone": {"Type": "AWS::SNS::Subscription", "Properties": red | {"Protocol": "sms", "Endpoint": PHONE}},
            "Mail": {"Type": "AWS::SNS::Subscription", "Properties": red | {"Protocol": "email", "Endpoint": MAIL}},
        },
    )
    for colour in ("red", "blue"):
        attributes = {"colour": {"DataType": "String", "StringValue": colour}}
        cloud.client("sns").publish(TopicArn=made["Topic"], Message=colour, MessageAttributes=attributes)
    texts = shown(cloud, "sns/sms-messages")["sms_messages"].get(PHONE, [])
    mails = shown(cloud, "ses/messages")["messages"].get(ACCOUNT, [])
    return [text["Message"] for text in texts], [mail["BodyText"] for mail in mails if mail["To"] == [MAIL]]


def shown(cloud: LocalCloud, path: str) -> Any:
    """What one of the emulator's own pages shows."""
    with urllib3.PoolManager(ca_certs=str(cloud.ca_bundle)) as pool:
        return json.loads(pool.request("GET", f"{cloud.endpoint_url}/_ministack/{path}", retries=False).data)


def test_phones_and_mailboxes_get_what_their_filter_matches(cloud: LocalCloud) -> None:
    assert publish(cloud) == (["red"], ["red"])


def test_the_emulator_alone_still_delivers_to_neither(bare: LocalCloud) -> None:
    assert publish(bare) == ([], [])
