"""Alarms on what would page a person, all made the same way."""

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct


def alarm_when(
    scope: Construct, construct_id: str, metric: cloudwatch.IMetric, *, above: float, says: str, periods: int = 1
) -> cloudwatch.Alarm:
    """An alarm while ``metric`` is above a threshold; no data means that nothing happened, which is no alarm."""
    return cloudwatch.Alarm(
        scope,
        construct_id,
        metric=metric,
        threshold=above,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluation_periods=periods,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=f"{scope.node.path} {says}",
    )
