"""Who reaches whom in a VPC, by its routes, network ACLs and security groups. Pure: the model in, a verdict out.

As AWS decides: the most specific route leads, then one of the table's own before one by a prefix list, and that before
one that is propagated (source: Amazon VPC user guide, "How route priority works"); the rules of a network ACL are read
by their numbers, the first that matches decides, for the answer too; security groups only allow, and what they let
through is answered. What is behind other targets than those of ``WAYS`` (an instance, a peering, a transit gateway) is
not known here, so that it counts as reached: who expects no way out is told.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_network

from journeys._network_model import (
    ANY_PROTOCOL,
    EPHEMERAL,
    AclRule,
    GroupRule,
    Network,
    Place,
    Ports,
    Route,
    Subnet,
    within,
)

WAYS = {"igw": "internet gateway", "nat": "NAT gateway", "vpce": "endpoint", "vgw": "VPN"}
_BEHIND = {WAYS["igw"]: ("internet", "service"), WAYS["vpce"]: ("service",), WAYS["vgw"]: ("vpn",)}


@dataclass(frozen=True)
class Verdict:
    """Whether something is reached, and by what; or else what is in the way."""

    reached: bool
    how: str


@dataclass(frozen=True)
class Crossing:
    """Traffic out of or into a subnet, who is at its other end, and where its answer goes if not to the asker."""

    subnet: Subnet
    egress: bool
    other: str
    answers: Ports | None = None


class _InTheWayError(Exception):
    """What stops the traffic."""


def trace(network: Network, source: Place, target: Place, port: int, *, protocol: str = "tcp") -> Verdict:
    """Whether a connection from one place to another comes about: there, and the answer back."""
    try:
        _groups_allow(network, source, target, port, protocol)
        way, crossings = _path(network, source, target)
        for one in crossings:
            _acl_allows(one, (port, port), protocol)
        for one in reversed(crossings):
            back = replace(one, egress=not one.egress)
            _acl_allows(back, one.answers or source.answers, protocol, "answer: ")
    except _InTheWayError as what:
        return Verdict(False, str(what))
    return Verdict(True, way)


def leads(network: Network, subnet: Subnet, address: str) -> Route | None:
    """The route that an address takes out of a subnet; None when there is none."""
    candidates = [
        (ip_network(cidr).prefixlen, not route.propagated, route.destination == cidr, route)
        for route in subnet.routes
        for cidr in network.lists.get(route.destination, (route.destination,))
        if "/" in cidr and within(address, cidr)
    ]
    return max(candidates, key=lambda one: one[:3])[3] if candidates else None


def way_of(route: Route) -> str:
    """What leads: "local", one of ``WAYS``, or "another way" with its id."""
    if route.target == "local":
        return "local"
    kind = route.target.partition("-")[0]
    # An endpoint of a prefix list is a gateway to that service; by a CIDR it leads to appliances, and on from there.
    listed = "/" not in route.destination
    return WAYS[kind] if kind in WAYS and (kind != "vpce" or listed) else f"another way, {route.target}"


def passes(rules: Iterable[AclRule], *, egress: bool, protocol: str, other: str, ports: Ports) -> bool:
    """Whether a network ACL lets traffic with any of these ports pass; what no rule matches is refused."""
    left = [ports]
    for rule in sorted(rules, key=lambda rule: rule.number):
        if rule.egress != egress or not _speaks(rule.protocol, protocol) or not within(other, rule.cidr):
            continue
        low, high = _ports(rule)
        if not rule.allow and any(first <= high and low <= last for first, last in left):
            return False
        left = [part for first, last in left for part in ((first, min(last, low - 1)), (max(first, high + 1), last))]
        left = [(first, last) for first, last in left if first <= last]
        if not left:
            return True
    return False


def _ports(rule: AclRule | GroupRule) -> Ports:
    """A rule for all protocols is one for all ports, whatever ports it names (source: Amazon EC2 API reference)."""
    return rule.ports if rule.ports and rule.protocol != ANY_PROTOCOL else (0, 65535)


def _speaks(rule: str, protocol: str) -> bool:
    """A rule of a network ACL names protocols by number, one of a security group by name."""
    return rule == ANY_PROTOCOL or {"6": "tcp", "17": "udp", "1": "icmp"}.get(rule, rule) == protocol


def _path(network: Network, source: Place, target: Place) -> tuple[str, list[Crossing]]:
    """By what the target is reached, and the borders of subnets on the way."""
    if source.subnet is None:
        return _path_in(network, source, target)
    route = _followed(network, source.subnet, target.address)
    leaving = Crossing(source.subnet, True, target.address)
    if route.target == "local":
        if target.subnet is None:
            raise _InTheWayError("no route")
        if target.subnet == source.subnet:
            return "local", []
        return "local", [leaving, Crossing(target.subnet, False, source.address)]
    if target.subnet is not None and way_of(route) in WAYS.values():
        raise _InTheWayError(f"{target.name} is not at {route.target}")
    if not route.target.startswith("nat-"):
        return _way_out(network, route, target), [leaving]
    nat = network.nats.get(route.target)
    if nat is None:
        raise _InTheWayError("NAT gateway gone")
    _way_out(network, _followed(network, nat, target.address), target)
    asked = [Crossing(nat, False, source.address), Crossing(nat, True, target.address, EPHEMERAL)]
    return WAYS["nat"], [leaving, *asked]


def _path_in(network: Network, source: Place, target: Place) -> tuple[str, list[Crossing]]:
    """From elsewhere: where the answer goes must be where the question came from."""
    if target.subnet is None:
        raise _InTheWayError("both are elsewhere")
    back = _followed(network, target.subnet, source.address, "answer: ")
    if back.target.startswith("nat-"):
        raise _InTheWayError("answer: by NAT, which begins nothing from outside")
    try:
        way = _way_out(network, back, source)
    except _InTheWayError as what:
        raise _InTheWayError(f"answer: {what}") from None
    return way, [Crossing(target.subnet, False, source.address)]


def _followed(network: Network, subnet: Subnet, address: str, what: str = "") -> Route:
    route = leads(network, subnet, address)
    if route is None:
        raise _InTheWayError(f"{what}no route")
    if not route.live:
        raise _InTheWayError(f"{what}route to nowhere")
    return route


def _way_out(network: Network, route: Route, target: Place) -> str:
    """What a route's target is called, when somebody elsewhere is behind it."""
    name = way_of(route)
    if name not in WAYS.values():
        return name
    if target.behind not in _BEHIND.get(name, ()):
        raise _InTheWayError("no route")
    if name != WAYS["vpce"] and route.target not in network.attached:
        raise _InTheWayError(f"{name} not attached")
    return name


