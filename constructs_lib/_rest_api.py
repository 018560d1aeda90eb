"""The regional REST API that the constructs with an API share: TLS 1.2 and up, access logs, tracing, throttling."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._checks import in_range

# Source: Amazon API Gateway developer guide, account-level throttling quota of a region.
_MAX_RATE = 10_000


def check_limits(rate_limit: int, burst_limit: int) -> None:
    """Raise ValueError unless API Gateway takes these throttles."""
    in_range("rate_limit", rate_limit, 1, _MAX_RATE)
    in_range("burst_limit", burst_limit, 1, _MAX_RATE / 2)


def access_log_group(scope: Construct) -> logs.LogGroup:
    """A log group for one JSON line per request; it can be lost without harm, so it leaves with the stack."""
    return logs.LogGroup(
        scope, "AccessLog", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
    )


def regional_rest_api(
    scope: Construct,
    *,
    access_log: logs.ILogGroup,
    rate_limit: int,
    burst_limit: int,
    cache_ttl: Duration | None = None,
    cached_methods: Sequence[str] = (),
) -> apigateway.RestApi:
    """The child "Api" of ``scope`` with a stage "v1".

    With ``cache_ttl`` the stage has a cache, the smallest there is, that keeps the answers of the ``cached_methods``
    ("/todos/GET") encrypted; which requests share an answer is up to the cache key of each method's integration.
    """
    api = apigateway.RestApi(
        scope,
        "Api",
        # Metrics, and so alarms, know an API by this name alone: two of one name would share them.
        rest_api_name=_name(scope),
        endpoint_types=[apigateway.EndpointType.REGIONAL],
        # Access logs need the account's API Gateway role; on a fresh account the deployment fails without it.
        cloud_watch_role=True,
        deploy_options=apigateway.StageOptions(
            stage_name="v1",
            access_log_destination=apigateway.LogGroupLogDestination(access_log),
            access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
                caller=False,
                http_method=True,
                ip=True,
                protocol=True,
                request_time=True,
                resource_path=True,
                response_length=True,
                status=True,
                user=False,
            ),
            logging_level=apigateway.MethodLoggingLevel.ERROR,
            metrics_enabled=True,
            tracing_enabled=True,
            throttling_rate_limit=rate_limit,
            throttling_burst_limit=burst_limit,
            cache_cluster_enabled=True if cache_ttl else None,
            cache_cluster_size="0.5" if cache_ttl else None,
            # A method's own options replace the stage's, so they repeat them.
            method_options={
                path: apigateway.MethodDeploymentOptions(
                    caching_enabled=True,
                    cache_data_encrypted=True,
                    cache_ttl=cache_ttl,
                    logging_level=apigateway.MethodLoggingLevel.ERROR,
                    metrics_enabled=True,
                    throttling_rate_limit=rate_limit,
                    throttling_burst_limit=burst_limit,
                )
                for path in cached_methods
            }
            if cache_ttl
            else None,
        ),
    )
    # Outputs are the stack's business; the L2 would add one of its own.
    api.node.try_remove_child("Endpoint")
    # The CDK leaves the partition of managed policies open, whatever the stack's region.
    policy = "arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    acknowledge(
        api.node.find_child("CloudWatchRole"),
        {f"AwsSolutions-IAM4[Policy::{policy}]": "API Gateway documents it for its account-wide log role."},
    )
    resource = api.node.default_child
    if isinstance(resource, apigateway.CfnRestApi):
        # TLS 1.2 and up; the L2 has no such prop yet. STRICT also refuses a mismatch of SNI and Host.
        resource.add_property_override("SecurityPolicy", "SecurityPolicy_TLS13_1_2_PQ_2025_09")
        resource.add_property_override("EndpointAccessMode", "STRICT")
    return api


def _name(scope: Construct) -> str:
    stack = Stack.of(scope)
    return "-".join([stack.stack_name, *scope.node.path.removeprefix(stack.node.path).strip("/").split("/")])
