"""Routes of a REST API whose callers sign (SigV4), all answered by one function."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib import _problems
from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when
from constructs_lib._checks import matches, one_of
from constructs_lib.cognito_rest_api import ApiRoute
from constructs_lib.python_function import PythonFunction

_SLOW_MS = 1000
_DOMAIN = r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"


def named(route: ApiRoute) -> str:
    """``GET /products/{sku}``."""
    return f"{route.method} {route.path}"


class SignedRoutes:
    """The methods, and what API Gateway answers to those it does not let in.

    Args:
        api: The API.
        handler: Who answers.
        routes: What there is.
        bodies: Route by name -> JSON schema of its body.
    """

    def __init__(
        self,
        api: apigateway.RestApi,
        handler: PythonFunction,
        routes: Sequence[ApiRoute],
        bodies: Mapping[str, apigateway.JsonSchema],
    ) -> None:
        _problems.answer_signers(api, list(bodies.values()))
        validator = api.add_request_validator("Validator", validate_request_body=True, validate_request_parameters=True)
        integration = apigateway.LambdaIntegration(handler.function, allow_test_invoke=False)
        self._methods: dict[str, apigateway.Method] = {}
        for route in routes:
            schema = bodies.get(named(route))
            model = f"{route.method.title()}{''.join(filter(str.isalnum, route.path.title()))}"
            self._methods[named(route)] = api.root.resource_for_path(route.path).add_method(
                route.method,
                integration,
                authorization_type=apigateway.AuthorizationType.IAM,
                request_validator=validator,
                request_models={"application/json": api.add_model(model, schema=schema)} if schema else None,
            )
        # API Gateway has the same answer for "not signed" and "no such route": so each route is there for who signs.
        self._anything = api.root.add_resource("{proxy+}").add_method(
            "ANY", integration, authorization_type=apigateway.AuthorizationType.IAM, request_validator=validator
        )
        services = "Callers are services and roles that sign (SigV4), not Cognito users."
        for method in (*self._methods.values(), self._anything):
            acknowledge(method, {"AwsSolutions-COG4": services})
        signed = "Only callers with an IAM grant get in, and the stage throttles them."
        acknowledge(api.deployment_stage, {"AwsSolutions-APIG3": signed})
        waits = "API Gateway invokes it and waits, so the caller hears of every failure."
        acknowledge(handler.function, {"Serverless-LambdaDLQ": waits})

    def arns(self, routes: Sequence[ApiRoute]) -> list[str]:
        """What a caller of these may invoke; without any, of all there are, and of whatever there is not.

        Raises:
            ValueError: There is no such route.
        """
        for route in routes:
            one_of("routes", named(route), self._methods)
        if routes:
            return [self._methods[named(route)].method_arn for route in routes]
        return [method.method_arn for method in (*self._methods.values(), self._anything)]


def custom_domain(
    scope: Construct, api: apigateway.RestApi, name: str, certificate: acm.ICertificate
) -> apigateway.DomainName:
    """The child "Domain": a regional name, TLS 1.2 and up, that leads to the API's stage."""
    matches("domain_name", name, _DOMAIN, "a domain name in lower case as catalog.example.com")
    domain = apigateway.DomainName(
        scope,
        "Domain",
        domain_name=name,
        certificate=certificate,
        endpoint_type=apigateway.EndpointType.REGIONAL,
        # As the API behind it: TLS 1.2 and 1.3, and no other host than the one of the handshake.
        security_policy=apigateway.SecurityPolicy.TLS13_1_2_PQ_2025_09,
        endpoint_access_mode=apigateway.EndpointAccessMode.STRICT,
    )
    domain.add_base_path_mapping(api, stage=api.deployment_stage)
    return domain


def signed_alarms(scope: Construct, api: apigateway.RestApi, handler: PythonFunction) -> list[cloudwatch.Alarm]:
    """On 5xx, on slow answers, and on what the handler counted as errors of its cache."""
    minutes = Duration.minutes(5)
    server_errors = api.metric_server_error(period=minutes, statistic="Sum")
    slowest = api.metric_latency(period=minutes, statistic="p99")
    broken = cloudwatch.Metric(
        namespace="ClassicArchitectures",
        metric_name="CacheErrors",
        dimensions_map={"service": handler.service_name, "function_name": handler.function.function_name},
        statistic="Sum",
        period=minutes,
    )
    slow = f"answers 1 % in more than {_SLOW_MS} ms"
    return [
        alarm_when(scope, "ServerErrorsAlarm", server_errors, above=0, says="answers 5xx"),
        alarm_when(scope, "SlowAlarm", slowest, above=_SLOW_MS, says=slow, periods=3),
        alarm_when(scope, "CacheErrorsAlarm", broken, above=0, says="cannot use its cache and asks the table"),
    ]
