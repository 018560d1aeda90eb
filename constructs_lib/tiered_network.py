"""A VPC in three tiers: what faces the internet, what serves, and what is kept."""

from collections.abc import Collection
from ipaddress import IPv4Network

from aws_cdk import Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib import _network_acls, _network_endpoints
from constructs_lib._alarms import alarm_when
from constructs_lib._checks import in_range, matches, unique
from constructs_lib._flow_logs import write_down
from constructs_lib._vpn import SiteToSiteVpn, VpnLink, parsed

__all__ = ["SiteToSiteVpn", "TieredNetwork"]

_KINDS = {
    "public": ec2.SubnetType.PUBLIC,
    "private": ec2.SubnetType.PRIVATE_WITH_EGRESS,
    "isolated": ec2.SubnetType.PRIVATE_ISOLATED,
}
_MIN_AZS, _MAX_AZS = 2, 3
# Each tier is a quarter of the VPC, and room for a fourth zone a quarter of a tier: /22 leaves 59 addresses a subnet.
_ROOM = 4
_MIN_MASK, _MAX_MASK = 16, 22


class TieredNetwork(Construct):
    """A VPC over two or three zones, with public, private and isolated subnets.

    Defines subnets, route tables, internet and NAT gateways, a network ACL per tier, gateway endpoints of S3 and
    DynamoDB, flow logs, and when asked interface endpoints and a VPN. Each tier is a quarter of ``cidr`` and a
    subnet a sixteenth, so that another zone or another tier renumbers nothing.

    - Public: load balancers and NAT gateways; the web in and out. No instance gets an address by itself.
    - Private: servers. Out by NAT alone, TCP 80 and 443. Without NAT gateways the tier is the same, less the way out:
      it reaches AWS by endpoints, and adding NAT later adds routes and moves nothing.
    - Isolated: data. Only the private tier gets in, and only S3 and DynamoDB are reached, by the gateway endpoints;
      the endpoints of other services stand in the private tier and answer on 443.

    Other ports are let through with ``network_acls[tier].add_entry``. The VPC's default security group stays as AWS
    makes it, members only: emptying it takes a custom resource with rights of its own, and nothing is put into it.

    Where a VPN is too slow or too unsteady, AWS Direct Connect is a line of one's own to AWS: a connection, a private
    virtual interface on it and a Direct Connect gateway, associated with the same virtual private gateway
    (``vpn_gateway_id``). Routes then propagate as here, and are preferred to those of a VPN, which is kept as the
    reserve. It is ordered from people and takes weeks, so it is no resource of a stack.

    Args:
        max_azs: Zones, 2-3. Default 2. The region must have as many.
        nat_gateways: 0-``max_azs``. Left out: one per zone. Fewer cost less, and fail with their zone.
        cidr: The VPC's private IPv4 network, /16-/22. Default "10.0.0.0/16".
        interface_endpoints: Short names of services that get an interface endpoint: "ecr.api", "logs",
            "secretsmanager". Default none. Each costs by the hour and zone. Not "s3" or "dynamodb": they have gateways.
        vpn: A network elsewhere to connect with. Left out: none.
        log_retention: How long flow logs and those of the VPN are kept. Default one month.

    Attributes:
        vpc: The VPC, with the CDK's own subnet types PUBLIC, PRIVATE_WITH_EGRESS and PRIVATE_ISOLATED.
        tier_cidrs: "public", "private", "isolated" -> CIDR of the whole tier.
        network_acls: Likewise -> its network ACL.
        gateway_endpoints: "s3" and "dynamodb" -> endpoint. Each lets through whatever one may do by IAM; add to its
            policy to narrow that.
        flow_log_group: Where accepted and rejected traffic is written down.
        interface_endpoints: Short name -> endpoint.
        vpn_gateway_id: Our end of the VPN; None without. Likewise ``customer_gateway_id``, ``vpn_connection_id``.
        alarms: Alarms on NAT gateways and VPN.

    Raises:
        ValueError: A prop is out of range, or the VPN's networks overlap ``cidr``.

    Example:
        network = TieredNetwork(stack, "Network", max_azs=3, nat_gateways=1, interface_endpoints=["secretsmanager"])
        ec2.SecurityGroup(stack, "Servers", vpc=network.vpc)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        max_azs: int = 2,
        nat_gateways: int | None = None,
        cidr: str = "10.0.0.0/16",
        interface_endpoints: Collection[str] = (),
        vpn: SiteToSiteVpn | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        in_range("max_azs", max_azs, _MIN_AZS, _MAX_AZS)
        nat_gateways = max_azs if nat_gateways is None else nat_gateways
        in_range("nat_gateways", nat_gateways, 0, max_azs)
        network = _checked_network(cidr, vpn)
        unique("interface_endpoints", list(interface_endpoints))
        for name in interface_endpoints:
            if name in _network_endpoints.BY_GATEWAY:
                raise ValueError(f"interface_endpoints: must leave out what has a gateway endpoint, got {name!r}")
            matches("interface_endpoints", name, r"[a-z0-9]+([.-][a-z0-9]+)*", 'short names as "ecr.api"')

        self.tier_cidrs = dict(zip(_KINDS, map(str, network.subnets(new_prefix=network.prefixlen + 2)), strict=False))
        nat = ec2.NatProvider.gateway()
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            # Chosen at deploy time: of an unknown account CDK would take two.
            availability_zones=[Fn.select(index, Fn.get_azs()) for index in range(max_azs)],
            reserved_azs=_ROOM - max_azs,
            nat_gateways=nat_gateways,
            nat_gateway_provider=nat,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name=tier.capitalize(),
                    subnet_type=kind,
                    cidr_mask=network.prefixlen + 4,
                    map_public_ip_on_launch=False if tier == "public" else None,
                )
                for tier, kind in _KINDS.items()
            ],
            restrict_default_security_group=False,
        )
        self.network_acls = self._separate_tiers(vpn.networks if vpn else ())
        self.gateway_endpoints = _network_endpoints.add_gateways(self.vpc)
        self.flow_log_group = logs.LogGroup(
            self, "FlowLogs", retention=log_retention, removal_policy=RemovalPolicy.DESTROY
        )
        write_down(self, self.vpc, self.flow_log_group, ec2.FlowLogTrafficType.ALL)
        self.interface_endpoints: dict[str, ec2.InterfaceVpcEndpoint] = {}
        if interface_endpoints:
            self.interface_endpoints = _network_endpoints.InterfaceEndpoints(
                self, "Endpoints", vpc=self.vpc, cidr=cidr, services=interface_endpoints
            ).endpoints
        self.alarms = [
            alarm
            for index, gateway in enumerate(nat.configured_gateways)
            for alarm in _nat_alarms(Construct(self, f"Nat{index}"), gateway.gateway_id)
        ]
        link = VpnLink(self, "Vpn", vpc=self.vpc, vpn=vpn, log_retention=log_retention) if vpn else None
        self.vpn_gateway_id = link.vpn_gateway_id if link else None
        self.customer_gateway_id = link.customer_gateway_id if link else None
        self.vpn_connection_id = link.connection_id if link else None
        self.alarms += link.alarms if link else []

    def grant_change_acls(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody change the rules of the three network ACLs, as to shut out an address, and nothing else."""
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAclEntry", "ec2:ReplaceNetworkAclEntry"],
            resource_arns=[
                Stack.of(self).format_arn(service="ec2", resource="network-acl", resource_name=acl.network_acl_id)
                for acl in self.network_acls.values()
            ],
        )

    def _separate_tiers(self, networks: tuple[str, ...]) -> dict[str, ec2.NetworkAcl]:
        rules = {
            "public": _network_acls.public_rules(self.tier_cidrs),
            "private": _network_acls.private_rules(self.tier_cidrs, networks),
            "isolated": _network_acls.isolated_rules(self.tier_cidrs),
        }
        subnets = {
            "public": self.vpc.public_subnets,
            "private": self.vpc.private_subnets,
            "isolated": self.vpc.isolated_subnets,
        }
        return {
            tier: _network_acls.attach(self, f"{tier.capitalize()}Acl", self.vpc, subnets[tier], rules[tier])
            for tier in _KINDS
        }


