"""A backup plan for one database: recovery points in a vault of their own, copied elsewhere when asked."""

from aws_cdk import Aws, Duration, Fn, RemovalPolicy, Stack, Token
from aws_cdk import aws_backup as backup
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when

_WEEKLY_KEPT = Duration.days(84)
_COPIES_KEPT = Duration.days(35)
_START_WITHIN, _DONE_WITHIN = Duration.hours(1), Duration.hours(4)
_LONGEST_NAME = 50
# arn:aws:cloudformation:...:stack/<name>/<8 characters>-...
_ID_PART = 8
# How a job ends that made no recovery point. Source: AWS Backup developer guide, "AWS Backup metrics with CloudWatch".
_MADE_NOTHING = ("Failed", "Aborted", "Expired")
# The CDK gives it to the role of a selection.
_POLICY = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"


class DatabaseBackup(Construct):
    """Daily and weekly recovery points, which outlive the database and its automated backups.

    Args:
        database_arn: What is backed up.
        hour: Hour of the day, UTC.
        daily_days: How long daily ones are kept; weekly ones are kept for 84 days, copies for 35.
        copies_to: A vault, in another region or account, that gets a copy of each. None: no copies.
        lock_days: Nobody can delete a recovery point younger than this; None: no lock.
        removal_policy: What happens to vault and key when the stack is deleted.

    Attributes:
        vault: Where the recovery points are.
        alarms: On jobs that made no recovery point.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        database_arn: str,
        hour: int,
        daily_days: int,
        copies_to: backup.IBackupVault | None,
        lock_days: int | None,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        key = kms.Key(
            self,
            "VaultKey",
            description="Recovery points of a database",
            enable_key_rotation=True,
            removal_policy=removal_policy,
        )
        self.vault = backup.BackupVault(
            self,
            "Vault",
            backup_vault_name=_vault_name(self),
            encryption_key=key,
            # Without a date of no return: whoever has the right may still loosen the lock, and nobody by mistake.
            lock_configuration=backup.LockConfiguration(min_retention=Duration.days(lock_days)) if lock_days else None,
            removal_policy=removal_policy,
        )
        copies = [
            backup.BackupPlanCopyActionProps(destination_backup_vault=vault, delete_after=_COPIES_KEPT)
            for vault in ([copies_to] if copies_to else [])
        ]
        self.plan = backup.BackupPlan(self, "Plan")
        when = {
            "Daily": (events.Schedule.cron(minute="0", hour=str(hour)), Duration.days(daily_days)),
            "Weekly": (events.Schedule.cron(minute="0", hour=str(hour), week_day="SUN"), _WEEKLY_KEPT),
        }
        for name, (schedule, kept) in when.items():
            self.plan.add_rule(
                backup.BackupPlanRule(
                    rule_name=name,
                    backup_vault=self.vault,
                    schedule_expression=schedule,
                    start_window=_START_WITHIN,
                    completion_window=_DONE_WITHIN,
                    delete_after=kept,
                    copy_actions=copies or None,
                )
            )
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("backup.amazonaws.com"))
        acknowledge(
            role,
            {
                f"AwsSolutions-IAM4[Policy::{_POLICY}]": "AWS documents it for plans and keeps it as backing up needs "
                "it; AWS Backup alone assumes the role, for this database."
            },
        )
        self.plan.add_selection(
            "Database", resources=[backup.BackupResource.from_arn(database_arn)], role=role, allow_restores=False
        )
        self.alarms = [_alarm_on(self, self.vault, end) for end in _MADE_NOTHING]


def _alarm_on(scope: Construct, vault: backup.IBackupVault, end: str) -> cloudwatch.Alarm:
    """Nobody looks at backups until one is needed."""
    metric = cloudwatch.Metric(
        namespace="AWS/Backup",
        metric_name=f"NumberOfBackupJobs{end}",
        dimensions_map={"BackupVaultName": vault.backup_vault_name},
        statistic="Sum",
        period=Duration.hours(1),
    )
    return alarm_when(scope, f"{end}Alarm", metric, above=0, says=f"made no recovery point: {end.lower()}")


def _vault_name(scope: Construct) -> str | None:
    """AWS wants a name, and the CDK's own is the same in each stack that was cloned under another name.

    With a part of the stack's id, or a vault that outlived its stack would be in the way of the next one of that name.
    """
    stack, part = Stack.of(scope).stack_name, f"-{scope.node.addr[-8:]}-"
    if Token.is_unresolved(stack):
        return None
    made = Fn.select(0, Fn.split("-", Fn.select(2, Fn.split("/", Aws.STACK_ID))))
    return f"{stack[: _LONGEST_NAME - len(part) - _ID_PART]}{part}{made}"
