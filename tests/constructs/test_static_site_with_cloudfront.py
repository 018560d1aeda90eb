"""A static site: its bucket, its edge, its headers, and who gets at what."""

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_s3 as s3

from constructs_lib import ApiRoute, CognitoRestApi, PythonFunction, StaticSiteWithCloudFront
from tests.repo import guards_operations, guards_security
from tests.templates import bare_stack, only, resources, synthesized

DISTRIBUTION, POLICY = "AWS::CloudFront::Distribution", "AWS::S3::BucketPolicy"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<link href="/assets/a.css">')
    (tmp_path / "404.html").write_text('<link href="/assets/a.css">gone')
    (tmp_path / "assets" / "a.css").write_text("p {}")
    return tmp_path


def config(stack: cdk.Stack) -> dict[str, Any]:
    found: dict[str, Any] = only(stack, DISTRIBUTION)["DistributionConfig"]
    return found


def admitted(stack: cdk.Stack, bucket: str) -> list[dict[str, Any]]:
    """What a bucket's policy allows, to whom and when."""
    (policy,) = [one for name, one in resources(stack, POLICY).items() if bucket in name]
    return [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]


def test_the_bucket_admits_this_distribution_alone(site: Path) -> None:
    stack = bare_stack()
    made = StaticSiteWithCloudFront(stack, "Site", site=site)
    edge = stack.resolve(made.distribution.distribution_id)
    (statement,) = admitted(stack, "Files")
    assert statement["Action"] == ["s3:GetObject", "s3:ListBucket"]
    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    (source,) = statement["Condition"]["StringEquals"].values()
    assert source["Fn::Join"][1][-1] == edge, source
    origin = config(stack)["Origins"][0]
    assert "OriginAccessControlId" in origin
    assert origin["S3OriginConfig"]["OriginAccessIdentity"] == ""
    control = only(stack, "AWS::CloudFront::OriginAccessControl")["OriginAccessControlConfig"]
    assert (control["SigningBehavior"], control["SigningProtocol"]) == ("always", "sigv4")


def test_the_edge_speaks_https_compresses_and_logs(site: Path) -> None:
    stack = bare_stack()
    StaticSiteWithCloudFront(stack, "Site", site=site)
    found = config(stack)
    behaviour = found["DefaultCacheBehavior"]
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
    assert behaviour["Compress"] is True
    assert found["HttpVersion"] == "http2and3"
    assert found["DefaultRootObject"] == "index.html", "without it, listing the bucket would be open to all"
    assert found["Logging"]["Prefix"] == "Distribution/"
    assert "Aliases" not in found
    assert "ViewerCertificate" not in found


def test_the_headers_confine_the_pages(site: Path) -> None:
    stack = bare_stack()
    StaticSiteWithCloudFront(stack, "Site", site=site, connect_to=["https://one.example", "https://two.example"])
    headers = only(stack, "AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    security = headers["SecurityHeadersConfig"]
    policy = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert "connect-src 'self' https://one.example https://two.example;" in policy
    assert "default-src 'none';" in policy
    assert "unsafe" not in policy
    assert all(one["Override"] is True for one in security.values()), "an origin could take a header back"
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] == 2 * 365 * 24 * 3600
    assert security["FrameOptions"]["FrameOption"] == "DENY"
    assert "ContentTypeOptions" in security


