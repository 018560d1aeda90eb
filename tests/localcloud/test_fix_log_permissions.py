"""localcloud/fixes/log_permissions.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import ACCOUNT, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def resources(*actions: str) -> dict[str, Any]:
    """Two log groups and somebody who may do this to the first."""
    writer = probes.role("ec2.amazonaws.com", probes.allow(list(actions), probes.attribute("Own")))
    writer["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    log_group = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}}
    return {"Own": log_group, "Other": log_group, "Writer": writer}


def write(client: Any, group: str) -> None:
    client.create_log_stream(logGroupName=group, logStreamName="s")
    client.put_log_events(logGroupName=group, logStreamName="s", logEvents=[{"timestamp": 1, "message": "hello"}])


def test_a_grant_on_a_group_is_one_on_its_streams(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources("logs:CreateLogStream", "logs:PutLogEvents"))
    logs = probes.as_role(cloud, made["Writer"], "logs")
    write(logs, made["Own"])
    with pytest.raises(ClientError, match="AccessDenied"):
        write(logs, made["Other"])


def test_each_right_is_asked_for(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources("logs:CreateLogStream"))
    with pytest.raises(ClientError, match="PutLogEvents"):
        write(probes.as_role(cloud, made["Writer"], "logs"), made["Own"])


def test_the_emulator_alone_still_denies_it(bare: LocalCloud) -> None:
    made = probes.deploy(bare, resources("logs:CreateLogStream", "logs:PutLogEvents"))
    with pytest.raises(ClientError, match="CreateLogStream"):
        write(probes.as_role(bare, made["Writer"], "logs"), made["Own"])
