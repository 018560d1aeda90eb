"""Alarms on what would page a person, all made the same way."""

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct


def alarm_when(
    scope: Construct, construct_id: str, metric: cloudwatch.IMetric, *, above: float, says: str, periods: int = 1
) -> cloudwatch.Alarm:
    """An alarm while ``metric`` is above a threshold; no data means that nothing happened, which is no alarm."""
    more = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
    return _alarm(scope, construct_id, metric, threshold=above, comparison=more, says=says, periods=periods)


def alarm_below(
    scope: Construct, construct_id: str, metric: cloudwatch.IMetric, *, below: float, says: str, periods: int = 1
) -> cloudwatch.Alarm:
    """An alarm while ``metric`` is below a threshold, for what may run out."""
    less = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
    return _alarm(scope, construct_id, metric, threshold=below, comparison=less, says=says, periods=periods)


def _alarm(
    scope: Construct,
    construct_id: str,
    metric: cloudwatch.IMetric,
    *,
    threshold: float,
    comparison: cloudwatch.ComparisonOperator,
    says: str,
    periods: int,
) -> cloudwatch.Alarm:
    return cloudwatch.Alarm(
        scope,
        construct_id,
        metric=metric,
        threshold=threshold,
        comparison_operator=comparison,
        evaluation_periods=periods,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=f"{scope.node.path} {says}",
    )
