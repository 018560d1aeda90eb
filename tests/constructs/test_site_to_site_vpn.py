"""The VPN of a network: who is there, which routes propagate, and what the tunnels take."""

from collections.abc import Callable
from typing import Any

import pytest

from constructs_lib import SiteToSiteVpn
from tests.constructs.networks import OFFICE, in_stack, network, spoiled
from tests.templates import Template, bare_stack, mutated, only, resources

CONNECTION, DEVICE = "AWS::EC2::VPNConnection", "AWS::EC2::CustomerGateway"
PROPAGATION, ALARM = "AWS::EC2::VPNGatewayRoutePropagation", "AWS::CloudWatch::Alarm"


@pytest.fixture(scope="module")
def static() -> Template:
    return network(vpn=OFFICE)


def propagates_to_servers_alone(template: Template) -> None:
    tables = only(template, PROPAGATION)["RouteTableIds"]
    assert len(tables) == 2, "a table is missing"
    assert all("PrivateSubnet" in table["Ref"] for table in tables), "others hear of routes"


def strong_suites_alone(template: Template) -> None:
    tunnels = only(template, CONNECTION)["VpnTunnelOptionsSpecifications"]
    assert len(tunnels) == 2, "a tunnel takes what AWS offers"
    for tunnel in tunnels:
        assert tunnel["IKEVersions"] == [{"Value": "ikev2"}], "an old IKE"
        for phase in ("Phase1", "Phase2"):
            assert tunnel[f"{phase}EncryptionAlgorithms"] == [{"Value": "AES256-GCM-16"}], "a weak cipher"
            weak = {"SHA1", "SHA2-256"} & {one["Value"] for one in tunnel[f"{phase}IntegrityAlgorithms"]}
            assert not weak, "a weak hash"
            assert min(one["Value"] for one in tunnel[f"{phase}DHGroupNumbers"]) >= 19, "a weak group"
        assert "PreSharedKey" not in tunnel, "a secret in the template"


def negotiations_are_written_down(template: Template) -> None:
    for tunnel in only(template, CONNECTION)["VpnTunnelOptionsSpecifications"]:
        options = tunnel["LogOptions"]["CloudwatchLogOptions"]
        assert options["LogEnabled"] is True, "nothing is written down"
        assert "Negotiations" in str(options["LogGroupArn"])


HOLDS = [propagates_to_servers_alone, strong_suites_alone, negotiations_are_written_down]


@pytest.mark.parametrize("holds", HOLDS)
def test_it_holds(static: Template, holds: Callable[[Template], None]) -> None:
    holds(static)


def _isolated_too(template: Template) -> None:
    tables = only(template, PROPAGATION)["RouteTableIds"]
    tables[0] = {"Ref": next(name for name in resources(template, "AWS::EC2::RouteTable") if "Isolated" in name)}


@pytest.mark.parametrize(
    ("holds", "path", "value", "says"),
    [
        (strong_suites_alone, ("IKEVersions",), [{"Value": "ikev1"}], "an old IKE"),
        (strong_suites_alone, ("Phase2IntegrityAlgorithms", 0, "Value"), "SHA1", "a weak hash"),
        (strong_suites_alone, ("Phase1DHGroupNumbers", 0, "Value"), 2, "a weak group"),
        (strong_suites_alone, ("PreSharedKey",), "hush", "a secret"),
        (
            negotiations_are_written_down,
            ("LogOptions", "CloudwatchLogOptions", "LogEnabled"),
            False,
            "nothing is written",
        ),
    ],
)
def test_and_would_be_missed(
    static: Template, holds: Callable[[Template], None], path: tuple[Any, ...], value: Any, says: str
) -> None:
    with pytest.raises(AssertionError, match=says):
        holds(mutated(static, CONNECTION, ("VpnTunnelOptionsSpecifications", 1, *path), value))


def test_routes_to_others_would_be_missed(static: Template) -> None:
    with pytest.raises(AssertionError, match="others hear of routes"):
        propagates_to_servers_alone(spoiled(static, _isolated_too))


def test_static_routes_lead_to_the_networks() -> None:
    made = network(vpn=SiteToSiteVpn("203.0.113.10", networks=("192.168.0.0/16", "172.16.0.0/12")))
    routes = resources(made, "AWS::EC2::VPNConnectionRoute").values()
    assert {one["DestinationCidrBlock"] for one in routes} == {"192.168.0.0/16", "172.16.0.0/12"}
    assert only(made, CONNECTION)["StaticRoutesOnly"] is True


