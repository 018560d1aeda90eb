"""A Lambda function of this library: logs, tracing, alarms and a role of its own."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when
from constructs_lib._assets import SOURCES, check_handler, function_code, source_folder
from constructs_lib._checks import in_range, seconds_in_range
from constructs_lib._layers import layer_key, layer_zip
from constructs_lib.function_target import FunctionTarget

# Source: AWS Lambda developer guide, "Lambda quotas".
_MAX_ENVIRONMENT_BYTES = 4096
_MAX_TIMEOUT_SECONDS = 900
_MIN_MEMORY_MB, _MAX_MEMORY_MB = 128, 10240


class PythonFunction(Construct):
    """A Python function from a package of Lambda sources, ready for production.

    Defines the function (X-Ray tracing, JSON logs), a log group with retention, a role that may write to that log group
    and nothing else, one layer per distinct ``requirements.txt`` in the stack, and alarms on errors and throttles.

    Args:
        package: Name of the function's package in ``sources``; the asset holds that package alone.
        handler: Module and function inside the package. Default "handler.handler".
        environment: Variables of the function beside Powertools' own; keys and values up to 4 KB together. No secrets.
        timeout: 1-900 seconds. Default 30 seconds.
        memory_mb: 128-10240 MB. Default 256.
        log_retention: How long logs are kept. Default one month.
        target: Python version and processor. Left out: Python 3.13 on arm64.
        sources: Folder that holds the package. Left out: this library's own sources; give yours to run your own code.

    Attributes:
        function: The Lambda function.
        role: Its execution role.
        service_name: What it is called in logs, traces and metrics.
        log_group: Its log group.
        alarms: Alarms on errors and throttles; hand them to an ``AlarmTopic``.

    Raises:
        ValueError: A prop is out of range, or there is no such package or handler module.
        BundlingError: The layer of the package's dependencies could not be built.

    Example:
        worker = PythonFunction(stack, "Worker", package="order_worker", memory_mb=512)
        queue.grant_consume_messages(worker.function)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        package: str,
        handler: str = "handler.handler",
        environment: Mapping[str, str] | None = None,
        timeout: Duration | None = None,
        memory_mb: int = 256,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
        target: FunctionTarget | None = None,
        sources: Path | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        timeout = timeout or Duration.seconds(30)
        target = target or FunctionTarget()
        # Absolute: the CDK's own process may have another working directory.
        sources = (sources or SOURCES).resolve()
        check_handler(sources, package, handler)
        seconds_in_range("timeout", timeout, 1, _MAX_TIMEOUT_SECONDS)
        in_range("memory_mb", memory_mb, _MIN_MEMORY_MB, _MAX_MEMORY_MB)
        variables = {
            "POWERTOOLS_SERVICE_NAME": package.replace("_", "-"),
            "POWERTOOLS_METRICS_NAMESPACE": "ClassicArchitectures",
            **(environment or {}),
        }
        self.service_name = variables["POWERTOOLS_SERVICE_NAME"]
        in_range(
            "environment (bytes)", sum(len(f"{k}{v}".encode()) for k, v in variables.items()), 0, _MAX_ENVIRONMENT_BYTES
        )

        # Logs can be lost without harm to the data, so they leave with the stack.
        self.log_group = logs.LogGroup(self, "Logs", retention=log_retention, removal_policy=RemovalPolicy.DESTROY)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=target.runtime,
            architecture=target.lambda_architecture,
            handler=f"{package}.{handler}",
            code=function_code(sources, package),
            layers=_dependencies(self, source_folder(sources, package) / "requirements.txt", target),
            environment=variables,
            timeout=timeout,
            memory_size=memory_mb,
            role=self.role,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE,
        )
        acknowledge(
            self.role,
            {"AwsSolutions-IAM5[Resource::*]": "X-Ray's PutTraceSegments and PutTelemetryRecords take no resource."},
        )
        newest = f"Python {target.python} is the target's choice; it moves on with the pinned wheels, not with AWS."
        acknowledge(self.function, {"AwsSolutions-L1": newest, "Serverless-LambdaLatestVersion": newest})
        self.alarms = self._alarms()

    def _alarms(self) -> list[cloudwatch.Alarm]:
        minutes = Duration.minutes(5)
        return [
            alarm_when(self, "ErrorsAlarm", self.function.metric_errors(period=minutes), above=0, says="fails"),
            alarm_when(
                self, "ThrottlesAlarm", self.function.metric_throttles(period=minutes), above=0, says="is throttled"
            ),
        ]


def _dependencies(scope: Construct, requirements: Path, target: FunctionTarget) -> list[lambda_.ILayerVersion]:
    """One layer per distinct requirements in a stack, whoever asks first defines it."""
    if not requirements.is_file():
        return []
    stack = Stack.of(scope)
    key = layer_key(requirements, target)
    found = stack.node.try_find_child("DependencyLayers")
    layers = found if isinstance(found, Construct) else Construct(stack, "DependencyLayers")
    existing = layers.node.try_find_child(key[:8])
    if isinstance(existing, lambda_.LayerVersion):
        return [existing]
    if stack.bundling_required:
        code = lambda_.Code.from_asset(str(layer_zip(requirements, target)), asset_hash=key)
    else:
        # The CLI does not need this stack's assets (and tests of templates never do): same hash, nothing built.
        code = lambda_.Code.from_asset(str(requirements.parent), asset_hash=key, exclude=["**"])
    return [
        lambda_.LayerVersion(
            layers,
            key[:8],
            code=code,
            compatible_runtimes=[target.runtime],
            compatible_architectures=[target.lambda_architecture],
            description=f"Dependencies pinned in {requirements.parent.name}/requirements.txt",
        )
    ]
