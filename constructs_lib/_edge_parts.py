"""The parts of an offloading distribution: what is kept for how long, and what is watched."""

from aws_cdk import Duration
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when
from constructs_lib._security_headers import security_headers

_SERVER_ERROR_PERCENT = 5
_NOT_FOUND_FOR, _FAILING_FOR = Duration.seconds(10), Duration.seconds(1)


class Behaviours:
    """The three ways in which a path is answered; policies are children of the scope."""

    def __init__(self, scope: Construct) -> None:
        self._headers = security_headers(scope, "Headers", [])
        self._files = _policy(scope, "Files", usual=Duration.days(1), longest=Duration.days(365))
        self._manifests = _policy(scope, "Manifests", usual=Duration.seconds(30), longest=Duration.minutes(1))

    def file(self, origin: cloudfront.IOrigin) -> cloudfront.BehaviorOptions:
        """Kept long."""
        return self._kept(origin, self._files)

    def manifest(self, origin: cloudfront.IOrigin) -> cloudfront.BehaviorOptions:
        """Kept for moments."""
        return self._kept(origin, self._manifests)

    def passing(self, origin: cloudfront.IOrigin) -> cloudfront.BehaviorOptions:
        """Passed on with all that the client sent but the name, and not kept."""
        return cloudfront.BehaviorOptions(
            origin=origin,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            response_headers_policy=self._headers,
        )

    def _kept(self, origin: cloudfront.IOrigin, policy: cloudfront.ICachePolicy) -> cloudfront.BehaviorOptions:
        return cloudfront.BehaviorOptions(
            origin=origin,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
            cache_policy=policy,
            response_headers_policy=self._headers,
            # What is compressed has no byte ranges, and is not what the origin's digest (RFC 9530) is of.
            compress=False,
        )


def _policy(scope: Construct, construct_id: str, *, usual: Duration, longest: Duration) -> cloudfront.CachePolicy:
    """The path alone is the key: neither query nor cookies nor headers, which would only make more of the same."""
    return cloudfront.CachePolicy(
        scope,
        construct_id,
        min_ttl=Duration.seconds(0),
        default_ttl=usual,
        max_ttl=longest,
        cookie_behavior=cloudfront.CacheCookieBehavior.none(),
        header_behavior=cloudfront.CacheHeaderBehavior.none(),
        query_string_behavior=cloudfront.CacheQueryStringBehavior.none(),
        enable_accept_encoding_gzip=False,
        enable_accept_encoding_brotli=False,
    )


def error_responses() -> list[cloudfront.ErrorResponse]:
    """How long errors are kept; the origin's own answers stay as they are."""
    kept = {404: _NOT_FOUND_FOR, **dict.fromkeys((500, 502, 503, 504), _FAILING_FOR)}
    return [cloudfront.ErrorResponse(http_status=status, ttl=ttl) for status, ttl in kept.items()]


def acknowledge_logs(bucket: s3.Bucket) -> None:
    """Say why a bucket of logs has none itself."""
    acknowledge(bucket, {"AwsSolutions-S1": "It holds access logs itself; logging who reads them would never end."})


def alarms(
    scope: Construct, distribution: cloudfront.Distribution, origin: elbv2.ApplicationLoadBalancer, requests: int
) -> list[cloudwatch.Alarm]:
    """Of the origin's load, and of the answers.

    None on the share of hits, though it is published: few requests hit seldom and harm nobody. What a bad share does is
    load at the origin, and that is watched where it arrives, in every region.
    """
    five = Duration.minutes(5)
    asked = origin.metrics.request_count(period=Duration.minutes(1))
    failing = distribution.metric5xx_error_rate(period=five)
    fails = f"answers more than {_SERVER_ERROR_PERCENT} % with 5xx"
    return [
        alarm_when(
            scope, "OriginAlarm", asked, above=requests, says=f"leaves over {requests} a minute to it", periods=3
        ),
        alarm_when(scope, "ServerErrorsAlarm", failing, above=_SERVER_ERROR_PERCENT, says=fails),
    ]
