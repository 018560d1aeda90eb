"""What must never drift where updates are handed out: an edge that changes nothing else, and who reaches the files."""

import copy
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from stacks.settings import Settings
from tests.repo.policies import identity_statements, many, refers_to
from tests.templates import Template, resources, scenario_app, scratch, template

Holds = Callable[[Template], None]
Spoil = Callable[[Template], Any]
FUNCTION, INGRESS, FILES = "AWS::Lambda::Function", "AWS::EC2::SecurityGroupIngress", "AWS::EFS::FileSystem"
RECORD, RULE = "AWS::Route53::RecordSet", "AWS::ElasticLoadBalancingV2::ListenerRule"
# What functions need is built once for all that need the same; the edge's own function brings one more of them.
EDGE = ("Edge", "DependencyLayers")
# The CDK's table of the zones that CloudFront's names are in.
TABLE = "AWSCloudFrontPartitionHostedZoneIdMap"


@cache
def _without_text() -> str:
    outdir = scratch()
    scenario_app("software-updates", outdir=outdir, offload="false").synth()
    return (outdir / "SoftwareUpdates.template.json").read_text(encoding="utf-8")


def without() -> Template:
    """The template with ``offload=false``, yours to change."""
    made: Template = json.loads(_without_text())
    return made


@pytest.fixture
def updates() -> Template:
    return template("software-updates")


def named(made: Template, kind: str, part: str) -> Any:
    (found,) = [one for name, one in made["Resources"].items() if one["Type"] == kind and part in name]
    return found


def rights(made: Template, role: str) -> dict[str, list[Any]]:
    """Action -> resources, of the policies whose id has a word in it."""
    found: dict[str, list[Any]] = {}
    for name, statement in identity_statements(made):
        if role in name:
            for action in many(statement["Action"]):
                found.setdefault(action, []).extend(many(statement["Resource"]))
    return found


def only_the_edge_differs(on: Template, off: Template) -> None:
    """By logical id: what is added, what is taken away, what is changed."""
    with_edge, plain = on["Resources"], off["Resources"]
    added = [name for name in with_edge.keys() - plain.keys() if not name.startswith(EDGE)]
    assert not added, f"more than the edge is added: {sorted(added)}"
    removed = {name: plain[name] for name in plain.keys() - with_edge.keys()}
    open_rules = [one["Properties"].get("CidrIp") for one in removed.values() if one["Type"] == INGRESS]
    assert open_rules == ["0.0.0.0/0"] * len(removed) == ["0.0.0.0/0"] * 2, f"something else goes: {sorted(removed)}"
    changed = {name for name in with_edge.keys() & plain.keys() if with_edge[name] != plain[name]}
    own = {name for name in changed if with_edge[name]["Type"] == RECORD and "Own" in name}
    assert changed == own, f"something else changes: {sorted(changed - own)}"
    assert len(own) == 1, "the name still leads to the load balancer"
    outputs = on["Outputs"].keys() ^ off["Outputs"].keys()
    assert outputs == {"DistributionId"}, f"other outputs: {outputs}"
    assert off["Outputs"].items() <= on["Outputs"].items(), "an output changes"
    for section in (on.keys() | off.keys()) - {"Resources", "Outputs", "Description"}:
        with_it, plain = on.get(section, {}), off.get(section, {})
        more = {name for name in with_it if name not in plain and not name.startswith(EDGE) and name != TABLE}
        assert not more, f"more than the edge is added to {section}: {sorted(more)}"
        assert plain.items() <= with_it.items(), f"something else changes in {section}"


def test_offload_puts_an_edge_in_front_and_changes_nothing_else(updates: Template) -> None:
    only_the_edge_differs(updates, without())


