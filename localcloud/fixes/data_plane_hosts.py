"""APIs and distributions answer to their names alone, whatever the path, and a distribution to its alternate names.

Without this fix the emulator answers some paths itself (/health, /logout) under every name, and finds a distribution by
its own name only. As on AWS, a record that leads to a distribution which does not list the name is answered 403.
"""

import functools
from typing import Any

from localcloud.fixes._aliases import end_of
from localcloud.internals import need


def apply() -> None:
    """Keep the emulator's own paths off those names, and find distributions by records."""
    app = need(
        "app",
        *("_handle_pre_body_request", "_handle_post_body_shortcuts", "_handle_cloudfront_dataplane_request"),
        *("_parse_cloudfront_dataplane_host", "_parse_execute_api_url", "_resolve_custom_domain_request"),
    )
    cloudfront = need(
        "services.cloudfront", "find_distribution_for_label", "_get_distribution_aliases", "_cf_error_response"
    )
    parse, serve = app._parse_cloudfront_dataplane_host, app._handle_cloudfront_dataplane_request

    def label_of(host: str) -> Any:
        return parse(host) or parse(end_of(host.partition(":")[0]))

    def is_named(headers: dict[str, str]) -> bool:
        host = headers.get("host", "")
        by_name = label_of(host) or app._parse_execute_api_url(host, "/x")
        return bool(by_name or app._resolve_custom_domain_request(host, "/"))

    def left_alone(handle: Any) -> Any:
        @functools.wraps(handle)
        async def handled(method: str, path: str, headers: dict[str, str], *rest: Any) -> Any:
            return None if is_named(headers) else await handle(method, path, headers, *rest)

        return handled

    async def served(host: str, *request: Any) -> Any:
        label = label_of(host)
        found = cloudfront.find_distribution_for_label(label) if label and not parse(host) else None
        names = [name.lower() for name in cloudfront._get_distribution_aliases(found)] if found else []
        if found and host.partition(":")[0].lower() not in names:
            return cloudfront._cf_error_response(403, "The request could not be satisfied.", "Error from cloudfront")
        return await serve(host, *request)

    vars(app).update(
        _parse_cloudfront_dataplane_host=label_of,
        _handle_cloudfront_dataplane_request=served,
        _handle_pre_body_request=left_alone(app._handle_pre_body_request),
        _handle_post_body_shortcuts=left_alone(app._handle_post_body_shortcuts),
    )
