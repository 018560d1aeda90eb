"""CloudFront in front of a load balancer: files are fetched from the servers once, and then from the edge."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from constructs import Construct, IDependable

from constructs_lib import _edge_parts
from constructs_lib._buckets import access_log_bucket
from constructs_lib._checks import in_range, matches, not_empty, unique
from constructs_lib._edge_lookup import EdgeAddresses
from constructs_lib._load_balancer import HttpsLoadBalancer
from constructs_lib._origin_secret import HEADER, OriginSecret
from constructs_lib._site_edge import acknowledge_edge, allow_acls
from constructs_lib.function_target import FunctionTarget

_DOMAIN = r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
_PATH = r"/[A-Za-z0-9_./*-]*"
_REGION = "us-east-1"
_MAX_SECRETS = 3
_MAX_REQUESTS = 10_000_000


class EdgeOffload(Construct):
    """A distribution that takes the load of files off servers that know nothing of it.

    Defines the distribution (HTTP/2 and 3, HTTP redirected, HTTPS to the origin, security headers, access logs kept for
    90 days), its cache policies, and what closes the load balancer: it admits CloudFront's addresses alone, a prefix
    list that AWS keeps, and of their requests those that bear a secret header, since anybody's distribution comes from
    these addresses. Others are answered 403.

    - ``file_paths`` are kept for as long as their origin says, a day when it says nothing and a year at most. The path
      is the key, without query, cookies and headers; ranges and If-Range pass, so a broken download is resumed.
    - ``manifest_paths`` are kept for as long as their origin says, 30 seconds when it says nothing, at most a minute.
    - Neither is compressed on the way: ranges and digests stay those of the origin.
    - Everything else is passed on as it comes, and not kept.
    - That there is no such file is kept for 10 seconds; that the origin fails for one, so that a stampede spares it.

    **In front of a load balancer that serves already**: it refuses others once the distribution is there, and loses its
    open rules at the end of the deployment. With ``close_after`` it refuses them once its names lead here, too; then
    only who still has its addresses is turned away, for the minute that an alias record lives. When the edge is taken
    away, names lead back before the rule that refuses goes, which CloudFormation deletes at the end.

    CloudFront's addresses count as 55 of the 60 rules that a security group has room for (source: Amazon VPC user
    guide, "AWS-managed prefix list weight"), so there is none for a second edge.

    **Rotation** of the secret takes two deployments: put a new name behind the old one (``["blue", "green"]``), then
    leave the old one out (``["green"]``). The last is sent, each is accepted.

    Args:
        front: The load balancer; it must face the internet and not be ``open``. Rules of its listener with other
            priorities come after.
        origin_domain: A name that leads to it and is in its certificate. The distribution asks for it by that name.
        file_paths: Patterns of what never changes under its name, at least one: "/releases/*".
        manifest_paths: Patterns below them of what does: "/releases/latest.json". Default none.
        domain_names: The distribution's own names, as the certificate has them. Left out: a name of CloudFront's.
        certificate: Certificate (us-east-1) of ``domain_names``.
        origin_shield_region: Region nearest to the origin, in which all edges share one more cache, billed by the
            request. Left out: none.
        price_class: Which edges there are. Default PRICE_CLASS_100, North America and Europe.
        secret_names: Names of secrets, 1-3, the last of which is sent. Default "blue".
        origin_requests_alarm: Requests a minute at the origin that raise an alarm, 1-10000000. Default 6000.
        target: Python version and processor of the function that looks up the prefix list. Left out: Python 3.13 on
            arm64.
        removal_policy: What happens to the access logs when the stack is deleted. Default RETAIN.

    Attributes:
        distribution: The distribution.
        url: Where it is, without a slash at the end.
        access_logs_bucket: Its logs. CloudFront delivers none to regions that an account must opt in to (source:
            CloudFront developer guide, "Choosing an Amazon S3 bucket for your standard logs").
        alarms: On requests that are left to the origin, on 5xx, and of the function. That on 5xx works in us-east-1,
            where CloudFront publishes its metrics, the additional ones (cache hit rate) among them.

    Raises:
        ValueError: A prop is out of range or of another form, ``front`` is open or internal, only one of domain names
            and certificate is given, or the certificate is known to be of another region.

    Example:
        tier = LoadBalancedWebTier(
            stack, "Tier", vpc=vpc, application=application, certificate=certificate, open=False
        )
        EdgeOffload(stack, "Edge", front=tier.front, origin_domain="origin.example.com", file_paths=["/releases/*"])
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        front: HttpsLoadBalancer,
        origin_domain: str,
        file_paths: Sequence[str],
        manifest_paths: Sequence[str] = (),
        domain_names: Sequence[str] = (),
        certificate: acm.ICertificate | None = None,
        origin_shield_region: str | None = None,
        price_class: cloudfront.PriceClass = cloudfront.PriceClass.PRICE_CLASS_100,
        secret_names: Sequence[str] = ("blue",),
        origin_requests_alarm: int = 6000,
        target: FunctionTarget | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        if front.open:
            raise ValueError(f"front: must not be open, or the edge could be gone round, got {front.node.path}")
        if not front.internet_facing:
            raise ValueError(f"front: must face the internet, where the edge asks it, got {front.node.path}")
        matches("origin_domain", origin_domain, _DOMAIN, "a domain name as 'origin.example.com'")
        not_empty("file_paths", file_paths)
        unique("file_paths, manifest_paths", [*manifest_paths, *file_paths])
        for path in (*file_paths, *manifest_paths):
            matches("file_paths, manifest_paths", path, _PATH, "patterns like '/releases/*'")
        in_range("secret_names (number)", len(secret_names), 1, _MAX_SECRETS)
        unique("secret_names", secret_names)
        for name in secret_names:
            matches("secret_names", name, r"[a-z][a-z0-9]{0,31}", "1-32 of a-z and 0-9, beginning with a letter")
        if origin_shield_region is not None:
            matches("origin_shield_region", origin_shield_region, r"[a-z]{2}-[a-z]+-\d", "a region as 'eu-central-1'")
        in_range("origin_requests_alarm", origin_requests_alarm, 1, _MAX_REQUESTS)
        for name in domain_names:
            matches("domain_names", name, rf"(\*\.)?{_DOMAIN}", "domain names as 'updates.example.com'")
        if bool(domain_names) != bool(certificate):
            given = f"domain_names {list(domain_names)}" if domain_names else "a certificate"
            raise ValueError(f"domain_names, certificate: give both or neither, got {given} alone")
        _check_region(certificate)

        self._secret = OriginSecret(self, "Secret", front=front, names=secret_names)
        addresses = EdgeAddresses(self, "Addresses", target=target)
        front.admit(self, "In", prefix_list_id=addresses.prefix_list_id, description="HTTPS from CloudFront alone")
        origin = origins.HttpOrigin(
            origin_domain,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            custom_headers={HEADER: self._secret.value},
            # Shorter than the load balancer keeps a connection, so that it is never cut by the other side.
            keepalive_timeout=Duration.seconds(50),
            connection_timeout=Duration.seconds(5),
            origin_shield_region=origin_shield_region,
            origin_shield_enabled=origin_shield_region is not None,
        )
        self.access_logs_bucket = access_log_bucket(self, "AccessLogs", removal_policy=removal_policy)
        allow_acls(self.access_logs_bucket)
        _edge_parts.acknowledge_logs(self.access_logs_bucket)
        parts = _edge_parts.Behaviours(self)
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            default_behavior=parts.passing(origin),
            # The first pattern that fits is taken.
            additional_behaviors={
                **{path: parts.manifest(origin) for path in manifest_paths},
                **{path: parts.file(origin) for path in file_paths},
            },
            domain_names=list(domain_names) or None,
            certificate=certificate,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021 if certificate else None,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=price_class,
            error_responses=_edge_parts.error_responses(),
            log_bucket=self.access_logs_bucket,
            log_file_prefix="Distribution/",
            publish_additional_metrics=True,
        )
        acknowledge_edge(self.distribution, certificate)
        # A new secret is accepted before it is sent, and nobody is refused before there is another way.
        self.distribution.node.add_dependency(self._secret.admission)
        self._refusal = self._secret.refuse_others(after=self.distribution)
        self.url = f"https://{domain_names[0] if domain_names else self.distribution.distribution_domain_name}"
        self.alarms = [
            *_edge_parts.alarms(self, self.distribution, front.load_balancer, origin_requests_alarm),
            *addresses.alarms,
        ]

    def close_after(self, *records: IDependable) -> None:
        """Refuse whoever comes to the load balancer only when these records are there.

        Args:
            records: Those of ``domain_names``, which may have led to the load balancer before.
        """
        self._refusal.node.add_dependency(*records)


def _check_region(certificate: acm.ICertificate | None) -> None:
    """What is imported says its region in its ARN, which the CDK reads; of a new one only we know where it will be."""
    if isinstance(certificate, acm.Certificate):
        matches("certificate", certificate.env.region, _REGION, f"of {_REGION}, as CloudFront wants it")
