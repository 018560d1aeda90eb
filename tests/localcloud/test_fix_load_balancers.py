"""localcloud/fixes/load_balancers.py, with small servers of ours behind it."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from urllib3.exceptions import HTTPError

from localcloud.cloud import LocalCloud
from tests.localcloud import probes
from tests.localcloud.targets import Behind, Probe, balancer, forward, group, listener

pytestmark = pytest.mark.cloud

NAME = "web.my-blog.example.com"


def resources() -> dict[str, Any]:
    """A load balancer with a name: https to a group, http redirects, and two rules."""
    redirect = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403", "MessageBody": "not you"}}
    by_host = {"Field": "host-header", "HostHeaderConfig": {"Values": ["Other.My-Blog.example.com"]}}
    by_header = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Secret", "Values": ["wrong*"]}}

    def rule(priority: int, condition: dict[str, Any]) -> dict[str, Any]:
        properties = {"ListenerArn": {"Ref": "Secure"}, "Priority": priority, "Actions": [fixed]}
        return {
            "Type": "AWS::ElasticLoadBalancingV2::ListenerRule",
            "Properties": properties | {"Conditions": [condition]},
        }

    def record(name: str) -> dict[str, Any]:
        alias = {
            "DNSName": {"Fn::Sub": "dualstack.${Balancer.DNSName}"},
            "HostedZoneId": probes.attribute("Balancer", "CanonicalHostedZoneID"),
        }
        properties = {"HostedZoneId": {"Ref": "Zone"}, "Name": f"{name}.", "Type": "A", "AliasTarget": alias}
        return {"Type": "AWS::Route53::RecordSet", "Properties": properties}

    return {
        "Balancer": balancer(),
        "Group": group(),
        "Unused": group(),
        "Plain": listener(80, [redirect]),
        "Secure": listener(443, forward("Group")),
        "ByHost": rule(1, by_host),
        "ByHeader": rule(2, by_header),
        "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "my-blog.example.com"}},
        "Named": record(NAME),
        "Other": record("other.my-blog.example.com"),
    }


@pytest.fixture(scope="module")
def made(cloud: LocalCloud) -> dict[str, str]:
    return probes.deploy(cloud, resources(), Dns=("Balancer", "DNSName"))


@pytest.fixture
def probe(cloud: LocalCloud, made: dict[str, str]) -> Iterator[Probe]:
    probe = Probe(cloud, made["Group"], NAME)
    yield probe
    probe.close()
    elb = cloud.client("elbv2")
    for one in elb.describe_target_health(TargetGroupArn=made["Group"])["TargetHealthDescriptions"]:
        elb.deregister_targets(TargetGroupArn=made["Group"], Targets=[one["Target"]])


@pytest.fixture
def two(probe: Probe) -> Iterator[tuple[Behind, Behind]]:
    with Behind.serve("one") as one, Behind.serve("two") as two:
        yield one, two


def test_a_name_leads_to_the_listener_of_the_scheme(
    probe: Probe, two: tuple[Behind, Behind], made: dict[str, str]
) -> None:
    probe.register(two[0])
    for host in (NAME, made["Dns"], NAME.upper()):
        answer = probe.ask("/a%2Fb?c=%20d", host=host, method="POST", body=b"sent", X_Own="1")
        assert (answer.status, answer.headers["X-From"]) == (200, "one"), host
        seen = answer.json()
        assert (seen["path"], seen["body"], seen["method"]) == ("/a%2Fb?c=%20d", "sent", "POST")
        assert (seen["host"].lower(), seen["x-own"]) == (host.lower(), "1")
        assert seen["x-forwarded-for"] == "127.0.0.1"
        assert (seen["x-forwarded-proto"], seen["x-forwarded-port"]) == ("http", "443")
    redirected = probe.ask("/a?b=c", scheme="http")
    assert (redirected.status, redirected.headers["Location"]) == (301, f"https://{NAME}:443/a?b=c")
    assert probe.ask(host=f"{NAME}:8443").status == 503


def test_the_target_s_own_health_path_is_the_target_s(probe: Probe, two: tuple[Behind, Behind]) -> None:
    probe.register(two[0])
    assert probe.ask("/health").headers["X-From"] == "one"
    assert probe.ask("/", method="HEAD").body == b""


def test_conditions_on_host_and_header(probe: Probe, two: tuple[Behind, Behind]) -> None:
    probe.register(two[0])
    assert probe.ask(host="other.MY-BLOG.example.com").status == 403
    assert probe.ask(X_Secret="wrong one").status == 403
    assert probe.ask(X_Secret="right").status == 200


def test_only_the_healthy_get_requests_in_turn(probe: Probe, two: tuple[Behind, Behind]) -> None:
    one, other = two
    probe.register(one, other)
    assert [probe.ask().headers["X-From"] for _ in range(6)] in (["one", "two"] * 3, ["two", "one"] * 3)
    assert set(one.checks) == {"/health"}
    one.health = 500
    assert probes.eventually(lambda: probe.state(one) == ("unhealthy", "Target.ResponseCodeMismatch"))
    assert {probe.ask().headers["X-From"] for _ in range(4)} == {"two"}
    other.health = 500
    assert probes.eventually(lambda: probe.state(other)[0] == "unhealthy")
    assert {probe.ask().headers["X-From"] for _ in range(4)} == {"one", "two"}
    one.health = other.health = 200
    assert probes.eventually(lambda: probe.states() == [("healthy", "")] * 2)


def test_without_targets_or_before_one_is_healthy_503(
    probe: Probe, two: tuple[Behind, Behind], cloud: LocalCloud, made: dict[str, str]
) -> None:
    assert probe.ask().status == 503
    two[0].health = 500
    cloud.client("elbv2").register_targets(TargetGroupArn=made["Group"], Targets=[two[0].target])
    assert probe.state(two[0])[0] == "initial"
    answer = probe.ask()
    assert (answer.status, answer.headers["Server"]) == (503, "awselb/2.0")
    assert probe.state(two[1]) == ("unused", "Target.NotRegistered")


def test_a_target_that_is_gone_502_until_its_checks_fail(probe: Probe) -> None:
    with Behind.serve("gone") as gone, Behind.serve("two") as two:
        probe.register(gone, two)
        gone.shutdown()
        gone.server_close()
        assert {probe.ask().status for _ in range(4)} == {200, 502}
        assert probes.eventually(lambda: probe.state(gone) == ("unhealthy", "Target.FailedHealthChecks"))
        assert {probe.ask().status for _ in range(4)} == {200}


def test_a_target_that_closes_502_and_one_that_is_late_504(
    probe: Probe, two: tuple[Behind, Behind], cloud: LocalCloud, made: dict[str, str]
) -> None:
    probe.register(two[0])
    assert probe.ask("/broken").status == 502
    attributes = [{"Key": "idle_timeout.timeout_seconds", "Value": "1"}]
    cloud.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=made["Balancer"], Attributes=attributes)
    assert probe.ask("/slow").status == 504
    attributes[0]["Value"] = "60"
    cloud.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=made["Balancer"], Attributes=attributes)


def test_an_answer_that_breaks_off_is_not_taken_for_whole(probe: Probe, two: tuple[Behind, Behind]) -> None:
    probe.register(two[0])
    with pytest.raises(HTTPError):
        probe.ask("/cut")
    assert probe.ask().status == 200


def test_a_check_that_gets_no_answer_times_out(probe: Probe, cloud: LocalCloud, made: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = {"Id": "127.0.0.1", "Port": silent.getsockname()[1]}
        elb = cloud.client("elbv2")
        elb.register_targets(TargetGroupArn=made["Group"], Targets=[target])
        assert probes.eventually(lambda: probe.states() == [("unhealthy", "Target.Timeout")], seconds=30)
        elb.deregister_targets(TargetGroupArn=made["Group"], Targets=[target])


def test_a_deregistered_target_finishes_what_it_has(probe: Probe, two: tuple[Behind, Behind]) -> None:
    one, other = two
    probe.register(one)
    with ThreadPoolExecutor(1) as thread:
        slow = thread.submit(probe.ask, "/slow")
        assert one.reached.wait(5)
        probe.register(other)
        probe.deregister(one)
        assert probe.state(one) == ("draining", "Target.DeregistrationInProgress")
        assert {probe.ask().headers["X-From"] for _ in range(4)} == {"two"}
        one.go.set()
        assert slow.result().headers["X-From"] == "one"
    assert probes.eventually(lambda: probe.state(one)[0] == "unused")


def test_a_group_that_no_listener_uses_is_not_checked(
    cloud: LocalCloud, made: dict[str, str], two: tuple[Behind, Behind]
) -> None:
    elb = cloud.client("elbv2")
    elb.register_targets(TargetGroupArn=made["Unused"], Targets=[two[0].target])
    probe = Probe(cloud, made["Unused"], NAME)
    assert probes.eventually(lambda: probe.states() == [("unused", "Target.NotInUse")])
    assert two[0].checks == []
    (found,) = elb.describe_target_health(TargetGroupArn=made["Unused"])["TargetHealthDescriptions"]
    assert found["Target"] == two[0].target
    probe.close()
    probe.deregister(two[0])


def test_the_emulator_alone_still_lacks_it(bare: LocalCloud) -> None:
    made = probes.deploy(bare, resources(), Dns=("Balancer", "DNSName"))
    probe = Probe(bare, made["Group"], NAME)
    with Behind.serve("one") as one, Behind.serve("two") as two:
        one.health = two.health = 500
        bare.client("elbv2").register_targets(TargetGroupArn=made["Group"], Targets=[one.target, two.target])
        assert probe.states() == [("healthy", "")]
        assert "ListAllMyBucketsResult" in probe.ask(host=NAME).text
        assert probe.ask(host=made["Dns"]).status == 301
        assert probe.ask("/health", host=made["Dns"]).json()["auth"] == "enabled"
    probe.close()
