"""API Gateway -> Lambda -> Valkey, beside DynamoDB: an API for services, whose repeated reads come from memory."""

from collections.abc import Mapping, Sequence

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._buckets import flat
from constructs_lib._checks import in_range, matches, not_empty, one_of, unique
from constructs_lib._rest_api import access_log_group, check_limits, regional_rest_api
from constructs_lib._serverless_cache import ServerlessCache
from constructs_lib._signed_routes import SignedRoutes, custom_domain, named, signed_alarms
from constructs_lib._subnets import isolated_or_private, selected
from constructs_lib._vpc_function import move_in
from constructs_lib.cognito_rest_api import ApiRoute
from constructs_lib.python_function import PythonFunction

# Source: Amazon ElastiCache user guide, "Scaling ElastiCache": limits of a serverless cache.
_MAX_STORAGE_GB = 5000
_MIN_ECPU, _MAX_ECPU = 1000, 15_000_000
_MAX_SNAPSHOT_DAYS = 35
_HTTPS = 443
_PATHS = "What stands for '*' is a parameter of a granted route, or a path that the API does not have."


class CachedApi(Construct):
    """A REST API whose callers sign (SigV4); one function answers, from a cache first and from its table otherwise.

    Defines the API (regional, TLS 1.2 and up, access logs, tracing, throttling, IAM authorisation on every method,
    bodies checked by JSON schema before anything of yours runs, refusals as problem details), a DynamoDB table (on
    demand, point-in-time recovery), an ElastiCache Serverless cache for Valkey (TLS, customer-managed key, one user who
    is authenticated by IAM, limits, daily snapshots) that lets in the connected functions alone, a custom domain name
    if wanted, and alarms.

    The handler, and whatever function is given to ``connect``, stands in the VPC, reaches the cache and, by the VPC's
    gateway endpoint, DynamoDB, and is told ``TABLE_NAME``, ``CACHE_HOST``, ``CACHE_PORT``, ``CACHE_NAME`` and
    ``CACHE_USER``. What is kept and for how long is up to it; it counts what goes wrong with the cache as the metric
    ``CacheErrors``, with the dimensions ``service`` and ``function_name`` (Powertools).

    A signed request to a route that there is not gets to the handler, which should answer 404; one that is not signed
    is answered 403 everywhere.

    Args:
        vpc: A VPC with a gateway endpoint to DynamoDB.
        handler: The function that answers. Give it a timeout of a few seconds: its callers wait.
        routes: Methods and paths that exist.
        partition_key: The table's partition key.
        bodies: "PUT /products/{sku}" -> JSON schema of the body (API Gateway knows draft 4). The ``description`` of
            each property is shown to callers who are refused.
        subnets: Where cache and functions stand. Left out: the isolated subnets, or the private
            ones where there are none.
        domain_name: The API's own name, with a ``certificate`` of this region. Left out: the one that AWS makes up.
        certificate: Certificate of ``domain_name``.
        ttl_attribute: The table's attribute at which items end. Left out: they do not.
        max_storage_gb: Data that the cache may hold, 1-5000 GB. Default 1.
        max_ecpu_per_second: Processing units (about one simple call on 1 KB) that it may use in a second,
            1000-15000000. Default 1000.
        snapshot_days: How long daily snapshots of the cache are kept, 1-35. Default 1.
        rate_limit: Requests per second, 1-10000. Default 100.
        burst_limit: Requests at once, 1-5000. Default 200.
        removal_policy: What happens to the table and the cache's key when the stack is deleted; RETAIN (default) also
            protects the table. The cache itself leaves with the stack.

    Attributes:
        api: The REST API.
        url: Base URL, without a slash at its end; routes' paths are appended.
        domain: The custom domain name; None without.
        table: The table.
        cache: The cache: its name, endpoint, security group and key.
        access_log: Log group of one JSON line per request.
        alarms: On 5xx answers, slow answers, and errors, throttles and evictions of the cache.

    Raises:
        ValueError: A prop is out of range, a route occurs twice, a body is of no route, or only one of ``domain_name``
            and ``certificate`` is given.

    Example:
        key = dynamodb.Attribute(name="sku", type=dynamodb.AttributeType.STRING)
        answers = PythonFunction(stack, "Answers", package="catalog_api")
        routes = [ApiRoute("GET", "/products/{sku}")]
        CachedApi(stack, "Catalog", vpc=vpc, handler=answers, routes=routes, partition_key=key)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        handler: PythonFunction,
        routes: Sequence[ApiRoute],
        partition_key: dynamodb.Attribute,
        bodies: Mapping[str, apigateway.JsonSchema] | None = None,
        subnets: ec2.SubnetSelection | None = None,
        domain_name: str | None = None,
        certificate: acm.ICertificate | None = None,
        ttl_attribute: str | None = None,
        max_storage_gb: int = 1,
        max_ecpu_per_second: int = 1000,
        snapshot_days: int = 1,
        rate_limit: int = 100,
        burst_limit: int = 200,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        check_limits(rate_limit, burst_limit)
        in_range("max_storage_gb", max_storage_gb, 1, _MAX_STORAGE_GB)
        in_range("max_ecpu_per_second", max_ecpu_per_second, _MIN_ECPU, _MAX_ECPU)
        in_range("snapshot_days", snapshot_days, 1, _MAX_SNAPSHOT_DAYS)
        not_empty("routes", routes)
        names = [named(route) for route in routes]
        unique("routes", names)
        for name in bodies or {}:
            one_of("bodies", name, names)
        if (domain_name is None) != (certificate is None):
            given = "domain_name" if domain_name else "certificate"
            raise ValueError(f"domain_name, certificate: give both or neither, got {given} alone")

        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=partition_key,
            time_to_live_attribute=ttl_attribute,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=removal_policy == RemovalPolicy.RETAIN,
            removal_policy=removal_policy,
        )
        self._vpc = vpc
        self._subnets = selected(vpc, subnets or isolated_or_private(vpc))
        self.cache = ServerlessCache(
            self,
            "Cache",
            vpc=vpc,
            subnets=self._subnets,
            max_storage_gb=max_storage_gb,
            max_ecpu_per_second=max_ecpu_per_second,
            snapshot_days=snapshot_days,
            removal_policy=removal_policy,
        )
        self.access_log = access_log_group(self)
        self.api = regional_rest_api(self, access_log=self.access_log, rate_limit=rate_limit, burst_limit=burst_limit)
        self._routes = SignedRoutes(self.api, handler, routes, bodies or {})
        self.domain = custom_domain(self, self.api, domain_name, certificate) if domain_name and certificate else None
        self.url = f"https://{domain_name}" if domain_name else self.api.url_for_path("/").rstrip("/")
        self.connect(handler, "dynamodb:GetItem", "dynamodb:PutItem")
        self.alarms = [*signed_alarms(self, self.api, handler), *self.cache.alarms]

    def connect(self, worker: PythonFunction, *actions: str) -> None:
        """Let a function do these actions on the table ("dynamodb:UpdateItem") and use the cache.

        Raises:
            ValueError: No action, or one that is not DynamoDB's.
        """
        not_empty("actions", actions)
        for action in actions:
            matches("actions", action, r"dynamodb:[A-Z][A-Za-z]+", 'actions of DynamoDB as "dynamodb:GetItem"')
        group = ec2.SecurityGroup(
            self,
            f"{worker.node.id}Access",
            vpc=self._vpc,
            allow_all_outbound=False,
            description="A function of the table and its cache",
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(_HTTPS), "to DynamoDB by the VPC's endpoint")
        self.cache.let_in(group)
        move_in(worker, subnet_ids=self._subnets.subnet_ids, group=group)
        self.table.grant(worker.function, *actions)
        self.cache.grant_connect(worker.function)
        for name, value in {
            "TABLE_NAME": self.table.table_name,
            "CACHE_HOST": self.cache.host,
            "CACHE_PORT": self.cache.port,
            "CACHE_NAME": self.cache.name,
            "CACHE_USER": self.cache.user,
        }.items():
            worker.function.add_environment(name, value)

    def grant_invoke(self, grantee: iam.IGrantable, *routes: ApiRoute) -> iam.Grant:
        """Let ``grantee`` call these routes; without any, all of them, and be told 404 by what there is not.

        Raises:
            ValueError: There is no such route.
        """
        arns = self._routes.arns(routes)
        stack = Stack.of(self)
        # The acknowledgement of another stack's role is for its owner to give: the finding has another name there.
        if isinstance(grantee, iam.Role) and Stack.of(grantee) is stack:
            rules = [f"AwsSolutions-IAM5[Resource::{one}]" for one in (flat(stack.resolve(arn)) for arn in arns)]
            acknowledge(grantee, dict.fromkeys([one for one in rules if "*" in one], _PATHS))
        return iam.Grant.add_to_principal(grantee=grantee, actions=["execute-api:Invoke"], resource_arns=arns)
