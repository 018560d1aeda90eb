"""What must hold in the template of the three services."""

import json
from typing import Any

from tests.repo.policies import identity_statements, many
from tests.templates import Template, only, resources

GROUP, INGRESS = "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"
BALANCER, TARGETS = "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancingV2::TargetGroup"
SERVICE, TASK = "AWS::ECS::Service", "AWS::ECS::TaskDefinition"
SCALING, DATABASE = "AWS::AutoScaling::AutoScalingGroup", "AWS::RDS::DBInstance"
CACHE, TABLE, FUNCTION = "AWS::ElastiCache::ServerlessCache", "AWS::DynamoDB::GlobalTable", "AWS::Lambda::Function"
METHOD, RECORD, MAPPING = "AWS::ApiGateway::Method", "AWS::Route53::RecordSet", "AWS::Lambda::EventSourceMapping"

# Security group, by how its logical id begins -> who gets in, likewise, and at which port; the web is "0.0.0.0/0".
REACHED = {
    "OrdersServiceLoadBalancer": {("0.0.0.0/0", 443), ("0.0.0.0/0", 80)},
    "OrdersServiceSecurityGroup": {("OrdersServiceLoadBalancer", 8080)},
    "CustomersServersLoadBalancer": {("the VPC", 443), ("the VPC", 80)},
    "CustomersServers": {("CustomersServersLoadBalancer", 8080)},
    "CustomersDatabase": {("CustomersServers", 5432), ("CustomersDatabaseRotation", 5432)},
    "CustomersDatabaseRotation": set(),
    "CatalogApiCache": {("CatalogApiAnswersAccess", 6379), ("CatalogApiStockAccess", 6379)},
    "CatalogApiAnswersAccess": set(),
    "CatalogApiStockAccess": set(),
}


def group_of(value: Any) -> str:
    """The longest of the known beginnings of a security group's logical id."""
    logical_id = value["Fn::GetAtt"][0] if isinstance(value, dict) else str(value)
    found = [name for name in REACHED if logical_id.startswith(name)]
    return max(found, key=len) if found else logical_id


def peer_of(rule: dict[str, Any]) -> str:
    if "SourceSecurityGroupId" in rule:
        return group_of(rule["SourceSecurityGroupId"])
    return "the VPC" if isinstance(rule.get("CidrIp"), dict) else str(rule.get("CidrIp"))


def only_these_get_in(made: Template) -> None:
    found: dict[str, set[tuple[str, int]]] = {}
    for name, group in resources(made, GROUP).items():
        rules = found.setdefault(group_of({"Fn::GetAtt": [name]}), set())
        rules |= {(peer_of(one), one["FromPort"]) for one in group.get("SecurityGroupIngress", [])}
    for one in resources(made, INGRESS).values():
        # A token: the database's port is known when it is made.
        port = one["FromPort"] if isinstance(one["FromPort"], int) else 5432
        found.setdefault(group_of(one["GroupId"]), set()).add((peer_of(one), port))
    assert found == REACHED, f"others get in: {sorted(str(one) for one in found.items() if one not in REACHED.items())}"


def stores_stand_apart(made: Template) -> None:
    isolated = [name for name in resources(made, "AWS::EC2::Subnet") if "isolated" in name.lower()]
    wanted = [{"Ref": name} for name in isolated]
    assert len(isolated) == 2
    assert only(made, CACHE)["SubnetIds"] == wanted, "the cache stands where there is a way out"
    assert only(made, "AWS::RDS::DBSubnetGroup")["SubnetIds"] == wanted, "the database stands where there is a way out"
    assert only(made, DATABASE)["PubliclyAccessible"] is False, "the database has a public address"


def servers_stand_in_private(made: Template) -> None:
    private = [{"Ref": name} for name in resources(made, "AWS::EC2::Subnet") if "private" in name.lower()]
    network = only(made, SERVICE)["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["Subnets"] == private, "tasks stand in public"
    assert network["AssignPublicIp"] == "DISABLED", "tasks have public addresses"
    assert only(made, SCALING)["VPCZoneIdentifier"] == private, "instances stand in public"
    schemes = {name[:9]: one["Scheme"] for name, one in resources(made, BALANCER).items()}
    assert schemes == {"OrdersSer": "internet-facing", "Customers": "internal"}, "the customers face the internet"


def health_is_asked(made: Template) -> None:
    for name, one in resources(made, TARGETS).items():
        assert (one["HealthCheckPath"], one["HealthCheckIntervalSeconds"]) == ("/health", 5), f"{name} is not asked"
    assert only(made, SCALING)["HealthCheckType"] == "ELB", "an instance that does not answer stays"


def releases_are_rolled(made: Template) -> None:
    deployment = only(made, SERVICE)["DeploymentConfiguration"]
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}, "a bad version stays"
    assert deployment["MinimumHealthyPercent"] == 100, "a release makes a gap"
    (group,) = [one for one in made["Resources"].values() if one["Type"] == SCALING]
    rolling = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert rolling["WaitOnResourceSignals"] is True, "an instance counts before it answers"
    assert rolling["MinInstancesInService"] >= 1, "a release makes a gap"


