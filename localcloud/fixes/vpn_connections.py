"""A VPN connection has two tunnels, which are down, keeps what was asked of them, and can be changed.

Without this fix the emulator drops the options of the tunnels, tells nothing of their state, and knows neither
ModifyVpnConnection nor ModifyVpnTunnelOptions.
"""

from collections.abc import Callable
from typing import Any

from localcloud.internals import need

Params = dict[str, list[str]]
_ENDS = ("CustomerGatewayId", "VpnGatewayId", "TransitGatewayId")
_ACRONYMS = ("IKE", "DPD")


def apply() -> None:
    """Wrap the creation and the look of a connection, and add the two actions."""
    ec2 = need(
        "services.ec2", "_ACTION_MAP", "_vpn_connections", "_vpn_conn_xml", "_create_vpn_connection", "_random_ip", "_p"
    )
    create, look = ec2._ACTION_MAP["CreateVpnConnection"], ec2._vpn_conn_xml

    def created(params: Params) -> Any:
        before = set(ec2._vpn_connections)
        answer = create(params)
        for identity in set(ec2._vpn_connections) - before:
            ec2._vpn_connections[identity]["Tunnels"] = [
                {"OutsideIpAddress": ec2._random_ip("52."), **options_of(params, f"Options.TunnelOptions.{number}.")}
                for number in (1, 2)
            ]
        return answer

    def looked(connection: dict[str, Any], *rest: Any, **more: Any) -> str:
        tunnels = connection.get("Tunnels", [])
        options = "".join(f"<item>{_xml(_nested(one))}</item>" for one in tunnels)
        states = "".join(
            f"<item><outsideIpAddress>{one['OutsideIpAddress']}</outsideIpAddress><status>DOWN</status>"
            "<acceptedRouteCount>0</acceptedRouteCount></item>"
            for one in tunnels
        )
        shown = str(look(connection, *rest, **more))
        shown = shown.replace("</options>", f"<tunnelOptionSet>{options}</tunnelOptionSet></options>", 1)
        return shown.replace("<routes>", f"<vgwTelemetry>{states}</vgwTelemetry><routes>", 1)

    vars(ec2)["_vpn_conn_xml"] = looked
    ec2._ACTION_MAP.update(
        CreateVpnConnection=created,
        ModifyVpnConnection=_modifying(ec2, "ModifyVpnConnection", _other_ends),
        ModifyVpnTunnelOptions=_modifying(ec2, "ModifyVpnTunnelOptions", _other_options),
    )


def _modifying(ec2: Any, action: str, change: Callable[[Any, dict[str, Any], Params], None]) -> Callable[[Params], Any]:
    def called(params: Params) -> Any:
        identity = ec2._p(params, "VpnConnectionId")
        connection = ec2._vpn_connections.get(identity)
        if not connection:
            return ec2._error("InvalidVpnConnectionID.NotFound", f"VPN connection '{identity}' not found", 400)
        change(ec2, connection, params)
        return ec2._xml(200, f"{action}Response", ec2._vpn_conn_xml(connection, tag="vpnConnection"))

    return called


def _other_ends(ec2: Any, connection: dict[str, Any], params: Params) -> None:
    connection.update({end: ec2._p(params, end) for end in _ENDS if ec2._p(params, end)})


def _other_options(ec2: Any, connection: dict[str, Any], params: Params) -> None:
    """What is not said stays; a list that is said takes the old one's place."""
    said = options_of(params, "TunnelOptions.")
    for tunnel in connection["Tunnels"]:
        if tunnel["OutsideIpAddress"] == ec2._p(params, "VpnTunnelOutsideIpAddress"):
            again = {path.split(".")[0] for path in said}
            for path in [one for one in tunnel if one.split(".")[0] in again]:
                del tunnel[path]
            tunnel.update(said)


def options_of(params: Params, prefix: str) -> dict[str, str]:
    """Path -> value of the parameters below a prefix."""
    return {name.removeprefix(prefix): value[0] for name, value in params.items() if name.startswith(prefix)}


def _nested(flat: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for path, value in flat.items():
        *steps, last = path.split(".")
        spot = made
        for step in steps:
            spot = spot.setdefault(step, {})
        spot[last] = value
    return made


def _xml(nested: dict[str, Any]) -> str:
    """As the API answers: `IKEVersion.1.Value` is the first item of `ikeVersionSet`."""
    parts = []
    for name, value in nested.items():
        if not isinstance(value, dict):
            parts.append(f"<{_small(name)}>{value}</{_small(name)}>")
        elif all(key.isdigit() for key in value):
            items = "".join(f"<item>{_xml(one)}</item>" for one in value.values())
            parts.append(f"<{_small(name)}Set>{items}</{_small(name)}Set>")
        else:
            parts.append(f"<{_small(name)}>{_xml(value)}</{_small(name)}>")
    return "".join(parts)


def _small(name: str) -> str:
    """`IKEVersion` -> `ikeVersion`, `LogOptions` -> `logOptions`."""
    for acronym in _ACRONYMS:
        if name.startswith(acronym):
            return acronym.lower() + name.removeprefix(acronym)
    return name[0].lower() + name[1:]
