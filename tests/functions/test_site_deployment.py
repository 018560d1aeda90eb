"""A site's release: headers, order, what goes, and what CloudFormation is told."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from site_deployment import handler as deployment
from site_deployment.release import Release
from site_deployment.rules import HASHED, headers, outdated
from tests.functions.blog_fakes import Context, FakeS3

NOW = datetime(2026, 1, 31, tzinfo=UTC)


@dataclass
class FakeEdge:
    forgotten: list[dict[str, Any]] = field(default_factory=list)

    def create_invalidation(self, **asked: Any) -> None:
        self.forgotten.append(asked)


@dataclass
class Fakes:
    s3: FakeS3 = field(default_factory=FakeS3)
    cloudfront: FakeEdge = field(default_factory=FakeEdge)
    told: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)


@dataclass
class Answered:
    status: int = 200


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fakes]:
    fakes = Fakes()

    def request(_pool: Any, method: str, url: str, *, body: bytes, headers: dict[str, str]) -> Answered:
        assert method == "PUT"
        fakes.told.append((url, json.loads(body), headers))
        return Answered()

    monkeypatch.setattr(boto3, "client", lambda service, **_: getattr(fakes, service))
    monkeypatch.setattr(urllib3.PoolManager, "request", request)
    for one in (deployment._s3, deployment._cloudfront):
        one.cache_clear()
    yield fakes
    for one in (deployment._s3, deployment._cloudfront):
        one.cache_clear()


def run(cloud: Fakes, kind: str, files: dict[str, str], **properties: Any) -> dict[str, Any]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    # One fake bucket is both: the archive must not be taken for a file of the site.
    source = FakeS3()
    source.put("archive.zip", packed.getvalue())
    site_get = cloud.s3.get_object
    cloud.s3.get_object = source.get_object  # type: ignore[method-assign]
    event = {
        "RequestType": kind,
        "RequestId": "r1",
        "StackId": "stack",
        "LogicalResourceId": "Release",
        "ResponseURL": "https://cloudformation.example/answer",
        "ResourceProperties": {
            "SourceBucket": "assets",
            "SourceKey": "archive.zip",
            "Bucket": "site",
            "DistributionId": "edge",
            "EmptyOnDelete": "false",
            **properties,
        },
    } | ({"PhysicalResourceId": "site-0"} if kind != "Create" else {})
    deployment.handler(event, Context())
    cloud.s3.get_object = site_get  # type: ignore[method-assign]
    (url, answer, sent) = cloud.told[-1]
    assert (url, sent) == ("https://cloudformation.example/answer", {"Content-Type": ""})
    return answer


FILES = {"index.html": "page", "assets/app.1.js": "code", "robots.txt": "no"}


def test_a_release_brings_assets_first_each_with_its_headers(cloud: Fakes) -> None:
    answer = run(cloud, "Create", FILES, Config={"region": "here"})
    assert (answer["Status"], answer["PhysicalResourceId"], answer["LogicalResourceId"]) == (
        "SUCCESS",
        "site-r1",
        "Release",
    )
    assert cloud.s3.order[0] == "assets/app.1.js", "a page would refer to what is not there yet"
    assert cloud.s3.objects.keys() == {*FILES, "config.json"}
    assert json.loads(cloud.s3.objects["config.json"][0]) == {"region": "here"}
    assert "immutable" in cloud.s3.objects["assets/app.1.js"][1]["CacheControl"]
    assert cloud.s3.objects["index.html"][1]["ContentType"] == "text/html; charset=utf-8"
    assert cloud.cloudfront.forgotten == [], "at first there is nothing to forget"


def test_an_update_replaces_pages_and_the_edges_forget_them(cloud: Fakes) -> None:
    run(cloud, "Create", FILES)
    cloud.s3.put("assets/ancient.js", when=datetime.now(UTC) - timedelta(days=31))
    answer = run(cloud, "Update", {"index.html": "new", "assets/app.2.js": "code"})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "site-0"), "another id would delete the site"
    assert cloud.s3.objects.keys() == {"index.html", "assets/app.2.js", "assets/app.1.js"}
    (asked,) = cloud.cloudfront.forgotten
    assert (asked["DistributionId"], asked["InvalidationBatch"]["Paths"]["Items"]) == ("edge", ["/*"])


@pytest.mark.parametrize(("empty", "left"), [("true", set()), ("false", set(FILES))])
def test_a_deleted_stack_takes_the_files_along_when_that_was_asked_for(
    cloud: Fakes, empty: str, left: set[str]
) -> None:
    run(cloud, "Create", FILES)
    assert run(cloud, "Delete", {}, EmptyOnDelete=empty)["Status"] == "SUCCESS"
    assert set(cloud.s3.objects) == left


def test_cloudformation_hears_of_a_failure_and_why(cloud: Fakes) -> None:
    answer = run(cloud, "Create", FILES, SourceKey="gone.zip")
    assert answer["Status"] == "FAILED"
    assert "NoSuchKey" in answer["Reason"]
    assert "log stream stream" in answer["Reason"]
    assert cloud.s3.objects == {}


@pytest.mark.parametrize("name", ["SourceBucket", "SourceKey", "Bucket", "DistributionId"])
def test_a_missing_property_is_named(name: str) -> None:
    whole = dict.fromkeys(("SourceBucket", "SourceKey", "Bucket", "DistributionId"), "x")
    del whole[name]
    with pytest.raises(KeyError, match=name):
        Release.of(whole)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("assets/a.CSS", "text/css; charset=utf-8"),
        ("assets/a.0123.js", "text/javascript; charset=utf-8"),
        ("a.svg", "image/svg+xml"),
        ("a.png", "image/png"),
        ("a.unheard-of", "application/octet-stream"),
        ("LICENSE", "application/octet-stream"),
    ],
)
def test_content_types(key: str, kind: str) -> None:
    assert headers(key)["ContentType"] == kind


@given(
    st.dictionaries(st.sampled_from(["a.html", "b.html", f"{HASHED}a.js", f"{HASHED}b.js"]), st.integers(0, 60)),
    st.sets(st.sampled_from(["a.html", f"{HASHED}a.js"])),
)
def test_what_goes_is_neither_of_this_release_nor_a_young_asset(ages: dict[str, int], released: set[str]) -> None:
    gone = outdated({key: NOW - timedelta(days=days) for key, days in ages.items()}, released, NOW)
    for key, days in ages.items():
        kept = key in released or (key.startswith(HASHED) and days <= 30)
        assert (key in gone) is not kept
