"""CloudFront in front of a private bucket: a static site with security headers, caching and, if wanted, an API."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib._alarms import alarm_when
from constructs_lib._buckets import access_log_bucket, private_bucket
from constructs_lib._checks import matches, unique
from constructs_lib._security_headers import security_headers
from constructs_lib._site_assets import check_site
from constructs_lib._site_edge import acknowledge_edge, allow_acls, api_cache, page_router
from constructs_lib._site_release import SiteRelease, staged_asset
from constructs_lib._site_router import check_routes
from constructs_lib.function_target import FunctionTarget

_DOMAIN = r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
_ORIGIN = r"https://\S+"
_PATH = r"/[A-Za-z0-9_.-]+/\*"
_SERVER_ERROR_PERCENT = 5


class StaticSiteWithCloudFront(Construct):
    """A static site: private bucket, CloudFront in front of it, files with the right headers.

    Defines the bucket (private, encrypted, TLS only; it admits this distribution alone, by origin access control), the
    distribution (HTTP/2 and 3, HTTP redirected to HTTPS, compression, access logs kept for 90 days), the headers that
    confine its pages (HSTS, a strict CSP, nosniff, no framing), and a release of the files at every deployment:

    - what lies in ``assets/`` gets a hash of its content into its name, wherever it is named as ``/assets/...``, and is
      cached for a year, ``immutable``; assets of former releases stay for 30 days for pages that are still open;
    - everything else is cached for a minute, and the edges forget it when it changes;
    - a path without a dot that is no page is answered 404 with ``404.html``, a file that is not there with 404.

    The CSP allows nothing inline and nothing from elsewhere, so pages bring scripts and styles as files.

    Args:
        site: Folder of the site, with index.html and a short 404.html. No build step: it is served as it is.
        page_routes: Paths that index.html answers besides "/", like "/about" or "/posts/*" (one word for "*").
        connect_to: Origins beside the site's own that its scripts talk to, like "https://cognito-idp...".
        config: Name -> value of ``/config.json``, for what only the deployment knows. Left out: no such file.
        domain_names: The site's own domains, as the certificate has them. Left out: a name of CloudFront's.
        certificate: Certificate (us-east-1) of ``domain_names``; with it TLS 1.2 and up is all that is spoken. Without
            it CloudFront's own certificate still lets old viewers in with TLS 1.0.
        target: Python version and processor of the release's function. Left out: Python 3.13 on arm64.
        removal_policy: What happens to the buckets when the stack is deleted. Default RETAIN. With DESTROY the site's
            files are removed; AWS deletes the bucket of logs only when it is empty.

    Attributes:
        bucket: The site's files.
        access_logs_bucket: Access logs of the bucket and of the distribution.
        distribution: The distribution.
        release: The release of the files: its ``function``, and ``files``, the archive it brings.
        url: Where the site is, without a slash at the end.
        alarms: Alarms on 5xx answers and on the release; hand them to an ``AlarmTopic``.

    Raises:
        ValueError: A prop is out of range, only one of domain names and certificate is given, or the site lacks a page
            or names an asset that is not there.

    Example:
        from pathlib import Path
        images = ImageRenditions(stack, "Images", renditions=[Rendition("thumbnail", max_edge=640)])
        site = StaticSiteWithCloudFront(stack, "Site", site=Path("web/blog"), page_routes=["/posts/*"])
        site.add_objects("/thumbnail/*", images.renditions_bucket)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        site: Path,
        page_routes: Sequence[str] = (),
        connect_to: Sequence[str] = (),
        config: Mapping[str, str] | None = None,
        domain_names: Sequence[str] = (),
        certificate: acm.ICertificate | None = None,
        target: FunctionTarget | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        check_site(site)
        check_routes(page_routes)
        unique("domain_names", domain_names)
        for prop, values, pattern, rule in (
            ("domain_names", domain_names, _DOMAIN, "domain names like 'www.example.com'"),
            ("connect_to", connect_to, _ORIGIN, "origins like 'https://api.example.com'"),
        ):
            for value in values:
                matches(prop, value, pattern, rule)
        if bool(domain_names) != bool(certificate):
            given = f"domain_names {list(domain_names)}" if domain_names else "a certificate"
            raise ValueError(f"domain_names, certificate: give both or neither, got {given} alone")

        self.access_logs_bucket = access_log_bucket(self, "AccessLogs", removal_policy=removal_policy)
        allow_acls(self.access_logs_bucket)
        self.bucket = private_bucket(self, "Files", removal_policy=removal_policy, logs_to=self.access_logs_bucket)
        files, not_found = staged_asset(self, site)
        self._headers = security_headers(self, "Headers", connect_to)
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            default_behavior=cloudfront.BehaviorOptions(
                # With the right to list, S3 says 404 of what is not there, not 403; nobody can list through this.
                origin=origins.S3BucketOrigin.with_origin_access_control(
                    self.bucket, origin_access_levels=[cloudfront.AccessLevel.READ, cloudfront.AccessLevel.LIST]
                ),
                function_associations=[page_router(self, page_routes, not_found)],
                **self._behaviour(),
            ),
            default_root_object="index.html",
            domain_names=list(domain_names) or None,
            certificate=certificate,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021 if certificate else None,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            log_bucket=self.access_logs_bucket,
            log_file_prefix="Distribution/",
        )
        acknowledge_edge(self.distribution, certificate)
        self.url = f"https://{domain_names[0] if domain_names else self.distribution.distribution_domain_name}"
        self.release = SiteRelease(
            self,
            "Release",
            files=files,
            bucket=self.bucket,
            distribution=self.distribution,
            config=config or {},
            target=target,
            removal_policy=removal_policy,
        )
        failing = self.distribution.metric5xx_error_rate(period=Duration.minutes(5))
        says = f"answers more than {_SERVER_ERROR_PERCENT} % of requests with 5xx"
        self.alarms = [
            *self.release.alarms,
            alarm_when(self, "ServerErrorsAlarm", failing, above=_SERVER_ERROR_PERCENT, says=says),
        ]

    def add_api(self, path: str, api: apigateway.RestApi, stage: str = "v1") -> None:
        """Let a REST API answer below a path, so that pages need talk to no other origin.

        Everything but the Host header is passed on, the caller's token too. Answers are cached as their Cache-Control
        says, an hour at most, for each token by itself: what one caller was told is never told to another.

        Args:
            path: Such as "/api/*"; the API's own paths begin with it.
            api: The API.
            stage: Its stage.

        Raises:
            ValueError: ``path`` is not of that form.
        """
        matches("path", path, _PATH, "a path like '/api/*'")
        stack = Stack.of(self)
        self.distribution.add_behavior(
            path,
            # By name, not by reference to the stage: the stage waits for all methods, which may wait for the site.
            origins.HttpOrigin(
                f"{api.rest_api_id}.execute-api.{stack.region}.{stack.url_suffix}",
                origin_path=f"/{stage}",
                protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
                origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            ),
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            **self._behaviour(api_cache(self)),
        )

    def add_objects(self, path: str, bucket: s3.IBucket) -> None:
        """Serve another bucket's objects below a path, which is the first part of their keys.

        Args:
            path: Such as "/thumbnail/*".
            bucket: A bucket of this stack; its policy will admit this distribution too.

        Raises:
            ValueError: ``path`` is not of that form.
        """
        matches("path", path, _PATH, "a path like '/thumbnail/*'")
        self.distribution.add_behavior(
            path, origins.S3BucketOrigin.with_origin_access_control(bucket), **self._behaviour()
        )

    def _behaviour(self, cache: cloudfront.ICachePolicy | None = None) -> dict[str, Any]:
        return {
            "viewer_protocol_policy": cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            "cache_policy": cache or cloudfront.CachePolicy.CACHING_OPTIMIZED,
            "response_headers_policy": self._headers,
            "compress": True,
        }
