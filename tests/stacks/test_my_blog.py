"""What must never drift in the blog's stack."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_certificatemanager as acm

from stacks.my_blog import MyBlog
from stacks.settings import Settings
from tests.repo.policies import many
from tests.templates import NO_BUNDLING, flags, only, resources, scratch, synthesized, template

METHOD = "AWS::ApiGateway::Method"


@pytest.fixture(scope="module")
def blog() -> dict[str, Any]:
    return template("my-blog")


def test_readers_come_in_freely_and_writers_with_a_token(blog: dict[str, Any]) -> None:
    paths = {name: one["PathPart"] for name, one in resources(blog, "AWS::ApiGateway::Resource").items()}
    found = {}
    for method in resources(blog, METHOD).values():
        where = paths[method["ResourceId"]["Ref"]]
        found[f"{method['HttpMethod']} {where}", method["ResourceId"]["Ref"][:18]] = method["AuthorizationType"]
    kinds = sorted((name, kind) for (name, _), kind in found.items())
    assert kinds == [
        ("GET posts", "NONE"),
        ("GET {id}", "COGNITO_USER_POOLS"),
        ("GET {id}", "NONE"),
        ("POST photos", "COGNITO_USER_POOLS"),
        ("POST posts", "COGNITO_USER_POOLS"),
        ("POST subscribers", "NONE"),
    ]


def test_one_name_serves_site_api_and_thumbnails(blog: dict[str, Any]) -> None:
    config = only(blog, "AWS::CloudFront::Distribution")["DistributionConfig"]
    assert [one["PathPattern"] for one in config["CacheBehaviors"]] == ["/api/*", "/thumbnail/*"]
    behaviours = [config["DefaultCacheBehavior"], *config["CacheBehaviors"]]
    assert {one["ViewerProtocolPolicy"] for one in behaviours} == {"redirect-to-https"}
    assert {one["Compress"] for one in behaviours} == {True}
    assert len({json.dumps(one["ResponseHeadersPolicyId"]) for one in behaviours}) == 1


def test_scripts_talk_to_the_uploads_and_to_cognito_alone(blog: dict[str, Any]) -> None:
    headers = only(blog, "AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    policy = headers["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "<>" for part in policy)
    assert "connect-src 'self' https://<>.s3.<>.<> https://cognito-idp.<>.<>;" in text
    assert "*" not in text, "a wildcard would let a script send what it sees to anybody's bucket"


def test_posts_are_in_two_regions_and_subscribers_in_one(blog: dict[str, Any]) -> None:
    tables = resources(blog, "AWS::DynamoDB::GlobalTable")
    (posts,) = [one for name, one in tables.items() if name.startswith("Posts")]
    (subscribers,) = [one for name, one in tables.items() if name.startswith("Subscribers")]
    assert [one["Region"] for one in posts["Replicas"]] == [{"Ref": "AWS::Region"}, "eu-central-1"]
    assert [one["Region"] for one in subscribers["Replicas"]] == [{"Ref": "AWS::Region"}]
    assert subscribers["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    for table in (posts, subscribers):
        assert all(one["DeletionProtectionEnabled"] is True for one in table["Replicas"])


def test_the_api_cannot_read_subscribers_or_uploads(blog: dict[str, Any]) -> None:
    (policy,) = [one for name, one in resources(blog, "AWS::IAM::Policy").items() if name.startswith("ApiRole")]
    granted: dict[str, set[str]] = {}
    for statement in policy["PolicyDocument"]["Statement"]:
        for resource in many(statement["Resource"]):
            granted.setdefault(json.dumps(resource), set()).update(many(statement["Action"]))
    (subscribers,) = [actions for resource, actions in granted.items() if "SubscribersTable" in resource]
    assert subscribers == {"dynamodb:PutItem"}
    (uploads,) = [(resource, actions) for resource, actions in granted.items() if "UploadsBucket" in resource]
    assert uploads[1] == {"s3:PutObject"}
    assert "/photos/*" in uploads[0]


def test_the_pool_gives_no_password_away(blog: dict[str, Any]) -> None:
    client = only(blog, "AWS::Cognito::UserPoolClient")
    assert set(client["ExplicitAuthFlows"]) == {"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
    assert only(blog, "AWS::Cognito::UserPoolGroup")["GroupName"] == "authors"


def test_domain_acceleration_and_regions_are_props() -> None:
    app = cdk.App(context={**flags(), **NO_BUNDLING}, outdir=str(scratch()))
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
    stack = MyBlog(
        app,
        "MyBlog",
        settings=Settings(),
        domain_names=["www.example.com"],
        certificate=acm.Certificate.from_certificate_arn(app, "Certificate", arn),
        accelerate_uploads=True,
        replica_regions=["eu-west-1", "ap-south-1"],
    )
    found = synthesized(stack)
    config = only(found, "AWS::CloudFront::Distribution")["DistributionConfig"]
    assert config["Aliases"] == ["www.example.com"]
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    (uploads,) = [one for name, one in resources(found, "AWS::S3::Bucket").items() if name.startswith("UploadsBucket")]
    assert uploads["AccelerateConfiguration"] == {"AccelerationStatus": "Enabled"}
    assert uploads["CorsConfiguration"]["CorsRules"][0]["AllowedOrigins"] == ["https://www.example.com"]
    (posts,) = [one for name, one in resources(found, "AWS::DynamoDB::GlobalTable").items() if name.startswith("Posts")]
    assert [one["Region"] for one in posts["Replicas"][1:]] == ["eu-west-1", "ap-south-1"]
    assert found["Outputs"]["SiteUrl"]["Value"] == "https://www.example.com"