@pytest.mark.parametrize(
    ("kind", "part", "says"),
    [
        ("AWS::AutoScaling::AutoScalingGroup", "Tier", "something else changes"),
        ("AWS::EC2::LaunchTemplate", "Tier", "something else changes"),
        (FILES, "Files", "something else changes"),
        (FUNCTION, "Publisher", "something else changes"),
        ("AWS::EC2::VPC", "Network", "something else changes"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Tier", "something else changes"),
        (RECORD, "Origin", "something else changes"),
    ],
)
def test_and_a_change_of_anything_else_would_be_missed(updates: Template, kind: str, part: str, says: str) -> None:
    named(updates, kind, part)["Properties"]["Changed"] = True
    with pytest.raises(AssertionError, match=says):
        only_the_edge_differs(updates, without())


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda on, off: on["Resources"].update(Extra={"Type": "AWS::SQS::Queue"}), "more than the edge"),
        (lambda on, off: off["Resources"].update(Extra={"Type": "AWS::SQS::Queue"}), "something else goes"),
        (lambda on, off: on["Outputs"].update(Extra={}), "other outputs"),
        (lambda on, off: on["Outputs"]["Url"].update(Value="https://elsewhere"), "an output changes"),
        (lambda on, off: on["Parameters"].update(Extra={}), "is added to Parameters"),
        (lambda on, off: on["Parameters"]["BootstrapVersion"].update(Default="/x"), "else changes in Parameters"),
        (lambda on, off: off.update(Conditions={"Extra": {}}), "else changes in Conditions"),
        (
            lambda on, off: on["Resources"].update(
                {name: one for name, one in off["Resources"].items() if one["Type"] == RECORD}
            ),
            "still leads to the load balancer",
        ),
    ],
)
def test_and_so_would_more_or_less(updates: Template, spoil: Callable[[Template, Template], Any], says: str) -> None:
    off = without()
    spoil(updates, off)
    with pytest.raises(AssertionError, match=says):
        only_the_edge_differs(updates, off)


def names_lead_to_the_edge(made: Template) -> None:
    (distribution,) = resources(made, "AWS::CloudFront::Distribution")
    alias = named(made, RECORD, "Own")["Properties"]["AliasTarget"]
    assert refers_to(alias["DNSName"], distribution), "the name goes round the edge"
    config = resources(made, "AWS::CloudFront::Distribution")[distribution]["DistributionConfig"]
    assert config["Aliases"] == ["software-updates.example.com"], "the edge has another name"
    assert config["Origins"][0]["DomainName"] == "origin.software-updates.example.com", "it asks somebody else"
    paths = [one["PathPattern"] for one in config["CacheBehaviors"]]
    assert paths == ["/releases/latest.json", "/releases/*"], "the manifest would be kept for ever"


def nobody_is_refused_on_the_way_to_the_edge(made: Template) -> None:
    """Whoever asks by the name while the edge is put in front is answered by the one or by the other."""
    (own,) = [name for name, one in resources(made, RECORD).items() if one["Name"] == "software-updates.example.com."]
    (refuse,) = [one for name, one in made["Resources"].items() if one["Type"] == RULE and "Refuse" in name]
    assert own in refuse["DependsOn"], "the load balancer refuses whom the name still leads to it"


def the_load_balancer_is_closed(made: Template) -> None:
    front = [one for one in resources(made, INGRESS).values() if "LoadBalancerSecurityGroup" in str(one["GroupId"])]
    assert len(front) == 1, "others get in"
    assert "SourcePrefixListId" in front[0], "others get in"


def files_are_safe(made: Template) -> None:
    (name,) = resources(made, FILES)
    files = made["Resources"][name]
    assert files["Properties"]["Encrypted"] is True, "not encrypted"
    assert files["Properties"]["BackupPolicy"] == {"Status": "ENABLED"}, "not backed up"
    assert files["DeletionPolicy"] == files["UpdateReplacePolicy"] == "Retain", "they leave with the stack"
    statements = files["Properties"]["FileSystemPolicy"]["Statement"]
    assert len(statements) == 1, "somebody unnamed gets in"
    (statement,) = statements
    refused = {"Bool": {"aws:SecureTransport": "false"}}
    assert (statement["Effect"], statement["Condition"]) == ("Deny", refused), "somebody unnamed gets in"
    assert len(resources(made, "AWS::EFS::MountTarget")) == 2, "one zone has no files"


def only_servers_and_publisher_reach_the_files(made: Template) -> None:
    (targets,) = [name for name in resources(made, "AWS::EC2::SecurityGroup") if name.startswith("FilesTargets")]
    rules = [one for one in resources(made, INGRESS).values() if refers_to(one["GroupId"], targets)]
    assert {(one["FromPort"], one["ToPort"]) for one in rules} == {(2049, 2049)}, "other ports are open"
    sources = sorted(one["SourceSecurityGroupId"]["Fn::GetAtt"][0] for one in rules)
    assert [name.rstrip("0123456789ABCDEF") for name in sources] == ["PublisherAccess", "TierServers"], "others"
    assert "SecurityGroupIngress" not in resources(made, "AWS::EC2::SecurityGroup")[targets], "others get in"


