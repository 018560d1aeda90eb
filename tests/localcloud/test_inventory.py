"""localcloud/inventory.py, cdk.py and differences.py: what a cloud assembly holds and who makes it here."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from localcloud import cdk, differences, inventory
from localcloud.emulator import Ready
from localcloud.errors import LocalCloudError

READY = Ready(
    pid=1,
    port=4566,
    plain_port=4567,
    python="3.11",
    machine="x86_64",
    emulator="1.0",
    native=["AWS::SQS::Queue", "AWS::CloudFormation::Stack"],
    added={"AWS::IAM::Group": "adapter", "AWS::CloudWatch::CompositeAlarm": "recorded"},
    fixes=["a_fix"],
)


def stack(*types: str) -> cdk.DeployableStack:
    """A stack with resources of these types."""
    return cdk.DeployableStack("Probe", "Probe", Path("none"), list(types))


def test_resources_are_counted_by_who_makes_them() -> None:
    types = ["AWS::SQS::Queue", "AWS::SQS::Queue", "AWS::IAM::Group", "AWS::CloudWatch::CompositeAlarm", "Custom::X"]
    assert inventory.count(stack(*types), READY) == {"native": 3, "adapter": 1, "recorded": 1}
    assert inventory.recorded([stack(*types)], READY) == ["AWS::CloudWatch::CompositeAlarm"]
    inventory.refuse_unknown([stack(*types)], READY)


def test_unknown_types_are_refused_with_their_list() -> None:
    with pytest.raises(
        LocalCloudError, match=r"2 resource type.*AWS::A::B \(Probe\), AWS::C::D \(Probe\); add them in"
    ):
        inventory.refuse_unknown([stack("AWS::C::D", "AWS::SQS::Queue", "AWS::A::B", "AWS::A::B")], READY)


def test_the_table_tells_what_is_only_recorded() -> None:
    told = dict(differences.rows(READY, [stack("AWS::CloudWatch::CompositeAlarm")]))
    assert told["recorded only"] == "AWS::CloudWatch::CompositeAlarm"
    assert "Python 3.11" in told["functions"]
    none = dict(differences.rows(READY, [stack("AWS::SQS::Queue")]))["recorded only"]
    assert none == "no resource: the emulator's API knows each", "that something runs behind each nobody can say"


@pytest.mark.parametrize(
    ("resource_type", "row", "told"),
    [
        ("AWS::RDS::DBInstance", "databases", "PostgreSQL"),
        ("AWS::ElastiCache::ServerlessCache", "caches", "Redis"),
        ("AWS::ECS::Service", "containers", "images are not built"),
        ("AWS::AutoScaling::AutoScalingGroup", "instances", "processes of this machine"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "load balancers", "health checks"),
        ("AWS::EFS::FileSystem", "file systems", "folders of this machine"),
        ("AWS::EC2::VPC", "networks", "no packet is routed"),
        ("AWS::Backup::BackupPlan", "backup plans", "nobody keeps to them"),
    ],
)
def test_the_table_tells_of_what_there_is(resource_type: str, row: str, told: str) -> None:
    ready = replace(READY, added=READY.added | {"AWS::ElastiCache::ServerlessCache": "adapter"})
    assert told in dict(differences.rows(ready, [stack(resource_type)]))[row]
    assert row not in dict(differences.rows(ready, [stack("AWS::SQS::Queue")]))


def test_the_table_tells_of_an_edge_before_servers_alone() -> None:
    edge, balancer = "AWS::CloudFront::Distribution", "AWS::ElasticLoadBalancingV2::LoadBalancer"
    assert "a stand-in's cache" in dict(differences.rows(READY, [stack(edge, balancer)]))["edge"]
    assert "edge" not in dict(differences.rows(READY, [stack(edge)]))


def template(folder: Path, name: str, **resources: dict[str, Any]) -> None:
    """Write a template."""
    (folder / name).write_text(json.dumps({"Resources": resources}))


def test_the_stacks_of_an_assembly_are_read_with_nested_ones(tmp_path: Path) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "inner.json"}}
    template(tmp_path, "outer.json", A={"Type": "AWS::SQS::Queue"}, B=nested, C={"Type": "AWS::CDK::Metadata"})
    template(tmp_path, "inner.json", D={"Type": "AWS::IAM::Group"})
    properties = {"templateFile": "outer.json", "stackName": "prefix-Outer"}
    artifact = {"type": "aws:cloudformation:stack", "properties": properties}
    manifest = {"artifacts": {"Outer": artifact, "Outer.assets": {"type": "cdk:asset-manifest"}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (found,) = cdk.stacks_of(tmp_path)
    assert (found.id, found.name) == ("Outer", "prefix-Outer")
    assert found.types == ["AWS::SQS::Queue", "AWS::CloudFormation::Stack", "AWS::IAM::Group"]


def test_synth_sees_no_credentials_of_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://127.0.0.1")
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    env = cdk.clean_environment()
    assert not [name for name in env if name.startswith("AWS_")]
    assert env["SOMETHING_ELSE"] == "kept"


def test_progress_is_read_from_the_last_event(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert cdk.last_event(log) == ""
    log.write_text("A |  3/20 | 1:00 | CREATE_COMPLETE | x\nA | 12/20 | 1:01 | CREATE_COMPLETE | y\n")
    assert cdk.last_event(log) == "12/20 resources"
