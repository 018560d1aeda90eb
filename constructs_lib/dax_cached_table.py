"""Lambda -> DAX -> DynamoDB: a table that is mostly read, behind a cache in memory."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib import _dax
from constructs_lib._checks import in_range, matches, not_empty, seconds_in_range
from constructs_lib._subnets import selected
from constructs_lib._vpc_function import move_in
from constructs_lib.python_function import PythonFunction

# Source: Amazon DynamoDB developer guide, "DAX cluster components": one primary and up to ten replicas.
_MAX_NODES = 11
_DAY = 86_400


class DaxCachedTable(Construct):
    """A DynamoDB table, and a DAX cluster in isolated subnets that answers repeated reads from memory.

    Defines the table (on demand, point-in-time recovery), the cluster (encrypted at rest, TLS, several zones) with
    its role, subnet group, parameters and security group, alarms on it, and, unless one is brought, a VPC without
    internet whose gateway endpoint leads to this table alone, with a log of rejected traffic.

    ``connect`` gives a function the rights it names, on table and cluster, puts it into the VPC and tells it
    ``TABLE_NAME`` and ``DAX_ENDPOINT`` (the ``daxs://`` discovery endpoint). Writes should go through the cluster
    too: it then holds what was written. Lists are another matter: a write does not touch a kept list, so
    ``query_ttl`` is how old a list may be; strongly consistent reads are always DynamoDB's own.

    Args:
        partition_key: The table's partition key.
        sort_key: Its sort key. Left out: none.
        cached: Whether there is a cluster (and a VPC) at all. Default True. It costs by the hour and node.
        vpc: A VPC of yours, which has a gateway endpoint to DynamoDB. Left out: a new one.
        subnets: Where cluster and functions stand in it. Left out: its isolated subnets.
        node_type: DAX node type. Default "dax.t3.small".
        nodes: 1-11. Default 3, the fewest that AWS calls fault tolerant.
        item_ttl: How long an item is kept, 1 second to 1 day. Default 5 minutes.
        query_ttl: How long a list is kept, 1 second to 1 day. Default 5 seconds.
        removal_policy: What happens to the table when the stack is deleted; RETAIN (default) also protects it.

    Attributes:
        table: The table.
        vpc: The VPC; None without a cluster.
        cluster_arn: ARN of the cluster; None without.
        endpoint: Its discovery endpoint; None without.
        alarms: Alarms on the cluster.

    Raises:
        ValueError: A prop is out of range.

    Example:
        key = dynamodb.Attribute(name="user", type=dynamodb.AttributeType.STRING)
        DaxCachedTable(stack, "Items", partition_key=key).connect(worker, "dynamodb:GetItem", "dynamodb:PutItem")
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        partition_key: dynamodb.Attribute,
        sort_key: dynamodb.Attribute | None = None,
        cached: bool = True,
        vpc: ec2.IVpc | None = None,
        subnets: ec2.SubnetSelection | None = None,
        node_type: str = "dax.t3.small",
        nodes: int = 3,
        item_ttl: Duration | None = None,
        query_ttl: Duration | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        item_ttl, query_ttl = item_ttl or Duration.minutes(5), query_ttl or Duration.seconds(5)
        matches("node_type", node_type, r"dax\.[a-z0-9]+\.[a-z0-9]+", 'a DAX node type as "dax.t3.small"')
        in_range("nodes", nodes, 1, _MAX_NODES)
        seconds_in_range("item_ttl", item_ttl, 1, _DAY)
        seconds_in_range("query_ttl", query_ttl, 1, _DAY)

        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=partition_key,
            sort_key=sort_key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=removal_policy == RemovalPolicy.RETAIN,
            removal_policy=removal_policy,
        )
        self.vpc: ec2.IVpc | None = None
        self.cluster_arn: str | None = None
        self.endpoint: str | None = None
        self.alarms: list[cloudwatch.Alarm] = []
        if not cached:
            return
        self.vpc = vpc or _dax.isolated_vpc(self, self.table)
        self._subnets = selected(self.vpc, subnets or ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED))
        self._nodes_group = ec2.SecurityGroup(
            self, "Nodes", vpc=self.vpc, allow_all_outbound=False, description="Nodes of the DAX cluster"
        )
        self._role = iam.Role(self, "ClusterRole", assumed_by=iam.ServicePrincipal("dax.amazonaws.com"))
        self.table.grant(self._role, "dynamodb:DescribeTable")
        cluster = _dax.cluster(
            self,
            role=self._role,
            subnet_ids=self._subnets.subnet_ids,
            security_group=self._nodes_group,
            node_type=node_type,
            nodes=nodes,
            item_ttl=item_ttl,
            query_ttl=query_ttl,
        )
        self.cluster_arn = cluster.attr_arn
        self.endpoint = cluster.attr_cluster_discovery_endpoint_url
        self.alarms = _dax.alarms(self, cluster.ref)

    def connect(self, worker: PythonFunction, *actions: str) -> None:
        """Let a function do these actions ("dynamodb:GetItem") on the table, through the cluster and directly.

        Raises:
            ValueError: No action, or one that is not DynamoDB's.
        """
        not_empty("actions", actions)
        for action in actions:
            matches("actions", action, r"dynamodb:[A-Z][A-Za-z]+", 'actions of DynamoDB as "dynamodb:GetItem"')
        self.table.grant(worker.function, *actions)
        worker.function.add_environment("TABLE_NAME", self.table.table_name)
        if self.vpc and self.cluster_arn and self.endpoint:
            worker.function.add_environment("DAX_ENDPOINT", self.endpoint)
            self.table.grant(self._role, *actions)
            iam.Grant.add_to_principal(
                grantee=worker.function,
                actions=[action.replace("dynamodb:", "dax:") for action in actions],
                resource_arns=[self.cluster_arn],
            )
            self._move_in(worker, self.vpc)

    def _move_in(self, worker: PythonFunction, vpc: ec2.IVpc) -> None:
        group = ec2.SecurityGroup(
            self, f"{worker.node.id}Access", vpc=vpc, allow_all_outbound=False, description="A function of the table"
        )
        _dax.let_in(group, self._nodes_group)
        move_in(worker, subnet_ids=self._subnets.subnet_ids, group=group)