def only_the_publisher_writes(made: Template) -> None:
    (point,) = resources(made, "AWS::EFS::AccessPoint")
    writers, mounts = set(), 0
    for name, statement in identity_statements(made):
        if any(action.startswith("elasticfilesystem") for action in many(statement["Action"])):
            mounts += 1
            only = statement.get("Condition", {}).get("StringEquals", {}).get("elasticfilesystem:AccessPointArn")
            assert point in str(only), f"{name} gets in round the access point"
            if "elasticfilesystem:ClientWrite" in many(statement["Action"]):
                writers.add(name.rstrip("0123456789ABCDEF"))
    assert mounts == 2, "others mount the files"
    assert writers == {"PublisherFunctionRoleDefaultPolicy"}, f"others write: {writers}"


def the_publisher_may_do_only_this(made: Template) -> None:
    may = rights(made, "PublisherFunctionRole")
    assert set(may) == {
        "elasticfilesystem:ClientMount",
        "elasticfilesystem:ClientWrite",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }, f"the publisher may do other things than it should: {sorted(may)}"
    (bucket,) = [name for name in resources(made, "AWS::S3::Bucket") if name.startswith("PublisherBucket")]
    below = {action: [one["Fn::Join"][1][1] for one in may[action]] for action in ("s3:GetObject", "s3:PutObject")}
    assert below == {"s3:GetObject": ["/releases/*"], "s3:PutObject": ["/rejected/*"]}, f"it reaches more: {below}"
    assert all(refers_to(one["Fn::Join"][1][0], bucket) for one in may["s3:GetObject"]), "of another bucket"


def a_manifest_is_what_starts_it(made: Template) -> None:
    (one,) = resources(made, "Custom::S3BucketNotifications").values()
    (queue,) = one["NotificationConfiguration"]["QueueConfigurations"]
    rules = {rule["Name"]: rule["Value"] for rule in queue["Filter"]["Key"]["FilterRules"]}
    assert rules == {"prefix": "releases/", "suffix": "/manifest.json"}, "files start it, or its own rejections"


def it_is_mounted_where_both_look(made: Template) -> None:
    function = named(made, FUNCTION, "PublisherFunction")["Properties"]
    (mounted,) = function["FileSystemConfigs"]
    (point,) = resources(made, "AWS::EFS::AccessPoint")
    assert {"Ref": point} in mounted["Arn"]["Fn::Join"][1], "it has another file system"
    assert function["Environment"]["Variables"]["RELEASES_ROOT"] == mounted["LocalMountPath"], "it looks elsewhere"
    text = json.dumps(named(made, "AWS::EC2::LaunchTemplate", "Tier"))
    assert f"RELEASES_ROOT={mounted['LocalMountPath']}\\n" in text, "the servers look elsewhere"
    assert f":/ {mounted['LocalMountPath']}\\n" in text, "the servers have it elsewhere"


ALL: tuple[Holds, ...] = (
    names_lead_to_the_edge,
    nobody_is_refused_on_the_way_to_the_edge,
    the_load_balancer_is_closed,
    files_are_safe,
    only_servers_and_publisher_reach_the_files,
    only_the_publisher_writes,
    the_publisher_may_do_only_this,
    a_manifest_is_what_starts_it,
    it_is_mounted_where_both_look,
)


@pytest.mark.parametrize("holds", ALL)
def test_it_holds(updates: Template, holds: Holds) -> None:
    holds(updates)


def _set(kind: str, part: str, *path: Any, to: Any) -> Spoil:
    def change(made: Template) -> None:
        spot = named(made, kind, part)["Properties"]
        for step in path[:-1]:
            spot = spot[step]
        spot[path[-1]] = to

    return change


def _right(role: str, action: str) -> Spoil:
    """Give a role one more right, on the first resources that it has something on."""

    def change(made: Template) -> None:
        policy = named(made, "AWS::IAM::Policy", role)["Properties"]["PolicyDocument"]
        policy["Statement"].append({**policy["Statement"][0], "Action": action})

    return change


def _keep(kind: str, part: str, key: str, value: Any) -> Spoil:
    return lambda made: named(made, kind, part).update({key: value})


NOTIFIED = ("NotificationConfiguration", "QueueConfigurations", 0, "Filter", "Key", "FilterRules", 0, "Value")
GROUP = "AWS::EC2::SecurityGroup"
EVERYBODY = {"GroupId": {"Fn::GetAtt": ["TierLoadBalancerSecurityGroup", "GroupId"]}, "CidrIp": "0.0.0.0/0"}


