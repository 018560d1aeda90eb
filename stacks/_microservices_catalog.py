"""Service 2, catalog: API Gateway -> Lambda -> ElastiCache (Valkey) beside DynamoDB."""

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from constructs_lib import ApiRoute, CachedApi, PythonFunction
from stacks._domain import Domain
from stacks.settings import Settings

READ, WRITE = ApiRoute("GET", "/products/{sku}"), ApiRoute("PUT", "/products/{sku}")
DOCUMENT = ApiRoute("GET", "/openapi.json")
STOCK_TIMEOUT = Duration.seconds(5)
_KIND = apigateway.JsonSchemaType
# Checked at the edge; the function's own rules (lambda_src/catalog_api/rules.py) are the same.
PRODUCT = apigateway.JsonSchema(
    type=_KIND.OBJECT,
    required=["name", "price", "stock"],
    additional_properties=False,
    properties={
        "name": apigateway.JsonSchema(
            type=_KIND.STRING, min_length=1, max_length=200, description="text of 1 to 200 characters"
        ),
        "price": apigateway.JsonSchema(
            type=_KIND.INTEGER, minimum=0, maximum=100_000_000, description="whole number of cents, 0 to 100000000"
        ),
        "stock": apigateway.JsonSchema(
            type=_KIND.INTEGER, minimum=0, maximum=1_000_000, description="whole number of pieces, 0 to 1000000"
        ),
    },
)


class Catalog(Construct):
    """Products, read often and written rarely; what is ordered is taken from their stock.

    Args:
        vpc: The VPC.
        domain: Its names.
        settings: The app's settings.

    Attributes:
        api: The API with its table and cache.
        stock: The function that takes orders from stock; give it a queue.
        url: Where the service is.
        alarms: All alarms.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, domain: Domain, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id)
        answers = PythonFunction(
            self,
            "Answers",
            package="catalog_api",
            target=settings.target,
            memory_mb=512,
            timeout=Duration.seconds(10),
        )
        self.api = CachedApi(
            self,
            "Api",
            vpc=vpc,
            handler=answers,
            routes=[READ, WRITE, DOCUMENT],
            bodies={f"{WRITE.method} {WRITE.path}": PRODUCT},
            partition_key=dynamodb.Attribute(name="sku", type=dynamodb.AttributeType.STRING),
            ttl_attribute="expires",
            domain_name=f"catalog.{domain.name}",
            certificate=domain.certificate,
            removal_policy=settings.removal_policy,
        )
        self.answers = answers
        self.stock = PythonFunction(
            self,
            "Stock",
            package="catalog_api",
            handler="stock.handler",
            target=settings.target,
            timeout=STOCK_TIMEOUT,
            environment={"POWERTOOLS_SERVICE_NAME": "catalog-stock"},
        )
        self.api.connect(self.stock, "dynamodb:PutItem", "dynamodb:UpdateItem")
        if self.api.domain:
            domain.alias("catalog", targets.ApiGatewayDomain(self.api.domain))
        self.url = self.api.url
        self.alarms = [*self.api.alarms, *answers.alarms, *self.stock.alarms]
