"""localcloud/fixes/prompt_stack_status.py."""

import json
import time

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

# A custom resource that takes a moment.
SOURCE = """
import json, time, urllib.request
def handler(event, context):
    time.sleep(0.5)
    answer = {"Status": "SUCCESS", "PhysicalResourceId": "x"}
    answer |= {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")
    urllib.request.urlopen(request).read()
"""


def first_status(cloud: LocalCloud) -> str:
    """What the first question after the start of a deployment of half a second is answered."""
    resources = {
        "Role": probes.role("lambda.amazonaws.com"),
        "Function": probes.function(SOURCE, "Role"),
        "Slow": {
            "Type": "AWS::CloudFormation::CustomResource",
            "Properties": {"ServiceToken": probes.attribute("Function"), "ServiceTimeout": 20},
        },
    }
    name = f"slow-{time.monotonic_ns()}"
    formation = cloud.client("cloudformation")
    formation.create_stack(
        StackName=name, TemplateBody=json.dumps({"Resources": resources}), Capabilities=["CAPABILITY_IAM"]
    )
    return str(formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])


def test_the_first_answer_is_the_end(cloud: LocalCloud) -> None:
    assert first_status(cloud) == "CREATE_COMPLETE"


def test_the_emulator_alone_still_answers_at_once(bare: LocalCloud) -> None:
    assert first_status(bare) == "CREATE_IN_PROGRESS"
