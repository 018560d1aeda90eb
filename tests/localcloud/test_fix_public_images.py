"""localcloud/fixes/public_images.py."""

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud

pytestmark = pytest.mark.cloud

ROOT = "/aws/service/ami-amazon-linux-latest"
KERNELS = ("al2023-ami-kernel-default", "al2023-ami-kernel-6.1")


def image(cloud: LocalCloud, name: str) -> str:
    return str(cloud.client("ssm").get_parameter(Name=f"{ROOT}/{name}")["Parameter"]["Value"])


def test_images_for_both_processors(cloud: LocalCloud) -> None:
    found = {image(cloud, f"{kernel}-{processor}") for kernel in KERNELS for processor in ("arm64", "x86_64")}
    assert len(found) == 4
    assert all(one.startswith("ami-") for one in found)


def test_the_emulator_alone_still_lacks_most(bare: LocalCloud) -> None:
    assert image(bare, "al2023-ami-kernel-default-x86_64")
    for name in ("al2023-ami-kernel-default-arm64", "al2023-ami-kernel-6.1-x86_64"):
        with pytest.raises(ClientError, match="ParameterNotFound"):
            image(bare, name)


def test_the_list_of_cloudfront_s_addresses_is_there_by_itself(cloud: LocalCloud) -> None:
    name = "com.amazonaws.global.cloudfront.origin-facing"
    filters = [{"Name": "prefix-list-name", "Values": [name]}]
    (found,) = cloud.client("ec2").describe_managed_prefix_lists(Filters=filters)["PrefixLists"]
    assert (found["PrefixListName"], found["PrefixListId"][:3]) == (name, "pl-")
