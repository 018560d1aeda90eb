"""Who may not list a bucket is not told that an object is missing: 403 instead of 404, as S3 does.

Without this fix the emulator answers 404 to everybody who may read, so a function that needs `s3:ListBucket` to tell a
missing object from a forbidden one seems not to need it.
"""

import functools
from typing import Any

from localcloud.internals import need


def apply() -> None:
    """Ask for the right to list as well, when an object that may be read is not there."""
    evaluator = need("core.iam_evaluator", "enforce")
    s3 = need("services.s3", "_buckets")
    enforce = evaluator.enforce

    @functools.wraps(enforce)
    def enforced(access_key: str, action: str, service: str, region: str, resource_arn: str = "*", **more: Any) -> Any:
        denied = enforce(access_key, action, service, region, resource_arn=resource_arn, **more)
        bucket_arn, _, key = resource_arn.partition("/")
        if denied or action != "s3:GetObject" or not key:
            return denied
        bucket = s3._buckets.get(bucket_arn.rsplit(":", 1)[-1])
        if bucket is None or key in bucket["objects"]:
            return None
        # By its name in the module, where the decision log sits: this decision is logged too.
        return evaluator.enforce(access_key, "s3:ListBucket", "s3", region, resource_arn=bucket_arn)

    vars(evaluator)["enforce"] = enforced
