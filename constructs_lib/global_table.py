"""A DynamoDB table with replicas: written in any of its regions, read in all of them."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy, Stack, Token
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from constructs_lib._checks import matches, unique

_REGION = r"[a-z]{2}(-[a-z]+)+-\d"
_NAME = r"[A-Za-z0-9_.-]{1,255}"


class GlobalTable(Construct):
    """An on-demand table, in one region or in several.

    Defines one table (encrypted with DynamoDB's own key, point-in-time recovery in every region, deletion protection
    unless it is made to be destroyed) whose replicas take writes as well: the last writer wins, a moment later
    everywhere. A region lost takes nothing with it that had been copied, usually within a second.
    Source: Amazon DynamoDB developer guide, "Global tables: how it works".

    Args:
        partition_key: Name of the partition key, a text.
        sort_key: Name of the sort key, a text. Left out: none.
        replica_regions: Further regions, such as "eu-central-1"; none of them twice, and not the stack's own.
            Default (): none. On a stack without a region only the deployment can tell that it is one of these.
        stream: Whether changes can be read for a day, each with the item as it was and as it is. With replicas there is
            a stream in any case: DynamoDB copies by it. Default False.
        removal_policy: What happens to the table when the stack is deleted. Default RETAIN.

    Attributes:
        table: The table in the stack's region.
        replica_regions: The further regions.

    Raises:
        ValueError: A prop is out of range.

    Example:
        posts = GlobalTable(stack, "Posts", partition_key="blog", sort_key="id", replica_regions=["eu-central-1"])
        posts.table.grant_read_data(reader)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        partition_key: str,
        sort_key: str | None = None,
        replica_regions: Sequence[str] = (),
        stream: bool = False,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        for prop, name in (("partition_key", partition_key), ("sort_key", sort_key or "none")):
            matches(prop, name, _NAME, "1 to 255 letters, digits, '_', '.' and '-'")
        for region in replica_regions:
            matches("replica_regions", region, _REGION, "regions like 'eu-central-1'")
        unique("replica_regions", replica_regions)
        own = Stack.of(self).region
        if not Token.is_unresolved(own) and own in replica_regions:
            raise ValueError(f"replica_regions: must be other regions than the stack's own, got {own!r}")

        self.replica_regions = tuple(replica_regions)
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=_text(partition_key),
            sort_key=_text(sort_key) if sort_key else None,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES if stream or replica_regions else None,
            deletion_protection=removal_policy == RemovalPolicy.RETAIN,
            removal_policy=removal_policy,
        )
        resource = self.table.node.default_child
        if isinstance(resource, dynamodb.CfnGlobalTable):
            for number, region in enumerate(replica_regions, start=1):
                # Not the L2's `replicas`: it wants a stack whose region is known at synth.
                resource.add_property_override(f"Replicas.{number}", _replica(region, removal_policy))


def _replica(region: str, removal_policy: RemovalPolicy) -> dict[str, object]:
    return {
        "Region": region,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "DeletionProtectionEnabled": removal_policy == RemovalPolicy.RETAIN,
    }


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
