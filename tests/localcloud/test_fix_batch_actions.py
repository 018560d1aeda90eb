"""localcloud/fixes/batch_actions.py."""

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import ACCOUNT, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def send_ten(cloud: LocalCloud) -> int:
    """Send a batch under a role that may send messages; how many were accepted."""
    trust = probes.role("lambda.amazonaws.com", probes.allow("sqs:SendMessage"))
    trust["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    made = probes.deploy(cloud, {"Queue": {"Type": "AWS::SQS::Queue"}, "Sender": trust})
    entries = [{"Id": str(number), "MessageBody": "x"} for number in range(10)]
    sqs = probes.as_role(cloud, made["Sender"], "sqs")
    return len(sqs.send_message_batch(QueueUrl=made["Queue"], Entries=entries)["Successful"])


def test_who_may_send_one_may_send_ten(cloud: LocalCloud) -> None:
    assert send_ten(cloud) == 10


def test_the_emulator_alone_still_denies(bare: LocalCloud) -> None:
    with pytest.raises(ClientError, match=r"sqs:SendMessageBatch|AccessDenied"):
        send_ten(bare)
