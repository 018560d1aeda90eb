"""localcloud/fixes/vpc_attributes.py."""

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud
RANGE = {"CidrBlock": "10.7.0.0/16"}
VPC = {"Type": "AWS::EC2::VPC", "Properties": RANGE}


def test_a_template_may_ask_for_a_vpcs_range(cloud: LocalCloud) -> None:
    try:
        assert probes.deploy(cloud, {"Vpc": VPC}, Range=("Vpc", "CidrBlock"))["Range"] == "10.7.0.0/16"
        tagged = {**VPC, "Properties": {**RANGE, "Tags": [{"Key": "a", "Value": "b"}]}}
        assert probes.update(cloud, {"Vpc": tagged}, Range=("Vpc", "CidrBlock"))["Range"] == "10.7.0.0/16"
    finally:
        probes.destroy(cloud)


def test_the_bare_emulator_still_refuses_it(bare: LocalCloud) -> None:
    with pytest.raises(AssertionError, match="Requested attribute CidrBlock"):
        probes.deploy(bare, {"Vpc": VPC}, Range=("Vpc", "CidrBlock"))
