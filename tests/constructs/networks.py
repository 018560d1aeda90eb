"""What the tests of the network construct share: stacks with one, and whether its network ACLs let traffic pass."""

import json
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import aws_cdk as cdk

from constructs_lib import SiteToSiteVpn, TieredNetwork
from tests.templates import Template, bare_stack, resources, synthesized

OFFICE = SiteToSiteVpn("203.0.113.10", networks=("192.168.0.0/16",))
ENTRY = "AWS::EC2::NetworkAclEntry"
PUBLIC, PRIVATE, ISOLATED = "10.0.0.10", "10.0.64.10", "10.0.128.10"
INTERNET, AT_OFFICE = "198.51.100.7", "192.168.1.1"
TIERS = {PUBLIC: "Public", PRIVATE: "Private", ISOLATED: "Isolated"}


def network(**props: Any) -> Template:
    """The template of a stack with one network."""
    stack = bare_stack()
    TieredNetwork(stack, "N", **props)
    return synthesized(stack)


def in_stack(stack: cdk.Stack, construct_id: str = "N", **props: Any) -> TieredNetwork:
    """A network in this stack."""
    return TieredNetwork(stack, construct_id, **props)


def spoiled(template: Template, spoil: Callable[[Template], None]) -> Template:
    """A copy with something wrong in it."""
    mutant: Template = json.loads(json.dumps(template))
    spoil(mutant)
    return mutant


def connects(template: Template, source: str, target: str, port: int, *, answered_at: int = 33_000) -> bool:
    """Whether TCP from one address to another passes the lists of both tiers, and so does the answer."""
    there = _passes(template, source, target, port)
    return there and _passes(template, target, source, answered_at)


def _passes(template: Template, source: str, target: str, port: int) -> bool:
    """Out of the one's subnet and into the other's; whoever is outside has no list."""
    return all(
        _allowed(template, TIERS[here], egress=egress, other=there, port=port)
        for here, there, egress in ((source, target, True), (target, source, False))
        if here in TIERS
    )


def _allowed(template: Template, tier: str, *, egress: bool, other: str, port: int) -> bool:
    rules = [
        rule
        for name, rule in resources(template, ENTRY).items()
        if name.startswith(f"N{tier}") and rule["Egress"] == egress
    ]
    for rule in sorted(rules, key=lambda rule: int(rule["RuleNumber"])):
        ports = rule.get("PortRange", {"From": 0, "To": 65535})
        if (
            rule["Protocol"] in {-1, 6}
            and ip_address(other) in ip_network(rule["CidrBlock"])
            and ports["From"] <= port <= ports["To"]
        ):
            return bool(rule["RuleAction"] == "allow")
    return False
