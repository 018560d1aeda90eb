"""A distribution whose behaviour trusts key groups asks for a signature.

Without this fix the emulator ignores `TrustedKeyGroups`: whoever asks for a file gets it. The check is a stand-in for
CloudFront's own: AWS's published scheme, as `_viewer_signature` says.
"""

import time
from typing import Any

from localcloud.fixes._viewer_signature import PARAMETERS, RefusedError, Viewer, check, own_query
from localcloud.internals import need

_ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'


def apply() -> None:
    """Read the groups of each behaviour, and check the viewer's request before it is served."""
    cloudfront = need(
        "services.cloudfront",
        *("handle_viewer_request", "parse_distribution_dataplane_config", "_dataplane_behavior", "_match_behavior"),
        *("_find", "_check_viewer_protocol_policy", "_add_cloudfront_headers", "_render_headers"),
        *("_key_groups", "_public_keys"),
    )
    serve, parse = cloudfront.handle_viewer_request, cloudfront._dataplane_behavior

    def behaviour(element: Any, *rest: Any) -> dict[str, Any]:
        trusted = cloudfront._find(element, "TrustedKeyGroups")
        groups = [] if trusted is None else [one.text for one in trusted.iter() if one.tag.endswith("KeyGroup")]
        return {**parse(element, *rest), "trusted_key_groups": groups}

    def keys(groups: list[str]) -> dict[str, str]:
        listed = [key for group in groups for key in cloudfront._key_groups[group]["Config"]["Items"]]
        return {key: cloudfront._public_keys[key]["Config"]["EncodedKey"] for key in listed}

    def refusal(error: RefusedError) -> Any:
        headers = cloudfront._add_cloudfront_headers({"content-type": "text/xml"}, "Error from cloudfront")
        body = _ERROR.format(code=error.code, message=error).encode()
        return 403, cloudfront._render_headers(headers, title_case=True), body

    async def checked(*request: Any) -> Any:
        dist, method, path, raw_uri, query, headers, body, parameters, client_ip = request
        found = cloudfront._match_behavior(cloudfront.parse_distribution_dataplane_config(dist), path)
        tls = headers.get("x-forwarded-proto") == "https"
        redirected = cloudfront._check_viewer_protocol_policy(found, method, tls, raw_uri, query, headers)
        if not redirected and found["trusted_key_groups"]:
            asked = f"{raw_uri}?{query}" if query else raw_uri
            url = f"{'https' if tls else 'http'}://{headers.get('host', '').lower()}{asked}"
            try:
                viewer = Viewer(url, headers.get("cookie", ""), client_ip, time.time())
                check(viewer, keys(found["trusted_key_groups"]))
            except RefusedError as error:
                return refusal(error)
            query = own_query(query)
            parameters = {name: each for name, each in (parameters or {}).items() if name not in PARAMETERS}
        return await serve(dist, method, path, raw_uri, query, headers, body, parameters, client_ip)

    vars(cloudfront)["_dataplane_behavior"] = behaviour
    vars(cloudfront)["handle_viewer_request"] = checked
