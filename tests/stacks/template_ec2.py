"""EC2's answers about a network as its template has it: what would be described once it is deployed."""

from functools import cache
from typing import Any

from tests.templates import Template, resources, scenario_app

_PREFIXES = {
    "AWS::EC2::InternetGateway": "igw",
    "AWS::EC2::NatGateway": "nat",
    "AWS::EC2::VPNGateway": "vgw",
    "AWS::EC2::VPCEndpoint": "vpce",
    "AWS::EC2::SecurityGroup": "sg",
}
LISTS = {"s3": "52.0.1.0/24", "dynamodb": "52.0.2.0/24"}


@cache
def made(**context: str) -> Template:
    """The template of the scenario network with these settings."""
    source: Template = scenario_app("network", outdir=None, **context).synth().get_stack_by_name("Network").template
    return source


def tiers(template: Template) -> dict[str, list[str]]:
    """Tier -> logical ids of its subnets."""
    subnets = resources(template, "AWS::EC2::Subnet")
    return {
        tier: [name for name in subnets if f"Vpc{tier.capitalize()}" in name]
        for tier in ("public", "private", "isolated")
    }


class TemplateEc2:
    """The part of boto3's client that reads a network; the VPC of the template is the only one."""

    def __init__(self, template: Template) -> None:
        self._template = template

    def id(self, value: Any) -> str:
        """The id that a Ref or GetAtt becomes."""
        logical = value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]
        prefix = _PREFIXES.get(self._template["Resources"][logical]["Type"])
        return f"{prefix}-{logical}" if prefix else logical

    def _all(self, kind: str) -> dict[str, dict[str, Any]]:
        return resources(self._template, f"AWS::EC2::{kind}")

    def describe_subnets(self, **_asked: Any) -> Any:
        found = [
            {"SubnetId": name, "CidrBlock": one["CidrBlock"], "AvailabilityZone": _zone(one)}
            for name, one in self._all("Subnet").items()
        ]
        return {"Subnets": found}

    def describe_route_tables(self, **_asked: Any) -> Any:
        return {"RouteTables": [self._table(name) for name in self._all("RouteTable")]}

    def _table(self, name: str) -> dict[str, Any]:
        (vpc,) = self._all("VPC").values()
        routes = [{"DestinationCidrBlock": vpc["CidrBlock"], "GatewayId": "local", "State": "active"}]
        for one in self._all("Route").values():
            if one["RouteTableId"]["Ref"] == name:
                said = {key: value for key, value in one.items() if key != "RouteTableId"}
                target = {key: self.id(value) for key, value in said.items() if isinstance(value, dict)}
                routes.append({**said, **target, "State": "active"})
        for endpoint, one in self._all("VPCEndpoint").items():
            if {"Ref": name} in one.get("RouteTableIds", []):
                listed = f"pl-{_service(one)}"
                routes.append(
                    {"DestinationPrefixListId": listed, "GatewayId": self.id({"Ref": endpoint}), "State": "active"}
                )
        return {
            "RouteTableId": name,
            "Routes": routes,
            "Associations": [
                {"SubnetId": one["SubnetId"]["Ref"]}
                for one in self._all("SubnetRouteTableAssociation").values()
                if one["RouteTableId"]["Ref"] == name
            ],
            "PropagatingVgws": [
                {"GatewayId": self.id(one["VpnGatewayId"])}
                for one in self._all("VPNGatewayRoutePropagation").values()
                if {"Ref": name} in one["RouteTableIds"]
            ],
        }

    def describe_network_acls(self, **_asked: Any) -> Any:
        found = [
            {
                "Entries": [
                    {**one, "Protocol": str(one["Protocol"])}
                    for one in self._all("NetworkAclEntry").values()
                    if one["NetworkAclId"]["Ref"] == name
                ],
                "Associations": [
                    {"SubnetId": one["SubnetId"]["Ref"]}
                    for one in self._all("SubnetNetworkAclAssociation").values()
                    if one["NetworkAclId"]["Ref"] == name
                ],
            }
            for name in self._all("NetworkAcl")
        ]
        return {"NetworkAcls": found}

    def describe_prefix_lists(self, **_asked: Any) -> Any:
        found = [
            {"PrefixListId": f"pl-{name}", "PrefixListName": f"com.amazonaws.x.{name}", "Cidrs": [cidr]}
            for name, cidr in LISTS.items()
        ]
        return {"PrefixLists": found}

    def describe_nat_gateways(self, **_asked: Any) -> Any:
        found = [
            {"NatGatewayId": self.id({"Ref": name}), "SubnetId": one["SubnetId"]["Ref"]}
            for name, one in self._all("NatGateway").items()
        ]
        return {"NatGateways": found}

    def describe_internet_gateways(self, **_asked: Any) -> Any:
        attached = [one["InternetGatewayId"] for one in self._attachments() if "InternetGatewayId" in one]
        return {"InternetGateways": [{"InternetGatewayId": self.id(one)} for one in attached]}

    def describe_vpn_gateways(self, **_asked: Any) -> Any:
        attached = [one["VpnGatewayId"] for one in self._attachments() if "VpnGatewayId" in one]
        return {"VpnGateways": [{"VpnGatewayId": self.id(one)} for one in attached]}

    def _attachments(self) -> list[dict[str, Any]]:
        return list(self._all("VPCGatewayAttachment").values())

    def describe_vpn_connections(self, **_asked: Any) -> Any:
        (connection,) = self._all("VPNConnection").values()
        routes = [
            {"DestinationCidrBlock": one["DestinationCidrBlock"], "State": "available"}
            for one in self._all("VPNConnectionRoute").values()
        ]
        found = {
            "CustomerGatewayId": self.id(connection["CustomerGatewayId"]),
            "VpnGatewayId": self.id(connection["VpnGatewayId"]),
            "Routes": routes,
            "VgwTelemetry": [{"Status": "DOWN"}] * 2,
        }
        return {"VpnConnections": [found]}

    def describe_customer_gateways(self, **_asked: Any) -> Any:
        return {"CustomerGateways": list(self._all("CustomerGateway").values())}

    def describe_vpc_endpoints(self, **_asked: Any) -> Any:
        found = [
            {
                "VpcId": "vpc",
                "VpcEndpointType": one["VpcEndpointType"],
                "Groups": [{"GroupId": self.id(group)} for group in one.get("SecurityGroupIds", [])],
            }
            for one in self._all("VPCEndpoint").values()
        ]
        return {"VpcEndpoints": found}

    def describe_security_groups(self, **_asked: Any) -> Any:
        found = []
        for name, one in self._all("SecurityGroup").items():
            own: dict[str, Any] = {"GroupId": self.id({"Ref": name})}
            for way, key in (("Ingress", "IpPermissions"), ("Egress", "IpPermissionsEgress")):
                inline = one.get(f"SecurityGroup{way}", [])
                apart = [
                    rule
                    for rule in self._all(f"SecurityGroup{way}").values()
                    if self.id(rule["GroupId"]) == own["GroupId"]
                ]
                # A group that says nothing of its own lets everything out; with a rule apart it does not.
                default = [] if inline or apart or way == "Ingress" else [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}]
                own[key] = [self._permission(rule) for rule in (*inline, *apart, *default)]
            found.append(own)
        return {"SecurityGroups": found}

    def _permission(self, rule: dict[str, Any]) -> dict[str, Any]:
        other = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
        return {
            "IpProtocol": rule["IpProtocol"],
            **{name: rule[name] for name in ("FromPort", "ToPort") if name in rule},
            "IpRanges": [{"CidrIp": rule["CidrIp"]}] if "CidrIp" in rule else [],
            "UserIdGroupPairs": [{"GroupId": self.id(other)}] if other else [],
            "PrefixListIds": [],
        }


def _zone(subnet: dict[str, Any]) -> str:
    return f"zone-{'abc'[subnet['AvailabilityZone']['Fn::Select'][0]]}"


def _service(endpoint: dict[str, Any]) -> str:
    return str(endpoint["ServiceName"]["Fn::Join"][1][-1]).rpartition(".")[2]