def _checked_network(cidr: str, vpn: SiteToSiteVpn | None) -> IPv4Network:
    network = parsed("cidr", cidr)
    in_range("cidr: its mask", network.prefixlen, _MIN_MASK, _MAX_MASK)
    if not any(network.subnet_of(IPv4Network(one)) for one in _network_acls.PRIVATE_RANGES):
        raise ValueError(f"cidr: must be of private addresses (RFC 1918 or RFC 6598), got {cidr!r}")
    for other in vpn.networks if vpn else ():
        if network.overlaps(IPv4Network(other)):
            raise ValueError(f"vpn: its networks must not overlap the VPC's {cidr}, got {other!r}")
    return network


def _nat_alarms(scope: Construct, gateway_id: str) -> list[cloudwatch.Alarm]:
    """What a NAT gateway does when it cannot cope (source: Amazon VPC user guide, "NAT gateway metrics")."""

    def metric(name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/NATGateway",
            metric_name=name,
            dimensions_map={"NatGatewayId": gateway_id},
            statistic="Sum",
            period=Duration.minutes(5),
        )

    return [
        alarm_when(scope, "PortsAlarm", metric("ErrorPortAllocation"), above=0, says="has no source port left"),
        alarm_when(scope, "DropsAlarm", metric("PacketsDropCount"), above=0, says="drops packets", periods=3),
    ]
