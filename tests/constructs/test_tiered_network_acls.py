"""The lists of the three tiers, both directions taken together."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.constructs.networks import (
    AT_OFFICE,
    ENTRY,
    INTERNET,
    ISOLATED,
    OFFICE,
    PRIVATE,
    PUBLIC,
    connects,
    network,
    spoiled,
)
from tests.templates import Template, resources


@pytest.fixture(scope="module")
def default() -> Template:
    return network()


@pytest.fixture(scope="module")
def with_office() -> Template:
    return network(vpn=OFFICE)


@pytest.mark.parametrize(
    ("source", "target", "port", "allowed"),
    [
        # The web reaches what faces it, and on no port of administration.
        (INTERNET, PUBLIC, 443, True),
        (INTERNET, PUBLIC, 80, True),
        (INTERNET, PUBLIC, 22, False),
        # Load balancers reach servers; servers the web (by NAT, which changes the sender alone).
        (PUBLIC, PRIVATE, 80, True),
        (PUBLIC, PRIVATE, 8080, True),
        (PRIVATE, INTERNET, 443, True),
        (PRIVATE, INTERNET, 80, True),
        (PRIVATE, INTERNET, 25, False),
        (PUBLIC, INTERNET, 443, True),
        # Within their tiers and between these two, on the ports of administration as well: security groups decide.
        (PUBLIC, PUBLIC, 22, True),
        (PUBLIC, PRIVATE, 22, True),
        (PRIVATE, PRIVATE, 22, True),
        (PRIVATE, PUBLIC, 22, True),
        # The sockets of NAT gateways are in the public tier.
        (PRIVATE, PUBLIC, 443, True),
        # Servers reach data; nobody else does.
        (PRIVATE, ISOLATED, 5432, True),
        (PRIVATE, ISOLATED, 6379, True),
        (PUBLIC, ISOLATED, 5432, False),
        (PUBLIC, ISOLATED, 443, False),
        (INTERNET, ISOLATED, 443, False),
        (AT_OFFICE, ISOLATED, 5432, False),
        # Data reaches the endpoints of services, S3 and DynamoDB, itself; not what faces the web.
        (ISOLATED, PRIVATE, 443, True),
        (ISOLATED, PRIVATE, 22, False),
        (ISOLATED, ISOLATED, 5432, True),
        (ISOLATED, INTERNET, 443, True),
        (ISOLATED, INTERNET, 80, False),
        (ISOLATED, PUBLIC, 443, False),
        (ISOLATED, AT_OFFICE, 443, False),
    ],
)
def test_who_passes(default: Template, source: str, target: str, port: int, allowed: bool) -> None:
    assert connects(default, source, target, port) is allowed


@pytest.mark.parametrize(
    ("source", "target", "port", "allowed"),
    [
        (AT_OFFICE, PRIVATE, 22, True),
        (PRIVATE, AT_OFFICE, 389, True),
        (AT_OFFICE, ISOLATED, 5432, False),
        ("192.169.0.1", PRIVATE, 22, False),
    ],
)
def test_the_network_elsewhere_reaches_servers_alone(
    with_office: Template, source: str, target: str, port: int, allowed: bool
) -> None:
    assert connects(with_office, source, target, port) is allowed


def test_without_a_vpn_it_reaches_nobody(default: Template) -> None:
    assert not connects(default, AT_OFFICE, PRIVATE, 22)


def test_a_vpn_that_comes_later_renumbers_nothing(default: Template, with_office: Template) -> None:
    before, after = resources(default, ENTRY), resources(with_office, ENTRY)
    assert before == {name: rule for name, rule in after.items() if name in before}
    assert len(after) == len(before) + 2


def _drop(tier: str, direction: str, **like: Any) -> Callable[[Template], None]:
    def change(template: Template) -> None:
        found = [
            name
            for name, rule in resources(template, ENTRY).items()
            if name.startswith(f"N{tier}Acl{direction}") and like.items() <= rule.items()
        ]
        assert found
        for name in found:
            del template["Resources"][name]

    return change


@pytest.mark.parametrize(
    ("spoil", "source", "target", "port"),
    [
        (_drop("Public", "Out", PortRange={"From": 1024, "To": 65535}), INTERNET, PUBLIC, 443),
        (_drop("Private", "In", PortRange={"From": 1024, "To": 65535}), PRIVATE, INTERNET, 443),
        (_drop("Isolated", "Out", PortRange={"From": 1024, "To": 65535}), PRIVATE, ISOLATED, 5432),
        (_drop("Isolated", "In", PortRange={"From": 1024, "To": 65535}), ISOLATED, INTERNET, 443),
    ],
)
def test_without_a_rule_for_the_answer_nothing_connects(
    default: Template, spoil: Callable[[Template], None], source: str, target: str, port: int
) -> None:
    assert connects(default, source, target, port)
    assert not connects(spoiled(default, spoil), source, target, port)


def test_without_refusals_the_wide_rules_would_admit_the_isolated_tier(default: Template) -> None:
    half = spoiled(default, _drop("Isolated", "Out", RuleAction="deny"))
    assert not connects(half, ISOLATED, PUBLIC, 443), "each of the two tiers refuses the other"
    for tier, direction in (("Isolated", "In"), ("Public", "In"), ("Public", "Out")):
        half = spoiled(half, _drop(tier, direction, RuleAction="deny"))
    assert connects(half, ISOLATED, PUBLIC, 443)


def test_paths_with_a_small_mtu_do_not_hang(default: Template) -> None:
    answers = [rule for rule in resources(default, ENTRY).values() if rule["Protocol"] == 1]
    assert len(answers) == 6, "one per tier and direction"
    assert all(rule["Icmp"] == {"Type": 3, "Code": 4} for rule in answers)


def test_no_list_is_longer_than_aws_allows() -> None:
    crowded = network(vpn=type(OFFICE)("203.0.113.10", networks=tuple(f"192.168.{i}.0/24" for i in range(8))))
    for tier in ("Public", "Private", "Isolated"):
        for egress in (True, False):
            rules = [
                rule
                for name, rule in resources(crowded, ENTRY).items()
                if name.startswith(f"N{tier}") and rule["Egress"] is egress
            ]
            assert 0 < len(rules) <= 20


def test_every_subnet_has_the_list_of_its_tier(default: Template) -> None:
    tied = resources(default, "AWS::EC2::SubnetNetworkAclAssociation").values()
    pairs = {(one["SubnetId"]["Ref"], one["NetworkAclId"]["Ref"]) for one in tied}
    assert {subnet for subnet, _acl in pairs} == set(resources(default, "AWS::EC2::Subnet"))
    for subnet, acl in pairs:
        (tier,) = [one for one in ("Public", "Private", "Isolated") if f"Vpc{one}Subnet" in subnet]
        assert acl.startswith(f"N{tier}Acl")
