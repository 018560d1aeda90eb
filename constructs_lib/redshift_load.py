"""Reports into a warehouse: Redshift Serverless that reads them from their bucket every hour."""

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_redshiftserverless as redshift
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when
from constructs_lib._checks import in_range
from constructs_lib._object_rights import grant_objects
from constructs_lib._subnets import selected

_DATABASE = "reports"
# As lambda_src/window_report/rules.py asks for them; tests/constructs/test_redshift_load.py holds the two together.
COLUMNS = {
    "event_date": "date",
    "event_hour": "smallint",
    "device_id": "varchar(64)",
    "events": "bigint",
    "temperature_sum": "double precision",
    "temperature_avg": "double precision",
    "temperature_min": "double precision",
    "temperature_max": "double precision",
    "humidity_avg": "double precision",
}
# Amazon Redshift management guide, "Compute capacity for Amazon Redshift Serverless".
_MIN_CAPACITY, _MAX_CAPACITY = 8, 512


class RedshiftLoad(Construct):
    """A warehouse in private subnets, and a schedule that loads all reports into its table ``reports`` every hour.

    Defines a namespace (encrypted, its administrator's password kept by AWS Secrets Manager) and a workgroup (no public
    address, TLS demanded, traffic to S3 through the VPC), a role that reads the reports, and a schedule with dead
    letters. Each load replaces the table's rows in one transaction: it may run again, and readers never see half of it.
    It bills while somebody asks or loads, 60 seconds at least each time.

    Args:
        bucket: Holds the reports.
        prefix: Below which prefix. Default "reports/".
        vpc: Has isolated or private subnets in three availability zones, and a gateway endpoint for S3.
        subnets: Which of its subnets.
        base_capacity: In Redshift processing units, 8-512 in steps of 8. Default 8.
        every: How often reports are loaded. Default 1 hour.
        removal_policy: What happens to the namespace when the stack is deleted. Default RETAIN.

    Attributes:
        namespace: The namespace.
        workgroup: The workgroup.
        statements: What a load runs.
        alarms: Alarm on loads that could not be started.

    Raises:
        ValueError: ``base_capacity`` is out of range or no multiple of 8.

    Example:
        vpc = ec2.Vpc(stack, "Vpc", max_azs=3)
        RedshiftLoad(stack, "Warehouse", bucket=bucket, vpc=vpc, subnets=ec2.SubnetSelection())
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.IBucket,
        prefix: str = "reports/",
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        base_capacity: int = 8,
        every: Duration | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        in_range("base_capacity", base_capacity, _MIN_CAPACITY, _MAX_CAPACITY)
        if base_capacity % _MIN_CAPACITY:
            raise ValueError(f"base_capacity: must be a multiple of {_MIN_CAPACITY}, got {base_capacity}")
        reader = iam.Role(self, "Reader", assumed_by=iam.ServicePrincipal("redshift.amazonaws.com"))
        listed = iam.Grant.add_to_principal(
            grantee=reader, actions=["s3:ListBucket"], resource_arns=[bucket.bucket_arn]
        )
        why = "A load reads the reports of all hours, each an object of its own."
        read = grant_objects(reader, bucket, prefix, "s3:GetObject", why=why)
        # Both names are asked for by AWS; the stack's name makes them unique in the account.
        name = f"reports-{self.node.addr[-8:]}"
        self.namespace = redshift.CfnNamespace(
            self,
            "Namespace",
            namespace_name=name,
            db_name=_DATABASE,
            manage_admin_password=True,
            default_iam_role_arn=reader.role_arn,
            iam_roles=[reader.role_arn],
            log_exports=["connectionlog", "userlog", "useractivitylog"],
        )
        self.namespace.apply_removal_policy(removal_policy)
        group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, description="Nobody comes in", allow_all_outbound=False
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "S3, through the gateway endpoint")
        self.workgroup = redshift.CfnWorkgroup(
            self,
            "Workgroup",
            workgroup_name=name,
            namespace_name=self.namespace.ref,
            base_capacity=base_capacity,
            publicly_accessible=False,
            enhanced_vpc_routing=True,
            subnet_ids=selected(vpc, subnets).subnet_ids,
            security_group_ids=[group.security_group_id],
            config_parameters=[
                redshift.CfnWorkgroup.ConfigParameterProperty(parameter_key="require_ssl", parameter_value="true")
            ],
        )
        self.statements = _load(bucket, prefix, reader)
        self._letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        acknowledge(
            self._letters,
            {
                "Serverless-SQSRedrivePolicy": "This queue is where failed starts end: one more would hide them.",
                "AwsSolutions-SQS3": "This queue is the dead-letter queue of a schedule, which the rule cannot see.",
            },
        )
        self._schedule(every or Duration.hours(1), listed.combine(read))
        waiting = self._letters.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(5), statistic="Maximum"
        )
        self.alarms = [alarm_when(self, "LoadsAlarm", waiting, above=0, says="cannot start a load")]

    def _schedule(self, every: Duration, rights: iam.Grant) -> None:
        role = iam.Role(self, "Loader", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"))
        workgroup = self.workgroup.attr_workgroup_workgroup_arn
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["redshift-data:BatchExecuteStatement", "redshift-serverless:GetCredentials"],
                resources=[workgroup],
            )
        )
        self._letters.grant_send_messages(role)
        body = {"WorkgroupName": self.workgroup.ref, "Database": _DATABASE, "Sqls": self.statements}
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description="Load all reports",
            schedule_expression=f"rate({every.to_minutes():g} minutes)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=f"arn:{Aws.PARTITION}:scheduler:::aws-sdk:redshiftdata:batchExecuteStatement",
                role_arn=role.role_arn,
                input=Stack.of(self).to_json_string(body),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self._letters.queue_arn),
            ),
        )
        rights.apply_before(schedule)


def _load(bucket: s3.IBucket, prefix: str, reader: iam.Role) -> list[str]:
    """Statements of one transaction; DELETE, since TRUNCATE would commit in between."""
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    source = f"s3://{bucket.bucket_name}/{prefix}"
    return [
        f"CREATE TABLE IF NOT EXISTS reports ({columns}) DISTSTYLE AUTO SORTKEY (event_date, event_hour)",
        "DELETE FROM reports",
        f"COPY reports FROM '{source}' IAM_ROLE '{reader.role_arn}' FORMAT AS CSV IGNOREHEADER 1",
    ]
