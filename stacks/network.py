"""A VPC in three tiers over three zones, with a VPN to an office, and what is looked at and changed in it."""

from typing import Any

from aws_cdk import CfnOutput, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib import AlarmTopic, SiteToSiteVpn, TieredNetwork
from constructs_lib._acknowledge import acknowledge
from stacks.scenario import Scenario
from stacks.settings import Settings

HTTP, HTTPS, APPLICATION, DATABASE = 80, 443, 8080, 5432
# What tells who reaches whom. None of them takes a resource (source: Service Authorization Reference, "Actions,
# resources, and condition keys for Amazon EC2").
LOOKS = (
    "ec2:DescribeCustomerGateways",
    "ec2:DescribeFlowLogs",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribePrefixLists",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
    "ec2:DescribeVpnConnections",
    "ec2:DescribeVpnGateways",
)


class Network(Stack):
    """1 internet -> 2 public -> 3 private -> 4 isolated; 5 out by NAT or endpoints; 6 an office by VPN."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # 1-6 The tiers, what separates them, and the ways out of them.
        office = SiteToSiteVpn(settings.vpn_remote, networks=settings.vpn_networks) if settings.vpn_remote else None
        network = TieredNetwork(
            self,
            "Network",
            max_azs=3,
            nat_gateways=settings.nat_gateways,
            interface_endpoints=settings.interface_endpoints,
            vpn=office,
        )
        # 2-4 What may stand in each tier: nothing is asked for but by the tier before it.
        web, app, data = (self._group(network.vpc, name) for name in ("Web", "App", "Data"))
        for port in (HTTP, HTTPS):
            web.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "the web")
        acknowledge(
            web.node.default_child or web,
            {"AwsSolutions-EC23": "What stands in the public tier is there for everybody, on the ports of the web."},
        )
        _lead(web, app, APPLICATION)
        _lead(app, data, DATABASE)
        app.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS), "services of AWS and others")

        # Who looks, and who may change rules in a hurry; neither does the other.
        auditor = iam.Role(self, "Auditor", assumed_by=iam.AccountPrincipal(self.account))
        iam.Grant.add_to_principal(grantee=auditor, actions=list(LOOKS), resource_arns=["*"])
        acknowledge(
            auditor.node.find_child("DefaultPolicy"),
            {"AwsSolutions-IAM5[Resource::*]": "It only looks, and EC2's Describe actions take no resource."},
        )
        operator = iam.Role(self, "Operator", assumed_by=iam.AccountPrincipal(self.account))
        network.grant_change_acls(operator)
        alarms = AlarmTopic(self, "Alarms", email=settings.alarm_email, removal_policy=settings.removal_policy)
        alarms.watch(network.alarms)

        CfnOutput(self, "VpcId", value=network.vpc.vpc_id)
        for tier, subnets in (
            ("Public", network.vpc.public_subnets),
            ("Private", network.vpc.private_subnets),
            ("Isolated", network.vpc.isolated_subnets),
        ):
            CfnOutput(self, f"{tier}SubnetIds", value=Fn.join(",", [one.subnet_id for one in subnets]))
            CfnOutput(self, f"{tier}AclId", value=network.network_acls[tier.lower()].network_acl_id)
        for name, group in (("Web", web), ("App", app), ("Data", data)):
            CfnOutput(self, f"{name}GroupId", value=group.security_group_id)
        CfnOutput(self, "FlowLogGroupName", value=network.flow_log_group.log_group_name)
        CfnOutput(self, "AuditorRoleArn", value=auditor.role_arn)
        CfnOutput(self, "OperatorRoleArn", value=operator.role_arn)
        if office:
            CfnOutput(self, "VpnGatewayId", value=str(network.vpn_gateway_id))
            CfnOutput(self, "VpnConnectionId", value=str(network.vpn_connection_id))
            CfnOutput(self, "CustomerGatewayId", value=str(network.customer_gateway_id))

    def _group(self, vpc: ec2.IVpc, name: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self, f"{name}Group", vpc=vpc, allow_all_outbound=False, description=f"{name} servers of the example"
        )


def _lead(client: ec2.SecurityGroup, server: ec2.SecurityGroup, port: int) -> None:
    """One rule on each side."""
    client.add_egress_rule(server, ec2.Port.tcp(port), "to the next tier")
    server.add_ingress_rule(client, ec2.Port.tcp(port), "from the tier before")


SCENARIO = Scenario(
    key="network",
    stack=Network,
    summary="internet -> public -> private -> isolated subnets in three zones; out by NAT; an office by VPN",
    source="seed 003, the VPC example",
)
