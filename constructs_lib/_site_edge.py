"""The parts of a site's distribution that stand alone: what is cached for an API, the router, and what is accepted."""

from collections.abc import Sequence

from aws_cdk import Annotations, Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._security_headers import static_headers
from constructs_lib._site_router import router_code


def api_cache(scope: Construct) -> cloudfront.CachePolicy:
    """The child "ApiCache" of ``scope``: what an API says may be cached, an hour at most, for each token by itself."""
    found = scope.node.try_find_child("ApiCache")
    if isinstance(found, cloudfront.CachePolicy):
        return found
    return cloudfront.CachePolicy(
        scope,
        "ApiCache",
        min_ttl=Duration.seconds(0),
        default_ttl=Duration.seconds(0),
        max_ttl=Duration.hours(1),
        # In the key, so that what one caller was told is never told to another.
        header_behavior=cloudfront.CacheHeaderBehavior.allow_list("Authorization"),
        query_string_behavior=cloudfront.CacheQueryStringBehavior.all(),
        enable_accept_encoding_gzip=True,
        enable_accept_encoding_brotli=True,
    )


def page_router(scope: Construct, routes: Sequence[str], not_found: str) -> cloudfront.FunctionAssociation:
    """The function "Router" at each viewer's request."""
    function = cloudfront.Function(
        scope,
        "Router",
        runtime=cloudfront.FunctionRuntime.JS_2_0,
        code=cloudfront.FunctionCode.from_inline(router_code(routes, static_headers(), not_found)),
        comment="Which path is which file of the site",
    )
    return cloudfront.FunctionAssociation(event_type=cloudfront.FunctionEventType.VIEWER_REQUEST, function=function)


def acknowledge_edge(distribution: cloudfront.Distribution, certificate: acm.ICertificate | None) -> None:
    """Say why a public site is as it is."""
    reasons = {
        "AwsSolutions-CFR1": "The site is meant for the whole world; nothing about it is restricted by country.",
        "AwsSolutions-CFR2": "Its files are public and the API behind it throttles; a WAF bills by the hour.",
    }
    if certificate is None:
        old = "CloudFront's own certificate fixes what is spoken; with a domain and certificate it is TLS 1.2."
        reasons["AwsSolutions-CFR4"] = old
    acknowledge(distribution, reasons)
    Annotations.of(distribution).acknowledge_warning(
        "@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk",
        "Listing would take a request for the bucket itself, and that is always the default root object.",
    )


def allow_acls(bucket: s3.Bucket) -> None:
    """CloudFront delivers its logs by ACL, the one thing that no policy can allow it to do."""
    resource = bucket.node.default_child
    if isinstance(resource, s3.CfnBucket):
        resource.ownership_controls = s3.CfnBucket.OwnershipControlsProperty(
            rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerPreferred")]
        )