@pytest.mark.parametrize(
    ("holds", "spoil", "says"),
    [
        (names_lead_to_the_edge, _set(RECORD, "Own", "AliasTarget", "DNSName", to="elsewhere"), "goes round"),
        (nobody_is_refused_on_the_way_to_the_edge, _keep(RULE, "Refuse", "DependsOn", []), "still leads to it"),
        (
            the_load_balancer_is_closed,
            lambda made: made["Resources"].update(Extra={"Type": INGRESS, "Properties": EVERYBODY}),
            "others get in",
        ),
        (files_are_safe, _set(FILES, "", "Encrypted", to=False), "not encrypted"),
        (files_are_safe, _set(FILES, "", "BackupPolicy", "Status", to="DISABLED"), "not backed up"),
        (files_are_safe, _keep(FILES, "", "DeletionPolicy", "Delete"), "leave with the stack"),
        (
            files_are_safe,
            _set(FILES, "", "FileSystemPolicy", "Statement", 0, "Effect", to="Allow"),
            "somebody unnamed",
        ),
        (
            only_servers_and_publisher_reach_the_files,
            _set(GROUP, "FilesTargets", "SecurityGroupIngress", to=[{}]),
            "others get in",
        ),
        (only_the_publisher_writes, _right("TierRole", "elasticfilesystem:ClientWrite"), "round the access point"),
        (the_publisher_may_do_only_this, _right("PublisherFunctionRole", "s3:DeleteObject"), "other things"),
        (a_manifest_is_what_starts_it, _set("Custom::S3BucketNotifications", "", *NOTIFIED, to="x"), "files start it"),
        (
            it_is_mounted_where_both_look,
            _set(FUNCTION, "PublisherFunction", "Environment", "Variables", "RELEASES_ROOT", to="/tmp"),
            "looks elsewhere",
        ),
    ],
)
def test_and_would_be_missed(updates: Template, holds: Holds, spoil: Spoil, says: str) -> None:
    mutant = copy.deepcopy(updates)
    spoil(mutant)
    with pytest.raises(AssertionError, match=says):
        holds(mutant)


def _settings(**context: str) -> Settings:
    return Settings.from_context(context.get)


def test_the_switch_is_on_unless_turned_off() -> None:
    assert (_settings().offload, _settings(offload="false").offload) == (True, False)
    with pytest.raises(ValueError, match='offload: must be "true" or "false", got \'maybe\''):
        _settings(offload="maybe")


def test_edges_share_one_more_cache_when_asked(updates: Template) -> None:
    outdir = scratch()
    scenario_app("software-updates", outdir=outdir, options="shield").synth()
    made = json.loads((outdir / "SoftwareUpdates.template.json").read_text(encoding="utf-8"))

    def shield(template: Template) -> Any:
        (one,) = resources(template, "AWS::CloudFront::Distribution").values()
        return one["DistributionConfig"]["Origins"][0]["OriginShield"]

    assert shield(made) == {"Enabled": True, "OriginShieldRegion": {"Ref": "AWS::Region"}}
    assert shield(updates) == {"Enabled": False}


def test_servers_without_a_way_to_their_packages_are_refused() -> None:
    with pytest.raises(ValueError, match="nat_gateways: must be 1 or 2 for software-updates"):
        scenario_app("software-updates", nat_gateways="0")


def test_a_certificate_of_the_edges_region_is_taken() -> None:
    arn = "arn:aws:acm:us-east-1:111122223333:certificate/1-2"
    outdir = scratch()
    scenario_app("software-updates", outdir=outdir, edge_certificate_arn=arn).synth()
    made = json.loads((outdir / "SoftwareUpdates.template.json").read_text(encoding="utf-8"))
    config = next(iter(resources(made, "AWS::CloudFront::Distribution").values()))["DistributionConfig"]
    assert config["ViewerCertificate"]["AcmCertificateArn"] == arn
    with pytest.raises(ValueError, match="edge_certificate_arn: must be the ARN of a certificate in us-east-1, got"):
        _settings(edge_certificate_arn=arn.replace("us-east-1", "eu-central-1"))
    assert "EdgeCertificateIsThere" not in made["Rules"], "it is refused where it could be deployed"


def refused_where_cloudfront_takes_no_certificate(made: Template) -> None:
    (assertion,) = made["Rules"]["EdgeCertificateIsThere"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}, "it fails at the very end"
    assert assertion["AssertDescription"].startswith("edge_certificate_arn: must be given where"), "nobody knows why"


def test_without_one_no_other_region_begins_what_must_fail(updates: Template) -> None:
    refused_where_cloudfront_takes_no_certificate(updates)
    assert "EdgeCertificateIsThere" not in without()["Rules"], "without an edge any region will do"
    updates["Rules"]["EdgeCertificateIsThere"]["Assertions"][0]["Assert"] = {"Fn::Equals": ["a", "a"]}
    with pytest.raises(AssertionError, match="at the very end"):
        refused_where_cloudfront_takes_no_certificate(updates)
