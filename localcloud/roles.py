"""What a role may do, asked by the emulator's own hand where AWS acts under a role. Runs inside the emulator."""

from localcloud import iam_log
from localcloud.internals import need


def may(role_arn: str, action: str, resource: str, *, log: bool = True) -> bool:
    """Whether `role_arn` may do `action` on `resource`, by its policies and the resource's own.

    Args:
        role_arn: ARN of an IAM role; one that does not exist may nothing.
        action: as in a policy, `sqs:SendMessage`.
        resource: ARN.
        log: write the decision to the log; off for checks that are repeated many times a second.
    """
    evaluator = need(
        "core.iam_evaluator",
        *("EvalContext", "evaluate", "combine_resource_policy", "_gather_role_policies", "_permissions_boundary"),
        *("_resource_policy", "_POLICY_REQUIRED"),
    )
    iam = need("services.iam", "_roles")
    service, region, account = action.partition(":")[0], resource.split(":")[3], role_arn.split(":")[4]
    name = role_arn.rsplit("/", 1)[-1]
    context = evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/service",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=region,
        secure_transport=True,  # AWS's own services always come over TLS
    )
    limits = evaluator._permissions_boundary(iam._roles, name, account)
    result = evaluator.evaluate(context, evaluator._gather_role_policies(name, account), *limits)
    found = evaluator._resource_policy(service, resource)
    if found is not None:
        required = service in evaluator._POLICY_REQUIRED
        result = evaluator.combine_resource_policy(result, context, *found, required=required, limits=limits)
    allowed = bool(result.decision == "Allow")
    if log:
        iam_log.record(principal=context.principal_arn, action=action, resource=resource, allowed=allowed)
    return allowed


def may_all(role_arn: str, action: str, resource: str, *, log: bool = True) -> bool:
    """`may`, and what the key that encrypts `resource` asks for as well."""
    wanted = [(action, resource), *key_rights(action, resource)]
    return all(may(role_arn, each, on, log=log) for each, on in wanted)


def key_rights(action: str, resource: str) -> list[tuple[str, str]]:
    """The (action, key ARN) pairs that `action` needs besides, when `resource` has a customer-managed key."""
    wanted = {
        "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
        "sqs:ReceiveMessage": ("kms:Decrypt",),
        "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
        "kinesis:PutRecord": ("kms:GenerateDataKey",),
        "kinesis:PutRecords": ("kms:GenerateDataKey",),
        "kinesis:GetRecords": ("kms:Decrypt",),
        "secretsmanager:GetSecretValue": ("kms:Decrypt",),
        "secretsmanager:PutSecretValue": ("kms:GenerateDataKey", "kms:Decrypt"),
    }.get(action)
    key = wanted and _key_of(resource)
    return [(each, key) for each in wanted] if wanted and key else []


def _key_of(resource: str) -> str | None:
    """The ARN of the customer-managed key of what is encrypted; None without, or with one that AWS manages."""
    service = resource.split(":")[2:3]
    if service == ["kinesis"]:
        streams = need("services.kinesis", "_streams")._streams
        named = (streams.get(resource.rpartition("/")[2]) or {}).get("KeyId")
    elif service == ["secretsmanager"]:
        _name, secret = need("services.secretsmanager", "_resolve")._resolve(resource)
        named = (secret or {}).get("KmsKeyId")
    elif service == ["sqs"]:
        owner = need("services.sqs", "_queue_by_arn")._queue_by_arn(resource)
        named = (owner or {}).get("attributes", {}).get("KmsMasterKeyId")
    else:
        owner = need("services.sns", "_topic_by_arn_any_scope")._topic_by_arn_any_scope(resource)
        named = (owner or {}).get("attributes", {}).get("KmsMasterKeyId")
    if not named or str(named).startswith("alias/aws/"):
        return None
    found = need("services.kms", "_resolve_key")._resolve_key(named)
    return str(found["Arn"]) if found else str(named)
