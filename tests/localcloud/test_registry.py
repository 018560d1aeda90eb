"""localcloud/registry.py and resource_types: types that the emulator does not know."""

from collections.abc import Callable
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from localcloud.internals import EmulatorMismatchError
from localcloud.registry import Registry
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

GROUP = {
    "Group": {"Type": "AWS::IAM::Group"},
    "Ann": {"Type": "AWS::IAM::User"},
    "Members": {
        "Type": "AWS::IAM::UserToGroupAddition",
        "Properties": {"GroupName": {"Ref": "Group"}, "Users": [{"Ref": "Ann"}]},
    },
    "Alarm": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": "FALSE"}},
}


def test_adapter_relation_and_recorded_make_and_unmake(cloud: LocalCloud) -> None:
    iam = cloud.client("iam")
    made = probes.deploy(cloud, GROUP, GroupArn=("Group", "Arn"), AlarmArn=("Alarm", "Arn"))
    assert made["GroupArn"].endswith(f":group/{made['Group']}")
    assert made["AlarmArn"].endswith(f":alarm:{made['Alarm']}")
    assert [user["UserName"] for user in iam.get_group(GroupName=made["Group"])["Users"]] == [made["Ann"]]
    recorded = cloud.client("cloudcontrol").list_resources(TypeName="AWS::CloudWatch::CompositeAlarm")
    assert made["Alarm"] in [resource["Identifier"] for resource in recorded["ResourceDescriptions"]]

    probes.destroy(cloud)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_group(GroupName=made["Group"])


def test_what_the_service_refuses_fails_the_stack(cloud: LocalCloud) -> None:
    named: dict[str, Any] = {"Type": "AWS::IAM::Group", "Properties": {"GroupName": "twice"}}
    with pytest.raises(AssertionError, match=r"Second.*EntityAlreadyExists"):
        probes.deploy(cloud, {"First": named, "Second": named | {"DependsOn": "First"}})


def test_the_emulator_alone_still_knows_none_of_them(cloud: LocalCloud, bare: LocalCloud) -> None:
    assert cloud.ready.added
    assert not set(cloud.ready.added) & set(bare.ready.native)


@pytest.mark.parametrize(
    "add",
    [
        lambda registry: registry.recorded("AWS::SQS::Queue"),
        lambda registry: registry.relation("AWS::SQS::Queue", service="sqs", do=list, undo=list),
    ],
)
def test_a_native_type_is_never_overridden(add: Callable[[Registry], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "localcloud.registry.need", lambda *_names: __import__("types").SimpleNamespace(json=__import__("json"))
    )
    with pytest.raises(EmulatorMismatchError, match="handles AWS::SQS::Queue by itself"):
        add(Registry({"AWS::SQS::Queue": {}}))
