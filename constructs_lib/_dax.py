"""Parts of a table with a DAX cache: the network it stands in, the cluster, and what is watched."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dax as dax
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._alarms import alarm_when
from constructs_lib._flow_logs import write_down

# Of clusters with TLS. Source: Amazon DynamoDB developer guide, "DAX encryption in transit".
TLS_PORT = 9111
_HTTPS = 443
_MAX_CPU_PERCENT = 80


def isolated_vpc(scope: Construct, table: dynamodb.ITableV2) -> ec2.Vpc:
    """The child "Vpc": subnets without any way out but to this one table, and a log of what was rejected."""
    vpc = ec2.Vpc(
        scope,
        "Vpc",
        max_azs=3,
        nat_gateways=0,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24)
        ],
        # Nothing is put into the VPC's default group; emptying it would take a custom resource with rights of its own.
        restrict_default_security_group=False,
    )
    endpoint = vpc.add_gateway_endpoint("TableEndpoint", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
    endpoint.add_to_policy(
        iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=["dynamodb:*"], resources=[table.table_arn])
    )
    rejected = logs.LogGroup(
        scope, "RejectedTraffic", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
    )
    write_down(scope, vpc, rejected, ec2.FlowLogTrafficType.REJECT)
    return vpc


def cluster(
    scope: Construct,
    *,
    role: iam.IRole,
    subnet_ids: list[str],
    security_group: ec2.ISecurityGroup,
    node_type: str,
    nodes: int,
    item_ttl: Duration,
    query_ttl: Duration,
) -> dax.CfnCluster:
    """The child "Cluster", encrypted at rest and in transit."""
    subnets = dax.CfnSubnetGroup(scope, "Subnets", subnet_ids=subnet_ids)
    parameters = dax.CfnParameterGroup(
        scope,
        "Parameters",
        parameter_name_values={
            "record-ttl-millis": str(item_ttl.to_milliseconds()),
            "query-ttl-millis": str(query_ttl.to_milliseconds()),
        },
    )
    return dax.CfnCluster(
        scope,
        "Cluster",
        iam_role_arn=role.role_arn,
        node_type=node_type,
        replication_factor=nodes,
        subnet_group_name=subnets.ref,
        parameter_group_name=parameters.ref,
        security_group_ids=[security_group.security_group_id],
        sse_specification=dax.CfnCluster.SSESpecificationProperty(sse_enabled=True),
        cluster_endpoint_encryption_type="TLS",
    )


def let_in(client: ec2.ISecurityGroup, nodes: ec2.ISecurityGroup) -> None:
    """A client may reach the nodes, and DynamoDB by the VPC's endpoint; nothing else."""
    client.add_egress_rule(nodes, ec2.Port.tcp(TLS_PORT), "to the cluster")
    client.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(_HTTPS), "to DynamoDB by the VPC's endpoint")
    nodes.add_ingress_rule(client, ec2.Port.tcp(TLS_PORT), "from a function")


def alarms(scope: Construct, cluster_name: str) -> list[cloudwatch.Alarm]:
    """Errors of the cluster's own, and too little processor."""

    def metric(name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/DAX",
            metric_name=name,
            dimensions_map={"ClusterId": cluster_name},
            statistic=statistic,
            period=Duration.minutes(5),
        )

    return [
        alarm_when(scope, "FaultsAlarm", metric("FaultRequestCount", "Sum"), above=0, says="answers 5xx"),
        alarm_when(
            scope,
            "ProcessorAlarm",
            metric("CPUUtilization", "Average"),
            above=_MAX_CPU_PERCENT,
            says="has too little processor",
            periods=3,
        ),
    ]
