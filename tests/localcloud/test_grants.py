"""localcloud/grants.py: whose grants a scenario's journey must use."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.cdk import DeployableStack
from localcloud.cloud import LocalCloud
from localcloud.grants import Grant, called_by_deployment, grants
from tests.localcloud import probes
from tests.localcloud.server_stack import resources

pytestmark = pytest.mark.cloud


def test_tasks_and_instances_have_grants_too(cloud: LocalCloud) -> None:
    probes.deploy(cloud, resources())
    deployed = {"OrderQueue": DeployableStack("OrderQueue", probes.newest(), Path())}
    one: Any = SimpleNamespace(client=cloud.client, stacks=deployed)
    found = {(grant.owner, grant.actions): grant.is_asked_for for grant in grants(one, "order-queue")}
    assert found == {
        ("Task", ("dynamodb:ListTables",)): True,
        ("Task", ("logs:CreateLogStream", "logs:PutLogEvents")): False,
        ("Task", ("secretsmanager:GetSecretValue",)): True,
        ("Profile", ("logs:CreateLogStream", "logs:PutLogEvents")): False,
    }
    probes.destroy(cloud)


def test_functions_of_custom_resources_are_called_by_the_deployment(cloud: LocalCloud) -> None:
    answers = (
        "import json, urllib.request\n"
        "def handler(event, context):\n"
        "    told = {name: event[name] for name in ('StackId', 'RequestId', 'LogicalResourceId')}\n"
        "    body = json.dumps(told | {'Status': 'SUCCESS', 'PhysicalResourceId': 'one'}).encode()\n"
        "    request = urllib.request.Request(event['ResponseURL'], body, {'Content-Type': ''}, method='PUT')\n"
        "    urllib.request.urlopen(request, timeout=10).close()\n"
    )
    template = {
        "Role": probes.role("lambda.amazonaws.com"),
        "Maker": probes.function(answers, "Role"),
        "Other": probes.function("def handler(event, context): return None\n", "Role"),
        "Made": {"Type": "Custom::Thing", "Properties": {"ServiceToken": probes.attribute("Maker")}},
        "Queue": {"Type": "AWS::SQS::Queue"},
    }
    probes.deploy(cloud, template)
    deployed = {"OrderQueue": DeployableStack("OrderQueue", probes.newest(), Path())}
    one: Any = SimpleNamespace(client=cloud.client, stacks=deployed)
    assert called_by_deployment(one, "order-queue") == {"Maker"}
    probes.destroy(cloud)


@pytest.mark.parametrize(("actions", "of_server", "asked"), [
    (("s3:GetObject",), False, True),
    (("s3:GetObject",), True, False),
    (("ecr:GetAuthorizationToken", "ssm:UpdateInstanceInformation"), True, False),
    (("ecr:BatchGetImage", "sqs:SendMessage"), True, True),
    (("xray:PutTraceSegments",), False, False),
])  # fmt: skip
def test_what_only_a_booting_server_uses_is_not_asked_for(
    actions: tuple[str, ...], of_server: bool, asked: bool
) -> None:
    assert Grant("Owner", "role", "policy", 0, actions, of_server).is_asked_for is asked
