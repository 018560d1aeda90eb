"""The headers that tell a browser what a site's pages may do."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudfront as cloudfront
from constructs import Construct

_TWO_YEARS = Duration.days(730)
# Nothing inline, nothing from elsewhere, nobody frames it; scripts cannot turn text into markup.
# Source: W3C, "Content Security Policy Level 3"; OWASP, "Content Security Policy Cheat Sheet".
_POLICY: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "manifest-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
}


def content_security_policy(connect_to: Sequence[str] = ()) -> str:
    """The policy; scripts may talk to the site itself and to the origins named."""
    talking = {"connect-src": " ".join([_POLICY["connect-src"], *connect_to])}
    return "; ".join(f"{name} {value}" for name, value in {**_POLICY, **talking}.items())


def static_headers() -> dict[str, str]:
    """The same headers for an answer that CloudFront itself makes and no policy is applied to."""
    return {
        "content-security-policy": content_security_policy(),
        "referrer-policy": "strict-origin-when-cross-origin",
        "strict-transport-security": f"max-age={_TWO_YEARS.to_seconds():.0f}; includeSubDomains",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


def security_headers(
    scope: Construct, construct_id: str, connect_to: Sequence[str]
) -> cloudfront.ResponseHeadersPolicy:
    """The policy that adds them to every answer of a behaviour, whatever its origin said."""
    return cloudfront.ResponseHeadersPolicy(
        scope,
        construct_id,
        security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
            content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                content_security_policy=content_security_policy(connect_to), override=True
            ),
            content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
            frame_options=cloudfront.ResponseHeadersFrameOptions(
                frame_option=cloudfront.HeadersFrameOption.DENY, override=True
            ),
            referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                referrer_policy=cloudfront.HeadersReferrerPolicy.STRICT_ORIGIN_WHEN_CROSS_ORIGIN, override=True
            ),
            strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                access_control_max_age=_TWO_YEARS, include_subdomains=True, override=True
            ),
        ),
    )
