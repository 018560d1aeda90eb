"""localcloud/fixes/edge_cache.py, and a load balancer as the origin of a distribution (own_origins.py)."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from journeys._http import Response
from localcloud.cloud import LocalCloud
from localcloud.fixes._edge_objects import Answer, Store, lifetime, tailored
from tests.localcloud import probes
from tests.localcloud.targets import Behind, Probe, balancer, forward, group, listener

pytestmark = pytest.mark.cloud

ORIGIN = "origin.my-blog.example.com"
# AWS's managed policy.
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
BODY = '{"accept-encoding"'


def resources(protocol: str = "https-only", name: str = ORIGIN) -> dict[str, Any]:
    """A distribution in front of a named load balancer that admits who bears a secret: files kept, the rest not."""
    header = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Origin", "Values": ["secret"]}}
    refused = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}

    def rule(port: str) -> dict[str, Any]:
        properties = {"ListenerArn": {"Ref": port}, "Priority": 1, "Actions": forward("Group")}
        kind = "AWS::ElasticLoadBalancingV2::ListenerRule"
        return {"Type": kind, "Properties": properties | {"Conditions": [header]}}

    alias = {
        "DNSName": probes.attribute("Balancer", "DNSName"),
        "HostedZoneId": probes.attribute("Balancer", "CanonicalHostedZoneID"),
    }
    record = {"HostedZoneId": {"Ref": "Zone"}, "Name": f"{name}.", "Type": "A", "AliasTarget": alias}
    key = {
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "whitelist", "QueryStrings": ["v"]},
        "EnableAcceptEncodingGzip": False,
    }
    policy = {"Name": {"Ref": "AWS::StackName"}, "MinTTL": 0, "DefaultTTL": 60, "MaxTTL": 3600}
    origin = {
        "Id": "servers",
        "DomainName": name,
        "CustomOriginConfig": {"OriginProtocolPolicy": protocol, "OriginSSLProtocols": ["TLSv1.2"]},
        "OriginCustomHeaders": [{"HeaderName": "X-Origin", "HeaderValue": "secret"}],
    }
    behaviour = {"TargetOriginId": "servers", "ViewerProtocolPolicy": "https-only"}
    files = behaviour | {"PathPattern": "/files/*", "CachePolicyId": {"Ref": "Policy"}}
    distribution = {
        "Enabled": True,
        "Origins": [origin],
        "DefaultCacheBehavior": behaviour | {"CachePolicyId": CACHING_DISABLED},
        "CacheBehaviors": [files],
    }
    return {
        "Balancer": balancer(),
        "Group": group(),
        "Secure": listener(443, [refused]),
        "Plain": listener(80, [refused]),
        "Admitted": rule("Secure"),
        "AdmittedPlain": rule("Plain"),
        "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "my-blog.example.com"}},
        "Record": {"Type": "AWS::Route53::RecordSet", "Properties": record},
        "Policy": {
            "Type": "AWS::CloudFront::CachePolicy",
            "Properties": {"CachePolicyConfig": policy | {"ParametersInCacheKeyAndForwardedToOrigin": key}},
        },
        "Edge": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": distribution}},
    }


@pytest.fixture(scope="module")
def made(cloud: LocalCloud) -> dict[str, str]:
    return probes.deploy(cloud, resources(), Name=("Edge", "DomainName"))


@pytest.fixture
def server() -> Iterator[Behind]:
    with Behind.serve("origin") as server:
        server.headers |= {"ETag": '"one"', "Cache-Control": "max-age=100"}
        yield server


@pytest.fixture
def edge(cloud: LocalCloud, made: dict[str, str], server: Behind) -> Iterator[Probe]:
    probe = Probe(cloud, made["Group"], made["Name"])
    probe.register(server)
    yield probe
    invalidate(cloud, made["Edge"], "/*")
    probe.deregister(server)
    probe.close()


def invalidate(cloud: LocalCloud, distribution: str, path: str) -> None:
    batch = {"Paths": {"Quantity": 1, "Items": [path]}, "CallerReference": str(time.monotonic_ns())}
    cloud.client("cloudfront").create_invalidation(DistributionId=distribution, InvalidationBatch=batch)


def cached(answer: Response) -> str:
    return answer.headers["X-Cache"].partition(" ")[0]


def test_a_load_balancer_is_an_origin_by_its_recorded_name(edge: Probe, server: Behind) -> None:
    answer = edge.ask("/other?a=b")
    assert (answer.status, answer.headers["X-From"], cached(answer)) == (200, "origin", "Miss")
    seen = answer.json()
    assert (seen["host"], seen["x-origin"], seen["path"]) == (ORIGIN, "secret", "/other")
    assert cached(edge.ask("/other?a=b")) == "Miss"
    assert edge.ask("/other", host=ORIGIN).status == 403


def test_a_kept_file_is_asked_for_once(edge: Probe, server: Behind) -> None:
    first, second = edge.ask("/files/a"), edge.ask("/files/a?other=1", X_Own="2")
    assert (cached(first), cached(second)) == ("Miss", "Hit")
    assert "Age" not in first.headers
    assert 0 <= int(second.headers["Age"]) < 20
    assert first.body == second.body
    assert cached(edge.ask("/files/a?v=2")) == "Miss"
    assert server.asked == ["/files/a", "/files/a?v=2"]


def test_many_at_once_are_one_request(edge: Probe, server: Behind) -> None:
    server.slow = "/files/slow"
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(edge.ask, "/files/slow") for _ in range(8)]
        assert server.reached.wait(5)
        server.go.set()
        found = [one.result() for one in answers]
    assert {one.status for one in found} == {200}
    assert sorted(map(cached, found)) == ["Hit"] * 7 + ["Miss"]
    assert server.asked == ["/files/slow"]


def test_ranges_and_conditions_are_answered_from_the_whole(edge: Probe, server: Behind) -> None:
    part = edge.ask("/files/r", Range="bytes=0-4")
    whole = edge.ask("/files/r")
    assert (part.status, part.body, cached(whole)) == (206, whole.body[:5], "Hit")
    assert part.headers["Content-Range"] == f"bytes 0-4/{len(whole.body)}"
    rest = edge.ask("/files/r", Range="bytes=5-", If_Range='"one"')
    assert part.body + rest.body == whole.body
    assert edge.ask("/files/r", Range="bytes=5-", If_Range='"other"').status == 200
    assert edge.ask("/files/r", Range=f"bytes={len(whole.body)}-").status == 416
    assert edge.ask("/files/r", If_None_Match='"one"').status == 304
    head = edge.ask("/files/r", method="HEAD")
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(whole.body)))
    assert server.asked == ["/files/r"]


def test_what_the_origin_will_not_have_kept_is_not(edge: Probe, server: Behind) -> None:
    server.headers["Cache-Control"] = "no-store"
    assert [cached(edge.ask("/files/n")) for _ in range(2)] == ["Miss", "Miss"]
    server.headers["Cache-Control"] = "max-age=3"
    assert [cached(edge.ask("/files/s")) for _ in range(2)] == ["Miss", "Hit"]
    assert probes.eventually(lambda: cached(edge.ask("/files/s")) == "Miss")


def test_errors_are_not_kept(edge: Probe, server: Behind) -> None:
    assert edge.ask("/broken").status == 502
    server.status = 404
    assert edge.ask("/files/late").status == 404
    server.status = 200
    assert edge.ask("/files/late").status == 200


def test_an_invalidation_is_heeded(cloud: LocalCloud, made: dict[str, str], edge: Probe) -> None:
    edge.ask("/files/one"), edge.ask("/files/two")
    invalidate(cloud, made["Edge"], "/files/one")
    assert (cached(edge.ask("/files/one")), cached(edge.ask("/files/two"))) == ("Miss", "Hit")
    invalidate(cloud, made["Edge"], "/files/*")
    assert (cached(edge.ask("/files/one")), cached(edge.ask("/files/two"))) == ("Miss", "Miss")


def test_an_origin_without_tls(cloud: LocalCloud, server: Behind) -> None:
    made = probes.deploy(cloud, resources("http-only", f"plain-{ORIGIN}"), Name=("Edge", "DomainName"))
    probe = Probe(cloud, made["Group"], made["Name"])
    probe.register(server)
    assert probe.ask("/other").json()["x-forwarded-port"] == "80"
    probe.deregister(server)
    probe.close()
    probes.destroy(cloud)


def test_the_emulator_alone_still_does_not_reach_it(bare: LocalCloud, server: Behind) -> None:
    made = probes.deploy(bare, resources(), Name=("Edge", "DomainName"))
    bare.client("elbv2").register_targets(TargetGroupArn=made["Group"], Targets=[server.target])
    probe = Probe(bare, made["Group"], made["Name"])
    assert probe.ask("/files/a").status == 502
    probe.close()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 60),
        ({"cache-control": "max-age=30"}, 30),
        ({"cache-control": "public, max-age=30, s-maxage=40"}, 40),
        ({"cache-control": "max-age=1"}, 5),
        ({"cache-control": "max-age=9999, immutable"}, 3600),
        ({"cache-control": "no-store"}, 5),
        ({"cache-control": "private, max-age=30"}, 5),
        ({"expires": "Thu, 01 Jan 1970 00:00:00 GMT"}, 5),
        ({"expires": "soon"}, 5),
    ],
)
def test_lifetimes(headers: dict[str, str], seconds: int) -> None:
    assert lifetime((200, "OK", headers, b""), 5, 60, 3600) == seconds
    assert lifetime((404, "Not Found", headers, b""), 5, 60, 3600) == 0


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=0-1", 206, b"01"),
        ("bytes=8-", 206, b"89"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-0", 416, b""),
        ("bytes=10-", 416, b""),
        ("bytes=3-2", 200, b"0123456789"),
        ("bytes=-", 200, b"0123456789"),
        ("bytes=0-1,3-4", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
    ],
)
def test_ranges(asked: str, status: int, body: bytes) -> None:
    whole: Answer = (200, "OK", {"etag": '"a"'}, b"0123456789")
    found = tailored(whole, {"range": asked}, head=False)
    assert (found[0], found[3]) == (status, body)


@pytest.mark.parametrize(
    ("tag", "asked", "status"),
    [('"a"', '"a"', 206), ('"a"', 'W/"a"', 200), ('W/"a"', 'W/"a"', 200), ('"a"', '"b"', 200), ("", '"a"', 200)],
)
def test_a_part_continues_only_what_is_surely_the_same(tag: str, asked: str, status: int) -> None:
    whole: Answer = (200, "OK", {"etag": tag}, b"0123456789")
    assert tailored(whole, {"range": "bytes=1-", "if-range": asked}, head=False)[0] == status


def test_ranges_are_for_get_alone() -> None:
    whole: Answer = (200, "OK", {"etag": '"a"'}, b"0123456789")
    status, _reason, headers, body = tailored(whole, {"range": "bytes=1-"}, head=True)
    assert (status, headers["content-length"], body) == (200, "10", b"")


def test_a_store_lets_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localcloud.fixes._edge_objects._MOST_BYTES", 10)
    store = Store()
    for name in ("a", "b", "c"):
        store.put(("arn/D", name), (200, "OK", {}, b"12345"), 60)
    assert [bool(store.get(("arn/D", name))) for name in ("a", "b", "c")] == [False, True, True]
