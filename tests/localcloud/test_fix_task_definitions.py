"""localcloud/fixes/task_definitions.py."""

from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from localcloud.fixes.task_definitions import spell
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def definition(revision: str = "1") -> dict[str, Any]:
    container = {
        "Name": "web",
        "Image": "web",
        "Environment": [{"Name": "REVISION", "Value": revision}],
        "Secrets": [{"Name": "PASSWORD", "ValueFrom": "arn:aws:secretsmanager:us-east-1:000000000000:secret:a"}],
        "ReadonlyRootFilesystem": True,
        "HealthCheck": {"Command": ["CMD", "check"], "StartPeriod": 5},
        "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": "g", "Mode": "non-blocking"}},
        "DockerLabels": {"Own": "kept"},
    }
    volume = {"Name": "files", "EFSVolumeConfiguration": {"FilesystemId": "fs-1", "TransitEncryption": "ENABLED"}}
    properties = {
        "Family": "spelled",
        "ContainerDefinitions": [container],
        "Volumes": [volume],
        "RuntimePlatform": {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"},
    }
    return {"Type": "AWS::ECS::TaskDefinition", "Properties": properties}


def read(cloud: LocalCloud, arn: str) -> Any:
    return cloud.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]


def test_everything_is_read_back(cloud: LocalCloud) -> None:
    found = read(cloud, probes.deploy(cloud, {"Task": definition()})["Task"])
    (container,) = found["containerDefinitions"]
    assert [one["name"] for one in container["secrets"]] == ["PASSWORD"]
    assert container["healthCheck"] == {"command": ["CMD", "check"], "startPeriod": 5}
    assert container["logConfiguration"]["options"] == {"awslogs-group": "g", "Mode": "non-blocking"}
    assert (container["dockerLabels"], container["readonlyRootFilesystem"]) == ({"Own": "kept"}, True)
    assert found["volumes"][0]["efsVolumeConfiguration"]["fileSystemId"] == "fs-1"
    assert found["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    changed = read(cloud, probes.update(cloud, {"Task": definition("2")})["Task"])
    assert changed["revision"] == found["revision"] + 1
    assert changed["containerDefinitions"][0]["environment"] == [{"name": "REVISION", "value": "2"}]
    assert changed["containerDefinitions"][0]["secrets"] == container["secrets"]


def test_spelling() -> None:
    assert spell({"A": [{"BigName": 1}], "Options": {"Kept": 1}}) == {"a": [{"bigName": 1}], "options": {"Kept": 1}}


def test_the_emulator_alone_still_loses_it(bare: LocalCloud) -> None:
    found = read(bare, probes.deploy(bare, {"Task": definition()})["Task"])
    assert found["containerDefinitions"][0]["secrets"] == [{}]
    assert found["volumes"][0].get("efsVolumeConfiguration") is None
    assert "runtimePlatform" not in found
