"""Cognito user pool -> API Gateway -> Lambda: a REST API for people who signed in."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_lib import _problems
from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when
from constructs_lib._checks import matches, not_empty, one_of, seconds_in_range, unique
from constructs_lib._rest_api import access_log_group, check_limits, regional_rest_api
from constructs_lib._user_pool import MAX_TOKEN_SECONDS, MIN_TOKEN_SECONDS, app_client, user_pool

_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
# Source: Amazon API Gateway developer guide, "Cache settings for REST APIs".
_MAX_CACHE_SECONDS = 3600
_AUTHORIZATION = "method.request.header.Authorization"


@dataclass(frozen=True)
class ApiRoute:
    """One method at one path.

    Args:
        method: GET, HEAD, POST, PUT, PATCH or DELETE.
        path: "/todos/{id}"; what stands in braces is a path parameter.
        query: Names of the query parameters that the answer depends on. A cached answer is one per combination of
            them; one that is left out here would get the answer to another question.

    Raises:
        ValueError: The method is none of these, or the path is not of that form.

    Example:
        listing = ApiRoute("GET", "/todos", query=("limit", "cursor"))
    """

    method: str
    path: str
    query: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        one_of("method", self.method, _METHODS)
        segment = r"/([A-Za-z0-9._-]+|\{[A-Za-z0-9_]+\})"
        matches("path", self.path, f"({segment})+", 'segments of letters, digits, ".", "_", "-", or {name}')
        for name in self.query:
            matches("query", name, r"[A-Za-z0-9_-]+", "names of letters, digits, '_' and '-'")

    @property
    def parameters(self) -> list[str]:
        """What the answer depends on besides the caller, as API Gateway names it."""
        inside = [segment[1:-1] for segment in self.path.split("/") if segment.startswith("{")]
        return [f"method.request.path.{name}" for name in inside] + [
            f"method.request.querystring.{name}" for name in self.query
        ]


class CognitoRestApi(Construct):
    """A regional REST API whose callers are users of a Cognito user pool; one function answers all routes.

    Defines the API (TLS 1.2 and up, access logs, tracing, throttling), an authorizer that verifies signature, issuer
    and expiry of the caller's **ID token** before anything of yours runs, the methods, refusals as problem details
    (RFC 9457: 401, 403, 404 for an unknown route, 429), an alarm on 5xx answers, and, unless one is brought, a user
    pool (e-mail sign-up, 12-character passwords, optional authenticator app) with an app client for SRP sign-in.

    API Gateway takes ID tokens because the methods ask for no OAuth scopes, and it does not look at ``aud``: a token
    made for another app of the same pool passes. So the handler is told its app client as ``USER_POOL_CLIENT_ID`` and
    must answer 401 unless ``requestContext.authorizer.claims.aud`` is that. Who calls is ``claims.sub``, nothing else.
    Source: Amazon API Gateway developer guide, "Control access to REST APIs using Amazon Cognito user pools".

    With ``cache_ttl`` answers to GET are kept (encrypted) per caller: the token, the path and the declared query
    parameters are the cache key. A write does not clear it: callers that must see their own write declare and send a
    query parameter with a value of their own. Clients cannot empty the cache (that takes a signed IAM right).

    Args:
        handler: Function that answers; it is given the environment variable ``USER_POOL_CLIENT_ID``.
        routes: Methods and paths that exist; all others are 404.
        user_pool: Whose users may call. Left out: a new pool. Brought: bring ``user_pool_client`` too.
        user_pool_client: The app's client. Left out: a new one of the new pool.
        cache_ttl: How long answers to GET are kept, 1-3600 seconds. Left out: no cache. A cache costs by the hour.
        token_validity: Life of ID and access tokens of the new app client, 5 minutes to 1 day. Default 1 hour.
        rate_limit: Requests per second, 1-10000. Default 100.
        burst_limit: Requests at once, 1-5000. Default 200.
        removal_policy: What happens to the new user pool when the stack is deleted. Default RETAIN.

    Attributes:
        api: The REST API.
        url: Base URL, without a slash at its end; routes' paths are appended.
        user_pool: The pool.
        user_pool_client: The app client.
        access_log: Log group of one JSON line per request.
        alarms: The alarm on 5xx answers.

    Raises:
        ValueError: A prop is out of range, a route occurs twice, or only one of pool and client is brought.

    Example:
        api = CognitoRestApi(stack, "Api", handler=worker.function, routes=[ApiRoute("GET", "/todos")])
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: lambda_.Function,
        routes: Sequence[ApiRoute],
        user_pool: cognito.IUserPool | None = None,
        user_pool_client: cognito.IUserPoolClient | None = None,
        cache_ttl: Duration | None = None,
        token_validity: Duration | None = None,
        rate_limit: int = 100,
        burst_limit: int = 200,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        check_limits(rate_limit, burst_limit)
        not_empty("routes", routes)
        unique("routes", [f"{route.method} {route.path}" for route in routes])
        if cache_ttl:
            seconds_in_range("cache_ttl", cache_ttl, 1, _MAX_CACHE_SECONDS)
        token_validity = token_validity or Duration.hours(1)
        seconds_in_range("token_validity", token_validity, MIN_TOKEN_SECONDS, MAX_TOKEN_SECONDS)

        self.user_pool, self.user_pool_client = self._users(user_pool, user_pool_client, token_validity, removal_policy)
        handler.add_environment("USER_POOL_CLIENT_ID", self.user_pool_client.user_pool_client_id)
        self.access_log = access_log_group(self)
        self.api = regional_rest_api(
            self,
            access_log=self.access_log,
            rate_limit=rate_limit,
            burst_limit=burst_limit,
            cache_ttl=cache_ttl,
            cached_methods=[f"{route.path}/GET" for route in routes if route.method == "GET"],
        )
        acknowledge(
            self.api.deployment_stage,
            {"AwsSolutions-APIG3": "Only signed-in users get in, and the stage throttles them."},
        )
        acknowledge(
            self.api,
            {"AwsSolutions-APIG2": "The function validates; it answers 400 with each field that is wrong."},
        )
        _problems.answer_callers(self.api)
        self._authorizer = apigateway.CognitoUserPoolsAuthorizer(
            self,
            "Authorizer",
            cognito_user_pools=[self.user_pool],
            # Kept results would let a token in after it expired; verifying one costs nothing.
            results_cache_ttl=Duration.seconds(0),
        )
        for route in routes:
            self._add(route, handler, cached=cache_ttl is not None and route.method == "GET")
        self.url = self.api.url_for_path("/").rstrip("/")
        server_errors = self.api.metric_server_error(period=Duration.minutes(5), statistic="Sum")
        self.alarms = [alarm_when(self, "ServerErrorsAlarm", server_errors, above=0, says="answers 5xx")]

    def _users(
        self,
        pool: cognito.IUserPool | None,
        client: cognito.IUserPoolClient | None,
        token_validity: Duration,
        removal_policy: RemovalPolicy,
    ) -> tuple[cognito.IUserPool, cognito.IUserPoolClient]:
        if (pool is None) != (client is None):
            given = "user_pool" if pool else "user_pool_client"
            raise ValueError(f"user_pool, user_pool_client: bring both or neither, got {given} alone")
        if pool and client:
            return pool, client
        made = user_pool(self, "Users", removal_policy=removal_policy)
        return made, app_client(made, "App", token_validity=token_validity)

    def _add(self, route: ApiRoute, handler: lambda_.IFunction, *, cached: bool) -> None:
        # The token is in the key: what one caller was told is never told to another.
        key = [_AUTHORIZATION, *route.parameters]
        self.api.root.resource_for_path(route.path).add_method(
            route.method,
            apigateway.LambdaIntegration(
                handler, allow_test_invoke=False, cache_key_parameters=key if cached else None
            ),
            authorizer=self._authorizer,
            authorization_type=apigateway.AuthorizationType.COGNITO,
            # Declared, so that they may stand in the key; query parameters alone may be missing.
            request_parameters={name: ".querystring." not in name for name in key} if cached else None,
        )
