"""What is known of a load balancer afterwards: who asked what, and what went wrong."""

from aws_cdk import Aws, Duration, Fn
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when

_MAX_SERVER_ERRORS = 5
_MAX_SECONDS = 2


def log_access(load_balancer: elbv2.ApplicationLoadBalancer, bucket: s3.Bucket) -> None:
    """Have every request written into a bucket of ours."""
    # Not `log_access_logs`: the CDK wants to know the region, to name an account that only old regions need.
    # Source: Elastic Load Balancing user guide, "Enable access logs for your Application Load Balancer". The account in
    # the path is the condition that it documents; with aws:SourceArn deliveries were seen to be refused.
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AllowLoadBalancerLogs",
            actions=["s3:PutObject"],
            principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
            resources=[Fn.join("", [bucket.arn_for_objects("AWSLogs/"), Aws.ACCOUNT_ID, "/*"])],
        )
    )
    acknowledge(bucket, {"AwsSolutions-S1": "It holds access logs itself; logging who reads them would never end."})
    load_balancer.set_attribute("access_logs.s3.enabled", "true")
    load_balancer.set_attribute("access_logs.s3.bucket", bucket.bucket_name)
    # The bucket is tried out when it is named.
    load_balancer.node.add_dependency(bucket.node.find_child("Policy"))


def alarms_of(
    scope: Construct, load_balancer: elbv2.ApplicationLoadBalancer, targets: elbv2.ApplicationTargetGroup
) -> list[cloudwatch.Alarm]:
    """On 5xx of its servers and of its own, on servers that are not healthy, and on slow answers."""
    minute = Duration.minutes(1)
    of_targets = targets.metrics.http_code_target(elbv2.HttpCodeTarget.TARGET_5XX_COUNT, period=minute)
    own = load_balancer.metrics.http_code_elb(elbv2.HttpCodeElb.ELB_5XX_COUNT, period=minute)
    unhealthy = targets.metrics.unhealthy_host_count(period=minute, statistic="Maximum")
    slowest = targets.metrics.target_response_time(period=minute, statistic="p99")
    many, slow = _MAX_SERVER_ERRORS, _MAX_SECONDS
    return [
        alarm_when(scope, "TargetErrorsAlarm", of_targets, above=many, says="has servers that answer 5xx", periods=2),
        alarm_when(scope, "OwnErrorsAlarm", own, above=many, says="answers 5xx for its servers", periods=2),
        alarm_when(scope, "UnhealthyAlarm", unhealthy, above=0, says="has servers that are not healthy", periods=5),
        alarm_when(scope, "SlowAlarm", slowest, above=slow, says=f"answers 1 % in more than {slow} s", periods=5),
    ]