def test_with_bgp_the_device_says_where_routes_lead() -> None:
    made = network(vpn=SiteToSiteVpn("203.0.113.10", networks=("192.168.0.0/16",), routing="bgp", asn=65010))
    assert not resources(made, "AWS::EC2::VPNConnectionRoute")
    assert only(made, CONNECTION)["StaticRoutesOnly"] is False
    device = only(made, DEVICE)
    assert (device["BgpAsn"], device["IpAddress"], device["Type"]) == (65010, "203.0.113.10", "ipsec.1")


def test_a_long_autonomous_system_number() -> None:
    made = network(vpn=SiteToSiteVpn("203.0.113.10", networks=("192.168.0.0/16",), asn=4_200_000_000))
    device = only(made, DEVICE)
    assert (device.get("BgpAsn"), device["BgpAsnExtended"]) == (None, 4_200_000_000)


def test_alarms_tell_one_tunnel_from_both(static: Template) -> None:
    (connection,) = resources(static, CONNECTION)
    alarms = [one for one in resources(static, ALARM).values() if one["Namespace"] == "AWS/VPN"]
    assert {(one["Statistic"], one["Threshold"]) for one in alarms} == {("Minimum", 1), ("Maximum", 0.5)}
    assert all(one["TreatMissingData"] == "breaching" for one in alarms), "silence would be taken for health"
    assert all(one["Dimensions"] == [{"Name": "VpnId", "Value": {"Ref": connection}}] for one in alarms)


@pytest.mark.parametrize(
    ("address", "heard"),
    [("203.0.113.10", False), ("192.0.2.1", False), ("198.51.100.7", False), ("203.0.114.10", True)],
)
def test_alarms_of_a_device_to_come_tell_nobody(address: str, heard: bool) -> None:
    made = network(vpn=SiteToSiteVpn(address, networks=("192.168.0.0/16",)))
    alarms = [one for one in resources(made, ALARM).values() if one["Namespace"] == "AWS/VPN"]
    assert [one["ActionsEnabled"] for one in alarms] == [heard, heard]
    others = [one for one in resources(made, ALARM).values() if one["Namespace"] != "AWS/VPN"]
    assert all("ActionsEnabled" not in one for one in others)


def test_two_networks_of_an_account_may_have_a_vpn_to_the_same_device() -> None:
    """AWS refuses a second customer gateway of one address and ASN, unless its device has another name."""
    one, other = bare_stack("One"), bare_stack("Other")
    for stack in (one, other):
        in_stack(stack, vpn=OFFICE)
    in_stack(one, "Second", cidr="10.1.0.0/16", vpn=OFFICE)
    names = [one["DeviceName"] for stack in (one, other) for one in resources(stack, DEVICE).values()]
    assert len(set(names)) == 3
    assert all(0 < len(name) <= 255 for name in names)


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"address": "vpn.example.com"}, "address: must be a public IPv4 address, got 'vpn.example.com'"),
        ({"address": "2001:db8::1"}, "address: must be a public IPv4 address, got '2001:db8::1'"),
        *(
            ({"address": one}, f"address: must be a public IPv4 address, got '{one}'")
            for one in ("10.1.2.3", "172.31.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "224.0.0.1")
        ),
        ({"networks": ()}, "networks: must have at least one item, got none"),
        ({"networks": tuple(f"192.168.{i}.0/24" for i in range(9))}, "networks: their number: must be .* 8, got 9"),
        ({"networks": ("192.168.0.1/16",)}, "networks: must be an IPv4 network .*, got '192.168.0.1/16'"),
        ({"networks": ("192.168.0.0/16",) * 2}, "networks: must be unique, got '192.168.0.0/16' twice"),
        ({"routing": "ospf"}, "routing: must be one of bgp, static, got 'ospf'"),
        ({"asn": 0}, "asn: must be between 1 and 4294967295, got 0"),
        ({"asn": 4294967296}, "asn: must be between 1 and 4294967295, got 4294967296"),
        ({"asn": 7224}, "asn: must not be one that AWS uses on its side, got 7224"),
        ({"asn": 64512}, "asn: must not be one that AWS uses on its side, got 64512"),
    ],
)
def test_what_cannot_be_is_refused(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SiteToSiteVpn(**{"address": "203.0.113.10", "networks": ("192.168.0.0/16",), **props})
