"""Who uses an encrypted queue, topic or secret needs its key as well.

Without this fix the emulator asks no key at all: a publisher without `kms:GenerateDataKey` publishes, whoever may read
a secret reads it without its key, and SNS or S3 deliver into a queue or topic whose key's policy does not know them.
"""

import functools
from typing import Any

from localcloud import iam_log, roles
from localcloud.internals import need


def apply() -> None:
    """Wrap the decision about callers, and the resource policies' about services."""
    evaluator = need("core.iam_evaluator", "enforce", "EvalContext", "evaluate_resource_policy")
    sqs, sns = need("services.sqs", "queue_policy_allows"), need("services.sns", "topic_policy_allows")
    kms = need("services.kms", "key_policy_for_arn")
    enforce = evaluator.enforce

    @functools.wraps(enforce)
    def enforced(access_key: str, action: str, service: str, region: str, resource_arn: str = "*", **more: Any) -> Any:
        denied = enforce(access_key, action, service, region, resource_arn=resource_arn, **more)
        for key_action, key in roles.key_rights(action, resource_arn):
            # By its name in the module, where the decision log sits: the key's decision is logged too.
            through = {"kms:ViaService": f"{service}.{region}.amazonaws.com"}
            denied = denied or evaluator.enforce(
                access_key, key_action, "kms", region, resource_arn=key, service_context=through
            )
        return denied

    def key_allows(service: str, source_arn: str, action: str, resource: str) -> bool:
        return all(
            may_use(service, source_arn, key_action, key) for key_action, key in roles.key_rights(action, resource)
        )

    def may_use(service: str, source_arn: str, action: str, key: str) -> bool:
        policy, account = kms.key_policy_for_arn(key) or ("", "")
        context = evaluator.EvalContext(
            principal_arn="*",
            principal_type="Service",
            principal_account="",
            action=action,
            resource_arn=key,
            region=key.split(":")[3],
            secure_transport=True,
            service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": account},
        )
        decision = evaluator.evaluate_resource_policy(policy, context, service=service).decision
        iam_log.record(principal=service, action=action, resource=key, allowed=decision == "Allow")
        return bool(decision == "Allow")

    def with_key(admits: Any, action: str) -> Any:
        def allowed(arn: str, service: str, source_arn: str, source_account: str) -> bool:
            return admits(arn, service, source_arn, source_account) and key_allows(service, source_arn, action, arn)

        return allowed

    vars(evaluator)["enforce"] = enforced
    vars(sqs)["queue_policy_allows"] = with_key(sqs.queue_policy_allows, "sqs:SendMessage")
    vars(sns)["topic_policy_allows"] = with_key(sns.topic_policy_allows, "sns:Publish")