def calls_go_by_name(made: Template) -> None:
    (container,) = only(made, TASK)["ContainerDefinitions"]
    told = {one["Name"]: one["Value"] for one in container["Environment"]}
    names = {one["Name"] for one in resources(made, RECORD).values()}
    assert names == {f"{one}.microservices.example.com." for one in ("orders", "catalog", "customers")}
    for variable, service in (("CATALOG_URL", "catalog"), ("CUSTOMERS_URL", "customers")):
        assert told[variable] == f"https://{service}.microservices.example.com", "it calls something else, or in plain"


def rights(made: Template, who: str) -> dict[str, list[str]]:
    """Action -> resources, as text, of what a role may do, but for logs and traces."""
    found: dict[str, list[str]] = {}
    for name, one in identity_statements(made):
        if name.startswith(who):
            for action in many(one["Action"]):
                if not action.startswith(("logs:", "xray:")):
                    found.setdefault(action, []).extend(json.dumps(each) for each in many(one["Resource"]))
    return found


def orders_may_only_this(made: Template) -> None:
    may = rights(made, "OrdersServiceTaskTaskRole")
    assert may.keys() == {"dynamodb:GetItem", "dynamodb:PutItem", "execute-api:Invoke"}, f"it may {sorted(may)}"
    (invoked,) = may["execute-api:Invoke"]
    assert invoked.endswith('"/GET/products/*"]]}'), "it may do other things with the catalog"
    assert all("OrdersTable" in one for one in may["dynamodb:PutItem"]), "it writes into other tables"


def each_has_its_own_data(made: Template) -> None:
    for who, table in (
        ("OrdersServiceTask", "OrdersTable"),
        ("CatalogAnswers", "CatalogApi"),
        ("CatalogStock", "CatalogApi"),
    ):
        for action, used in rights(made, who).items():
            if action.startswith("dynamodb:"):
                assert all(table in one for one in used), f"{who} uses another service's table"
    assert not rights(made, "CustomersServersRole").keys() & {"dynamodb:GetItem", "dynamodb:PutItem"}, "another's table"


def the_catalog_is_signed(made: Template) -> None:
    kinds = {one["AuthorizationType"] for one in resources(made, METHOD).values()}
    assert kinds == {"AWS_IAM"}, "anybody may call the catalog"


def orders_are_news(made: Template) -> None:
    (orders,) = [one for name, one in resources(made, TABLE).items() if name.startswith("Orders")]
    assert orders["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}, "nobody hears of orders"
    (stream,) = [one for one in resources(made, MAPPING).values() if "StartingPosition" in one]
    assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"], "one bad order holds up all"
    assert "OnFailure" in stream["DestinationConfig"], "what cannot be published is lost"
    patience = (stream["MaximumRetryAttempts"], stream["MaximumRecordAgeInSeconds"])
    assert patience == (10_000, 12 * 3600), "a topic that is away costs orders, or nobody has time to read the stream"
    (queue,) = [one for one in resources(made, MAPPING).values() if "StartingPosition" not in one]
    assert queue["FunctionResponseTypes"] == ["ReportBatchItemFailures"], "one bad message holds up all"


def what_is_kept_outlives_the_stack(made: Template) -> None:
    kinds = (TABLE, "AWS::S3::Bucket", "AWS::KMS::Key")
    leaving = [
        name
        for name, one in made["Resources"].items()
        if one["Type"] in kinds and one.get("DeletionPolicy") != "Retain"
    ]
    assert leaving == [], "leaves with the stack"
    (database,) = [one for one in made["Resources"].values() if one["Type"] == DATABASE]
    assert database["DeletionPolicy"] in {"Retain", "Snapshot"}, "the database leaves with the stack"
    assert database["Properties"]["DeletionProtection"] is True, "the database can be deleted by mistake"
