"""localcloud/fixes/event_source_rights.py."""

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

RIGHTS = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


def consumed(cloud: LocalCloud, *rights: str, key: bool = False, seconds: float = 5) -> bool:
    """Whether a function whose role has these rights is fed by its queue."""
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": probes.attribute("Key")} if key else {}},
        "Role": probes.role("lambda.amazonaws.com", probes.allow(list(rights))),
        "Function": probes.function("def handler(event, context): return 1", "Role"),
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {"EventSourceArn": probes.attribute("Queue"), "FunctionName": {"Ref": "Function"}},
        },
    }
    made = probes.deploy(cloud, resources | ({"Key": probes.key()} if key else {}))
    sqs = cloud.client("sqs")
    sqs.send_message(QueueUrl=made["Queue"], MessageBody="x")

    def gone() -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        left = sqs.get_queue_attributes(QueueUrl=made["Queue"], AttributeNames=names)["Attributes"]
        return all(left[name] == "0" for name in names)

    return probes.eventually(gone, seconds)


def test_a_role_with_every_right_is_fed(cloud: LocalCloud) -> None:
    assert consumed(cloud, *RIGHTS)
    assert consumed(cloud, *RIGHTS, "kms:Decrypt", key=True)


@pytest.mark.parametrize("missing", RIGHTS)
def test_a_role_that_lacks_one_is_not(cloud: LocalCloud, missing: str) -> None:
    assert not consumed(cloud, *(right for right in RIGHTS if right != missing), seconds=1.5)


def test_the_key_of_an_encrypted_queue_is_asked_too(cloud: LocalCloud) -> None:
    assert not consumed(cloud, *RIGHTS, key=True, seconds=1.5)


def test_the_emulator_alone_still_feeds_anybody(bare: LocalCloud) -> None:
    assert consumed(bare, "s3:GetObject")
