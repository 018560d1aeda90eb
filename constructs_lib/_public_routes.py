"""Routes of a Cognito-authorised API that anybody may call: what a public site reads, and its sign-up forms."""

from collections.abc import Iterable

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from constructs_lib._acknowledge import acknowledge
from constructs_lib.cognito_rest_api import ApiRoute, CognitoRestApi


def add_public_routes(api: CognitoRestApi, handler: lambda_.IFunction, routes: Iterable[ApiRoute]) -> None:
    """Let anybody call these; the stage throttles them with all others."""
    for route in routes:
        method = api.api.root.resource_for_path(route.path).add_method(
            route.method,
            apigateway.LambdaIntegration(handler, allow_test_invoke=False),
            authorization_type=apigateway.AuthorizationType.NONE,
        )
        why = "It is a public site's: whoever reads it or signs up for its news has no account."
        acknowledge(method, {"AwsSolutions-APIG4": why, "AwsSolutions-COG4": why})