def _acl_allows(one: Crossing, ports: Ports, protocol: str, what: str = "") -> None:
    if not passes(one.subnet.rules, egress=one.egress, protocol=protocol, other=one.other, ports=ports):
        raise _InTheWayError(f"{what}ACL {'out of' if one.egress else 'into'} {one.subnet.name}")


def _groups_allow(network: Network, source: Place, target: Place, port: int, protocol: str) -> None:
    for here, other, egress in ((source, target, True), (target, source, False)):
        if here.groups is not None and not any(
            _lets(network, rule, other, port, protocol) for rule in _rules(network, here.groups, egress=egress)
        ):
            raise _InTheWayError(f"group of {here.name}")


def _rules(network: Network, groups: Iterable[str], *, egress: bool) -> Iterator[GroupRule]:
    return (rule for group in groups for rule in network.groups.get(group, ()) if rule.egress == egress)


def _lets(network: Network, rule: GroupRule, other: Place, port: int, protocol: str) -> bool:
    low, high = _ports(rule)
    listed = [cidr for name in rule.lists for cidr in network.lists.get(name, ())]
    return (
        _speaks(rule.protocol, protocol)
        and low <= port <= high
        and (
            any(within(other.address, cidr) for cidr in (*rule.cidrs, *listed))
            or bool(set(rule.groups) & set(other.groups or ()))
        )
    )
