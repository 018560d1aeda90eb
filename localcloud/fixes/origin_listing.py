"""A bucket that lets its distribution list answers 404 for what is not there.

Without this fix the emulator answers 403 in any case, as S3 does to a distribution that may only read.
"""

import functools
from typing import Any

from localcloud.internals import need

_MISSING = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
    "<Message>The specified key does not exist.</Message></Error>"
)


def apply() -> None:
    """Wrap the fetch from a bucket."""
    s3 = need(
        "services.s3", "serve_cloudfront_origin_fetch", "_bucket_policies", "_bucket_owner_account", "get_account_id"
    )
    evaluator = need("core.iam_evaluator", "EvalContext", "evaluate_resource_policy")
    fetch = s3.serve_cloudfront_origin_fetch

    def may_list(bucket: str, source_arn: str) -> bool:
        owner = s3._bucket_owner_account(bucket) or s3.get_account_id()
        policy = s3._bucket_policies.get_scoped(owner, None, bucket)
        if not policy or not source_arn:
            return False
        context = evaluator.EvalContext(
            principal_arn="*",
            principal_type="Service",
            principal_account="",
            action="s3:ListBucket",
            resource_arn=f"arn:aws:s3:::{bucket}",
            region=s3.get_region(),
            service_context={"aws:sourcearn": source_arn},
        )
        decided = evaluator.evaluate_resource_policy(policy, context, service="cloudfront.amazonaws.com")
        return bool(decided.decision == "Allow")

    @functools.wraps(fetch)
    def fetched(bucket_name: str, key: str, method: str, headers: Any, **origin: str) -> Any:
        answer = fetch(bucket_name, key, method, headers, **origin)
        bucket = s3._buckets.get(bucket_name)
        missing = answer[0] == 403 and bucket is not None and key not in bucket["objects"]  # noqa: PLR2004
        if not missing or not may_list(bucket_name, origin.get("source_arn", "")):
            return answer
        return 404, {"Content-Type": "application/xml"}, b"" if method == "HEAD" else _MISSING.encode()

    vars(s3)["serve_cloudfront_origin_fetch"] = fetched