def test_a_domain_brings_tls_12(site: Path) -> None:
    stack = bare_stack()
    certificate = acm.Certificate.from_certificate_arn(stack, "Certificate", CERTIFICATE)
    made = StaticSiteWithCloudFront(stack, "Site", site=site, domain_names=["www.example.com"], certificate=certificate)
    found = config(stack)
    assert found["Aliases"] == ["www.example.com"]
    assert found["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert found["ViewerCertificate"]["AcmCertificateArn"] == CERTIFICATE
    assert made.url == "https://www.example.com"


def test_an_api_answers_below_its_path_and_is_cached_per_caller(site: Path) -> None:
    stack = bare_stack()
    function = PythonFunction(stack, "Function", package="order_worker").function
    api = CognitoRestApi(stack, "Api", handler=function, routes=[ApiRoute("GET", "/api/x")])
    StaticSiteWithCloudFront(stack, "Site", site=site).add_api("/api/*", api.api)
    found = config(stack)
    (behaviour,) = found["CacheBehaviors"]
    assert behaviour["PathPattern"] == "/api/*"
    assert set(behaviour["AllowedMethods"]) == {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"}
    # AWS's managed policy AllViewerExceptHostHeader: the API must see its own name.
    assert behaviour["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    assert behaviour["ResponseHeadersPolicyId"] == found["DefaultCacheBehavior"]["ResponseHeadersPolicyId"]
    cache = only(stack, "AWS::CloudFront::CachePolicy")["CachePolicyConfig"]
    assert (cache["MinTTL"], cache["DefaultTTL"]) == (0, 0)
    parameters = cache["ParametersInCacheKeyAndForwardedToOrigin"]
    assert parameters["HeadersConfig"]["Headers"] == ["Authorization"], "one caller would see another's answers"
    assert parameters["QueryStringsConfig"] == {"QueryStringBehavior": "all"}
    origin = found["Origins"][1]
    assert origin["OriginPath"] == "/v1"
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert origin["CustomOriginConfig"]["OriginSSLProtocols"] == ["TLSv1.2"]


def test_another_bucket_is_read_below_its_path_and_never_listed(site: Path) -> None:
    stack = bare_stack()
    bucket = s3.Bucket(stack, "Thumbnails")
    StaticSiteWithCloudFront(stack, "Site", site=site).add_objects("/thumbnail/*", bucket)
    (behaviour,) = config(stack)["CacheBehaviors"]
    assert behaviour["PathPattern"] == "/thumbnail/*"
    assert [one["Action"] for one in admitted(stack, "Thumbnails")] == ["s3:GetObject"]


def test_the_release_may_do_what_it_must_with_this_site_alone(site: Path) -> None:
    stack = bare_stack()
    StaticSiteWithCloudFront(stack, "Site", site=site, config={"region": "here"})
    (policy,) = [one for name, one in resources(stack, "AWS::IAM::Policy").items() if "Release" in name]
    granted = {
        action: json.dumps(one["Resource"])
        for one in policy["PolicyDocument"]["Statement"]
        for action in (one["Action"] if isinstance(one["Action"], list) else [one["Action"]])
    }
    wanted = {"s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject", "cloudfront:CreateInvalidation"}
    assert {one for one in granted if one.startswith(("s3", "cloudfront"))} == wanted
    assert ".zip" in granted["s3:GetObject"], "it may read its archive alone"
    assert "SiteDistribution" in granted["cloudfront:CreateInvalidation"]
    release = only(stack, "Custom::SiteRelease")
    assert release["Config"] == {"region": "here"}
    assert release["EmptyOnDelete"] == "false"
    assert release["ServiceTimeout"] == "300"


def test_a_changed_asset_is_a_new_release_under_new_names(site: Path) -> None:
    def made() -> tuple[str, str]:
        stack = bare_stack()
        StaticSiteWithCloudFront(stack, "Site", site=site)
        code = only(stack, "AWS::CloudFront::Function")["FunctionCode"]
        (name,) = re.findall(r"/assets/a\.[0-9a-f]{12}\.css", code)
        return name, json.dumps(only(stack, "Custom::SiteRelease")["SourceKey"])

    first, again = made(), made()
    assert first == again, "the same files must be the same release"
    (site / "assets" / "a.css").write_text("p { color: red }")
    changed = made()
    assert changed[0] != first[0]
    assert changed[1] != first[1]


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"page_routes": ["posts"]}, r"page_routes: must be paths like '/about' or '/posts/\*', got 'posts'"),
        ({"page_routes": ["/a.b"]}, "page_routes: must be paths"),
        ({"connect_to": ["http://a.example"]}, "connect_to: must be origins like .*, got 'http://a.example'"),
        ({"domain_names": ["www.example.com"]}, "domain_names, certificate: give both or neither"),
        ({"domain_names": ["-.example.com"]}, "domain_names: must be domain names"),
        ({"domain_names": ["a.example", "a.example"]}, "domain_names: must be unique, got 'a.example' twice"),
    ],
)
def test_refusals(site: Path, props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StaticSiteWithCloudFront(bare_stack(), "Site", site=site, **props)


def test_a_certificate_without_a_domain_is_refused(site: Path) -> None:
    stack = bare_stack()
    certificate = acm.Certificate.from_certificate_arn(stack, "Certificate", CERTIFICATE)
    with pytest.raises(ValueError, match="got a certificate alone"):
        StaticSiteWithCloudFront(stack, "Site", site=site, certificate=certificate)


@pytest.mark.parametrize("page", ["index.html", "404.html"])
def test_a_site_lacks_no_page(site: Path, page: str) -> None:
    (site / page).unlink()
    with pytest.raises(ValueError, match=f"site: must be a folder with index.html and 404.html, got .* without {page}"):
        StaticSiteWithCloudFront(bare_stack(), "Site", site=site)


@pytest.mark.parametrize("path", ["api/*", "/api", "/*", "/a/b/*"])
def test_paths_are_one_folder(site: Path, path: str) -> None:
    stack = bare_stack()
    made = StaticSiteWithCloudFront(stack, "Site", site=site)
    with pytest.raises(ValueError, match=re.escape(f"path: must be a path like '/thumbnail/*', got {path!r}")):
        made.add_objects(path, s3.Bucket(stack, "Other"))


def test_two_in_one_stack_that_can_be_destroyed(site: Path) -> None:
    stack = bare_stack()
    for name in ("One", "Two"):
        StaticSiteWithCloudFront(stack, name, site=site, removal_policy=cdk.RemovalPolicy.DESTROY)
    template = synthesized(stack)
    assert len(resources(template, DISTRIBUTION)) == 2
    assert {one["EmptyOnDelete"] for one in resources(template, "Custom::SiteRelease").values()} == {"true"}
    heard = [guard for guard in guards_operations.GUARDS if guard.__name__ != "alarms_are_heard"]
    assert [said for guard in (*guards_security.GUARDS, *heard) for said in guard(template)] == []
