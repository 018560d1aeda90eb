"""Ways from a network to services of AWS that are not by the internet."""

from collections.abc import Collection

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

_HTTPS = 443


# Short names of services that are reached by a route. With an interface endpoint beside it, S3's name would lead to
# that one, at its price; DynamoDB's takes no private name (source: Amazon DynamoDB developer guide, "AWS PrivateLink
# for DynamoDB", considerations).
BY_GATEWAY = ("s3", "dynamodb")


def add_gateways(vpc: ec2.Vpc) -> dict[str, ec2.GatewayVpcEndpoint]:
    """Short name -> endpoint; free of charge, and a route in every table: S3 and DynamoDB."""
    s3, dynamodb = BY_GATEWAY
    return {
        s3: vpc.add_gateway_endpoint("S3Endpoint", service=ec2.GatewayVpcEndpointAwsService.S3),
        dynamodb: vpc.add_gateway_endpoint("DynamoDbEndpoint", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
    }


class InterfaceEndpoints(Construct):
    """An interface endpoint per service in the private tier, all behind one security group.

    Attributes:
        security_group: Admits HTTPS from the VPC, and asks nobody.
        endpoints: Short name -> endpoint.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.Vpc, cidr: str, services: Collection[str]
    ) -> None:
        super().__init__(scope, construct_id)
        self.security_group = ec2.SecurityGroup(
            self, "Group", vpc=vpc, allow_all_outbound=False, description="Endpoints of AWS services"
        )
        self.security_group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(_HTTPS), "HTTPS from the VPC")
        self.endpoints = {
            name: ec2.InterfaceVpcEndpoint(
                self,
                "".join(word.capitalize() for word in name.replace("-", ".").split(".")),
                vpc=vpc,
                service=ec2.InterfaceVpcEndpointAwsService(name, port=_HTTPS),
                subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
                security_groups=[self.security_group],
                private_dns_enabled=True,
                open=False,
            )
            for name in services
        }
