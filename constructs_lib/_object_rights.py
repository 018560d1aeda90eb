"""Rights to the objects of a bucket below a prefix, and why the rule against wildcards does not apply to them."""

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from constructs_lib._acknowledge import acknowledge


def grant_objects(grantee: iam.IGrantable, bucket: s3.IBucket, prefix: str, *actions: str, why: str) -> iam.Grant:
    """Let ``grantee`` do this with the objects of a bucket whose keys begin with ``prefix``.

    Args:
        grantee: A role of the bucket's stack gets the acknowledgement too; that of others is for their owners to give,
            since the rule's finding has another name in another stack.
        bucket: The bucket.
        prefix: "events/"; empty for all objects.
        actions: "s3:GetObject".
        why: A sentence, for the acknowledgement.
    """
    resource = bucket.node.default_child
    if isinstance(grantee, iam.Role) and isinstance(resource, CfnResource):
        stack = Stack.of(bucket)
        if Stack.of(grantee) is stack:
            arn = f"<{stack.get_logical_id(resource)}.Arn>/{prefix}*"
            acknowledge(grantee, {f"AwsSolutions-IAM5[Resource::{arn}]": why})
    return iam.Grant.add_to_principal(
        grantee=grantee, actions=list(actions), resource_arns=[bucket.arn_for_objects(f"{prefix}*")]
    )
