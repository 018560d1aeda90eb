"""localcloud/fixes/sender_identity.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import ACCOUNT, REGION, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def sender(cloud: LocalCloud, *identities: str) -> Any:
    """An SES client of a role that may send as the first of these identities alone."""
    arn = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{identities[0]}"
    role = probes.role("lambda.amazonaws.com", probes.allow("ses:SendEmail", arn))
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    role["Properties"]["AssumeRolePolicyDocument"]["Statement"] = [trust]
    made = probes.deploy(
        cloud,
        {
            "Role": role,
            **{
                f"Identity{number}": {"Type": "AWS::SES::EmailIdentity", "Properties": {"EmailIdentity": identity}}
                for number, identity in enumerate(identities)
            },
        },
    )
    return probes.as_role(cloud, made["Role"], "sesv2")


def send(ses: Any, address: str) -> str:
    simple = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}
    to = {"ToAddresses": ["success@simulator.amazonses.com"]}
    return str(ses.send_email(FromEmailAddress=address, Destination=to, Content={"Simple": simple})["MessageId"])


def test_who_may_send_as_one_identity_sends_as_that_one_alone(cloud: LocalCloud) -> None:
    ses = sender(cloud, "one@example.com", "two@example.com")
    assert send(ses, "one@example.com")
    with pytest.raises(ClientError, match=r"identity/two@example\.com"):
        send(ses, "two@example.com")


def test_an_address_of_a_domain_is_that_domain(cloud: LocalCloud) -> None:
    assert send(sender(cloud, "blog.example.org"), "Blog <news@blog.example.org>")


def test_the_emulator_alone_still_denies_it(bare: LocalCloud) -> None:
    with pytest.raises(ClientError, match="not authorized"):
        send(sender(bare, "one@example.com"), "one@example.com")
