"""CloudFront -> private S3: videos that only signed links open, and the keys that sign them."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._buckets import access_log_bucket, private_bucket
from constructs_lib._checks import matches, one_of, seconds_in_range
from constructs_lib.function_target import FunctionTarget
from constructs_lib.signing_keys import SigningKeys

_MAX_LINK_SECONDS = 24 * 3600


class PaidContentDistribution(Construct):
    """Videos for those who paid: without a valid signature CloudFront gives nothing, and S3 speaks to CloudFront alone.

    Defines a private bucket, a distribution in front of it (origin access control, HTTPS only, security headers, access
    logs) that trusts a key group, the keys (``SigningKeys``: made at deploy time, two of them, ready to be rotated),
    and a bucket of access logs that are kept for 90 days.

    Files lie at ``videos/<id>/<file>``, streams (HLS) at ``videos/<id>/hls/``. A link binds the file's URL and its
    expiry, and the viewer's IPv4 address when it is asked to. The distribution has no IPv6: a viewer with both would
    come with an address other than the one a link is bound to (source: Amazon CloudFront developer guide, "Enable
    IPv6").

    CloudFront looks at the expiry when a request begins: a download under way goes on, while a player that fetches
    piece by piece asks for a new link, or new cookies, when the old ones are over.

    TLS 1.2 and up is demanded with a ``domain_name`` of your own; on a name below ``cloudfront.net`` AWS fixes the
    policy.

    Args:
        signing_keys: Names of the keys that are trusted, see ``SigningKeys``. Default "blue" and "green".
        signs_with: The one that signs new links. Left out: the first of them.
        link_validity: How long a link lasts at most, 1 second-24 hours. Default 5 minutes.
        bind_ip: Whether each link is for the address that asked for it alone. Default False: when the caller asks.
        domain_name: A name of your own, "videos.example.com". Left out: one below ``cloudfront.net``.
        certificate: Its certificate, in us-east-1. Needed with ``domain_name`` and only then.
        target: Python version and processor of the function that makes the keys. Left out: Python 3.13 on arm64.
        removal_policy: What happens to buckets and secrets when the stack is deleted. Default RETAIN. With DESTROY AWS
            deletes empty buckets only.

    Attributes:
        distribution: The distribution.
        domain_name: Host name of the videos' URLs.
        bucket: Where the videos are.
        access_logs_bucket: Logs of viewers and of the bucket's own accesses.
        keys: The signing keys.
        environment: What a function that signs has to be told: DISTRIBUTION_DOMAIN, SIGNING_KEYS (ids and ARNs),
            SIGNING_KEY (a name), LINK_SECONDS, BIND_IP. No secrets.
        alarms: Alarms of the key maker; hand them to an ``AlarmTopic``. The distribution's metrics are in us-east-1
            alone; set alarms on them there.

    Raises:
        ValueError: A prop is out of range, ``signs_with`` is no key, or name and certificate do not come together.

    Example:
        videos = PaidContentDistribution(stack, "Videos", link_validity=Duration.minutes(2))
        links = PythonFunction(stack, "Links", package="paid_content_api", environment=videos.environment)
        videos.grant_sign(links.function)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        signing_keys: Sequence[str] = ("blue", "green"),
        signs_with: str | None = None,
        link_validity: Duration | None = None,
        bind_ip: bool = False,
        domain_name: str | None = None,
        certificate: acm.ICertificate | None = None,
        target: FunctionTarget | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        link_validity = link_validity or Duration.minutes(5)
        seconds_in_range("link_validity", link_validity, 1, _MAX_LINK_SECONDS)
        _check_name(domain_name, certificate)

        self.keys = SigningKeys(self, "Keys", names=signing_keys, target=target, removal_policy=removal_policy)
        signs_with = signs_with or signing_keys[0]
        one_of("signs_with", signs_with, signing_keys)
        self.access_logs_bucket = _log_bucket(self, removal_policy)
        self.bucket = private_bucket(
            self, "Content", removal_policy=removal_policy, versioned=True, logs_to=self.access_logs_bucket
        )
        self.distribution = self._distribution(domain_name, certificate)
        self.domain_name = domain_name or self.distribution.distribution_domain_name
        self.environment: Mapping[str, str] = {
            "DISTRIBUTION_DOMAIN": self.domain_name,
            "SIGNING_KEYS": self.keys.description(),
            "SIGNING_KEY": signs_with,
            "LINK_SECONDS": str(link_validity.to_seconds()),
            "BIND_IP": str(bind_ip).lower(),
        }
        # Of the key maker alone: CloudFront's metrics are in us-east-1 only, and an alarm sees its own region's.
        self.alarms = self.keys.alarms

    def grant_sign(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` sign links: read the private keys, and nothing else."""
        return self.keys.grant_sign(grantee)

    def grant_publish(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` put videos into the bucket; neither read nor delete them."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["s3:PutObject"], resource_arns=[self.bucket.arn_for_objects("videos/*")]
        )

    def _distribution(self, domain_name: str | None, certificate: acm.ICertificate | None) -> cloudfront.Distribution:
        made = cloudfront.Distribution(
            self,
            "Distribution",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(self.bucket),
                trusted_key_groups=[self.keys.key_group],
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
                # The signature is in no cache key: viewers share what is cached, and each is checked before it is used.
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                response_headers_policy=_security_headers(self),
                # Videos are compressed already.
                compress=False,
            ),
            domain_names=[domain_name] if domain_name else None,
            certificate=certificate,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021 if certificate else None,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            enable_ipv6=False,
            enable_logging=True,
            log_bucket=self.access_logs_bucket,
            log_file_prefix="viewers/",
            # Cookies are keys to the streams.
            log_includes_cookies=False,
        )
        reasons = {
            "AwsSolutions-CFR1": "Who may watch is decided by purchase, not by country.",
            "AwsSolutions-CFR2": "Nothing behind it runs code or takes input: signed GETs of files from a bucket.",
        }
        if not certificate:
            reasons["AwsSolutions-CFR4"] = "AWS fixes the policy of cloudfront.net names; domain_name demands TLS 1.2."
        acknowledge(made, reasons)
        return made


def _check_name(domain_name: str | None, certificate: acm.ICertificate | None) -> None:
    if domain_name is not None:
        label = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
        matches("domain_name", domain_name, rf"({label}\.)+{label}", 'a name as "videos.example.com"')
    if (domain_name is None) != (certificate is None):
        given = "certificate" if domain_name is None else "domain_name"
        raise ValueError(f"domain_name, certificate: must be given together, got {given} alone")


def _log_bucket(scope: Construct, removal_policy: RemovalPolicy) -> s3.Bucket:
    bucket = access_log_bucket(scope, "AccessLogs", removal_policy=removal_policy)
    resource = bucket.node.default_child
    if isinstance(resource, s3.CfnBucket):
        # CloudFront's standard logs are written by an ACL, which the strictest setting forbids; public ones stay
        # blocked (source: Amazon CloudFront developer guide, "Standard logging (legacy)"; its successor can be set up
        # in us-east-1 alone).
        rule = s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerPreferred")
        resource.ownership_controls = s3.CfnBucket.OwnershipControlsProperty(rules=[rule])
    return bucket


def _security_headers(scope: Construct) -> cloudfront.ResponseHeadersPolicy:
    return cloudfront.ResponseHeadersPolicy(
        scope,
        "SecurityHeaders",
        security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
            strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                access_control_max_age=Duration.days(365), include_subdomains=True, override=True
            ),
            content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
            frame_options=cloudfront.ResponseHeadersFrameOptions(
                frame_option=cloudfront.HeadersFrameOption.DENY, override=True
            ),
            # A signed URL must not travel on in a Referer.
            referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
            ),
            content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                content_security_policy="default-src 'none'; media-src 'self'; frame-ancestors 'none'", override=True
            ),
        ),
    )
