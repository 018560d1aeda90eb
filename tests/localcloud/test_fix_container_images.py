"""localcloud/fixes/container_images.py."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import ACCOUNT, LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def resources() -> dict[str, Any]:
    """Two repositories and somebody who may see the first."""
    rights = probes.allow(["ecr:DescribeRepositories", "ecr:DescribeImages"], probes.attribute("Own"))
    reader = probes.role("ecs-tasks.amazonaws.com", rights)
    reader["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    return {"Own": {"Type": "AWS::ECR::Repository"}, "Other": {"Type": "AWS::ECR::Repository"}, "Reader": reader}


def test_a_grant_on_one_repository_is_one_on_it_alone(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources())
    ecr = probes.as_role(cloud, made["Reader"], "ecr")
    (found,) = ecr.describe_repositories(repositoryNames=[made["Own"]])["repositories"]
    assert found["repositoryName"] == made["Own"]
    assert ecr.describe_images(repositoryName=made["Own"])["imageDetails"] == []
    for call in (
        lambda: ecr.describe_repositories(repositoryNames=[made["Other"]]),
        lambda: ecr.describe_images(repositoryName=made["Other"]),
        ecr.describe_repositories,
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


def test_an_image_that_is_not_there_is_not_found(cloud: LocalCloud) -> None:
    made = probes.deploy(cloud, resources())
    ecr = cloud.client("ecr")
    with pytest.raises(ClientError, match="ImageNotFoundException"):
        ecr.describe_images(repositoryName=made["Own"], imageIds=[{"imageTag": "one"}])
    ecr.put_image(repositoryName=made["Own"], imageManifest="{}", imageTag="one")
    (found,) = ecr.describe_images(repositoryName=made["Own"], imageIds=[{"imageTag": "one"}])["imageDetails"]
    assert found["imageTags"] == ["one"]


def test_the_emulator_alone_still_does_neither(bare: LocalCloud) -> None:
    made = probes.deploy(bare, resources())
    found = bare.client("ecr").describe_images(repositoryName=made["Own"], imageIds=[{"imageTag": "one"}])
    assert found["imageDetails"] == []
    with pytest.raises(ClientError, match="AccessDenied"):
        probes.as_role(bare, made["Reader"], "ecr").describe_repositories(repositoryNames=[made["Own"]])
