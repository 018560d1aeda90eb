"""An ElastiCache Serverless cache (Valkey) with one user, who is authenticated by IAM."""

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib._alarms import alarm_when
from constructs_lib._names import own_name

PORT = 6379
# Letters, digits and single hyphens, a letter first. Source: ElastiCache API reference, "CreateServerlessCache".
_MAX_NAME = 40
# What a cache-aside reader and its writers call, and what a client says to see whether its connection lives.
_COMMANDS = ("get", "set", "del", "ping")


class ServerlessCache(Construct):
    """A cache in a VPC, encrypted at rest (customer-managed key) and on the way (always, here), with daily snapshots.

    Nobody gets in without a name: the user group holds the one IAM user, and no user "default". Such a user may call
    GET, SET, DEL and PING, nothing that lists, empties or reconfigures the cache.

    Args:
        vpc: The VPC.
        subnets: Where its endpoint stands.
        max_storage_gb: Data it may hold, in GB. When it is full the least recently used goes.
        max_ecpu_per_second: Processing units per second; above that it throttles.
        snapshot_days: How long daily snapshots are kept.
        removal_policy: What happens to its key when the stack is deleted. The cache itself goes: it can be filled anew.

    Attributes:
        name: Its name, which tokens are signed for.
        user: Id and name of the IAM user.
        host: Name of its endpoint.
        port: Port of its endpoint.
        security_group: Its security group.
        encryption_key: Its key.
        alarms: On throttled commands and on evictions.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        subnets: ec2.SelectedSubnets,
        max_storage_gb: int,
        max_ecpu_per_second: int,
        snapshot_days: int,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        # CloudFormation makes no names for these types, and IAM users must have their id as name: so it is the stack's
        # own name that tells two of them apart. Source: ElastiCache user guide, "Authenticating with IAM".
        self.name = own_name(self, longest=_MAX_NAME)
        self.user = self.name
        self.encryption_key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=removal_policy)
        self.security_group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, allow_all_outbound=False, description="Endpoint of the cache"
        )
        member = elasticache.CfnUser(
            self,
            "User",
            engine="valkey",
            user_id=self.user,
            user_name=self.user,
            access_string=f"on ~* -@all {' '.join(f'+{one}' for one in _COMMANDS)}",
            authentication_mode={"Type": "iam"},
        )
        # A group of the engine Valkey needs no user "default", and takes nobody who is not authenticated.
        # Source: ElastiCache user guide, "Role-Based Access Control (RBAC)".
        group = elasticache.CfnUserGroup(
            self, "Users", engine="valkey", user_group_id=self.name, user_ids=[member.user_id]
        )
        group.node.add_dependency(member)
        self._cache = elasticache.CfnServerlessCache(
            self,
            "Cache",
            engine="valkey",
            major_engine_version="8",
            serverless_cache_name=self.name,
            description=f"Cache of {scope.node.path}"[:255],
            kms_key_id=self.encryption_key.key_arn,
            security_group_ids=[self.security_group.security_group_id],
            subnet_ids=subnets.subnet_ids,
            user_group_id=group.ref,
            daily_snapshot_time="03:00",
            snapshot_retention_limit=snapshot_days,
            cache_usage_limits=elasticache.CfnServerlessCache.CacheUsageLimitsProperty(
                data_storage=elasticache.CfnServerlessCache.DataStorageProperty(maximum=max_storage_gb, unit="GB"),
                ecpu_per_second=elasticache.CfnServerlessCache.ECPUPerSecondProperty(maximum=max_ecpu_per_second),
            ),
        )
        self.host = self._cache.attr_endpoint_address
        self.port = self._cache.attr_endpoint_port
        self.alarms = [
            self._alarm("ThrottledAlarm", "ThrottledCmds", "is throttled: raise its limit, or ask less"),
            self._alarm("EvictionsAlarm", "Evictions", "is full, and gives up what is still good"),
        ]

    def grant_connect(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` sign in as the cache's user."""
        user = Stack.of(self).format_arn(
            service="elasticache", resource="user", resource_name=self.user, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["elasticache:Connect"], resource_arns=[self._cache.attr_arn, user]
        )

    def let_in(self, client: ec2.ISecurityGroup) -> None:
        """Open the endpoint's port between a client's security group and the cache's, on both sides."""
        client.add_egress_rule(self.security_group, ec2.Port.tcp(PORT), "to the cache")
        self.security_group.add_ingress_rule(client, ec2.Port.tcp(PORT), "from a function")

    def _alarm(self, construct_id: str, metric: str, says: str) -> cloudwatch.Alarm:
        """An alarm on what CloudWatch counts of this cache.

        A serverless cache's name is the dimension ``clusterId``, which the user guide does not say; under
        ``CacheClusterId``, that of caches made of nodes, an alarm would never have data. Sources:
        cdklabs/cdk-monitoring-constructs issue 750; lists of metrics of accounts in grafana/grafana-aws-sdk pull
        requests 151 and 305.
        """
        counted = cloudwatch.Metric(
            namespace="AWS/ElastiCache",
            metric_name=metric,
            dimensions_map={"clusterId": self.name},
            statistic="Sum",
            period=Duration.minutes(5),
        )
        return alarm_when(self, construct_id, counted, above=0, says=says)
