"""An IPsec VPN from a VPC to a network elsewhere: who is there, and the connection to it."""

from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address, ip_network

from aws_cdk import RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._checks import in_range, not_empty, one_of, unique
from constructs_lib._names import own_name

# Each becomes a rule of a network ACL, which holds 20 a direction (source: Amazon VPC user guide, "Amazon VPC quotas").
_MAX_NETWORKS = 8
_MAX_DEVICE_NAME = 255
_MAX_ASN = 2**32 - 1
_MAX_SHORT_ASN = 2**31 - 1
# ASNs that AWS keeps for itself (source: AWS Site-to-Site VPN user guide, "Customer gateway options").
_RESERVED_ASNS = {7224, 9059, 10124, 17943}
# RFC 5737: addresses of examples, which stand for a device to come.
_STAND_INS = [ip_network(one) for one in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
# Addresses that nobody on the internet has, apart from those.
_NOWHERE = [
    ip_network(one)
    for one in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
# What ends on our side of a connection may be one of these private ASNs; CDK and AWS take 64512 unless told otherwise.
_AMAZON_ASN = 64512


@dataclass(frozen=True)
class SiteToSiteVpn:
    """A network elsewhere that a VPC is connected with by an IPsec VPN.

    Args:
        address: Public IPv4 address of the device there. One of RFC 5737's (203.0.113.0/24 ...) stands for a device
            to come: the connection is made and costs by the hour, its tunnels stay down, and its alarms tell nobody.
        networks: The networks behind it in CIDR notation, 1-8. The network ACLs admit them and no others.
        routing: "static" (default) routes ``networks``; "bgp" learns routes from the device.
        asn: Its BGP autonomous system number, 1-4294967295. Default 65000, a private one.

    Raises:
        ValueError: The address is not a public one, a network is none or given twice, ``routing`` is neither of the
            two, or AWS keeps the ASN for itself.

    Example:
        office = SiteToSiteVpn("203.0.113.10", networks=("192.168.0.0/16",))
        TieredNetwork(stack, "Network", vpn=office)
    """

    address: str
    networks: tuple[str, ...]
    routing: str = "static"
    asn: int = 65000

    def __post_init__(self) -> None:
        try:
            address = ip_address(self.address)
        except ValueError:
            raise ValueError(f"address: must be a public IPv4 address, got {self.address!r}") from None
        if address.version != 4 or any(address in one for one in _NOWHERE):  # noqa: PLR2004
            raise ValueError(f"address: must be a public IPv4 address, got {self.address!r}")
        not_empty("networks", self.networks)
        in_range("networks: their number", len(self.networks), 1, _MAX_NETWORKS)
        unique("networks", self.networks)
        for one in self.networks:
            parsed("networks", one)
        one_of("routing", self.routing, ("bgp", "static"))
        in_range("asn", self.asn, 1, _MAX_ASN)
        if self.asn in _RESERVED_ASNS | {_AMAZON_ASN}:
            raise ValueError(f"asn: must not be one that AWS uses on its side, got {self.asn}")

    @property
    def stands_in(self) -> bool:
        """Whether the address is nobody's yet."""
        return any(ip_address(self.address) in one for one in _STAND_INS)


def parsed(prop: str, cidr: str) -> IPv4Network:
    """The network of a CIDR; ValueError when it is none, or has bits set behind its mask."""
    try:
        return IPv4Network(cidr)
    except ValueError as error:
        raise ValueError(f"{prop}: must be an IPv4 network as '10.0.0.0/16', got {cidr!r}") from error


class VpnLink(Construct):
    """Customer gateway, virtual private gateway, connection; routes of the private tier.

    Both tunnels take IKEv2 and strong suites alone, and write down what they negotiate. AWS makes the pre-shared keys.

    Attributes:
        customer_gateway_id: The device there.
        vpn_gateway_id: Our end.
        connection_id: What is between them.
        alarms: Alarms on the tunnels.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.Vpc,
        vpn: SiteToSiteVpn,
        log_retention: logs.RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        vpc.enable_vpn_gateway(
            type="ipsec.1",
            amazon_side_asn=_AMAZON_ASN,
            vpn_route_propagation=[ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)],
        )
        self.vpn_gateway_id = str(vpc.vpn_gateway_id)
        long_asn = vpn.asn > _MAX_SHORT_ASN
        device = ec2.CfnCustomerGateway(
            self,
            "Device",
            type="ipsec.1",
            ip_address=vpn.address,
            # AWS takes a second one of the same address and ASN in an account only under another name
            # (source: Amazon EC2 API reference, "CreateCustomerGateway").
            device_name=own_name(self, longest=_MAX_DEVICE_NAME),
            bgp_asn=None if long_asn else vpn.asn,
            bgp_asn_extended=vpn.asn if long_asn else None,
        )
        negotiations = logs.LogGroup(
            self, "Negotiations", retention=log_retention, removal_policy=RemovalPolicy.DESTROY
        )
        connection = ec2.CfnVPNConnection(
            self,
            "Connection",
            type="ipsec.1",
            customer_gateway_id=device.ref,
            vpn_gateway_id=self.vpn_gateway_id,
            static_routes_only=vpn.routing == "static",
            vpn_tunnel_options_specifications=[_tunnel(negotiations), _tunnel(negotiations)],
        )
        for number, network in enumerate(vpn.networks if vpn.routing == "static" else ()):
            ec2.CfnVPNConnectionRoute(
                self, f"Route{number}", destination_cidr_block=network, vpn_connection_id=connection.ref
            )
        self.customer_gateway_id, self.connection_id = device.ref, connection.ref
        self.alarms = _tunnel_alarms(self, connection.ref, heard=not vpn.stands_in)


def _tunnel(log_group: logs.ILogGroup) -> ec2.CfnVPNConnection.VpnTunnelOptionsSpecificationProperty:
    kind = ec2.CfnVPNConnection
    return kind.VpnTunnelOptionsSpecificationProperty(
        ike_versions=[kind.IKEVersionsRequestListValueProperty(value="ikev2")],
        phase1_encryption_algorithms=[kind.Phase1EncryptionAlgorithmsRequestListValueProperty(value="AES256-GCM-16")],
        phase2_encryption_algorithms=[kind.Phase2EncryptionAlgorithmsRequestListValueProperty(value="AES256-GCM-16")],
        phase1_integrity_algorithms=[
            kind.Phase1IntegrityAlgorithmsRequestListValueProperty(value=one) for one in ("SHA2-384", "SHA2-512")
        ],
        phase2_integrity_algorithms=[
            kind.Phase2IntegrityAlgorithmsRequestListValueProperty(value=one) for one in ("SHA2-384", "SHA2-512")
        ],
        phase1_dh_group_numbers=[kind.Phase1DHGroupNumbersRequestListValueProperty(value=one) for one in (19, 20, 21)],
        phase2_dh_group_numbers=[kind.Phase2DHGroupNumbersRequestListValueProperty(value=one) for one in (19, 20, 21)],
        log_options=kind.VpnTunnelLogOptionsSpecificationProperty(
            cloudwatch_log_options=kind.CloudwatchLogOptionsSpecificationProperty(
                log_enabled=True, log_group_arn=log_group.log_group_arn, log_output_format="json"
            )
        ),
    )


def _tunnel_alarms(scope: Construct, connection_id: str, *, heard: bool) -> list[cloudwatch.Alarm]:
    """One tunnel down is lost redundancy, both are a lost connection; no data means that nobody is there."""

    def alarm(name: str, statistic: str, below: float, says: str) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            scope,
            name,
            metric=cloudwatch.Metric(
                namespace="AWS/VPN",
                metric_name="TunnelState",
                dimensions_map={"VpnId": connection_id},
                statistic=statistic,
            ),
            threshold=below,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
            actions_enabled=heard,
            alarm_description=f"{scope.node.path} {says}",
        )

    return [
        # Of two tunnels it is a fraction. Source: AWS Site-to-Site VPN user guide, "Monitor tunnels using CloudWatch".
        alarm("TunnelAlarm", "Minimum", 1, "has a tunnel that is down, and no other in reserve"),
        alarm("ConnectionAlarm", "Maximum", 0.5, "has no tunnel that is up"),
    ]
