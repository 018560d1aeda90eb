"""journeys/_reachability.py: who reaches whom, each verdict with the change that turns it."""

import random
from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys._network_model import (
    EPHEMERAL,
    EPHEMERAL_OF_LINUX,
    AclRule,
    GroupRule,
    Network,
    Place,
    Route,
    Subnet,
)
from journeys._reachability import Verdict, leads, passes, trace, way_of

ANYWHERE, VPC, OFFICE, S3 = "0.0.0.0/0", "10.0.0.0/16", "192.168.0.0/16", "52.1.0.0/24"
OPEN = (
    AclRule(100, egress=False, allow=True, protocol="-1", cidr=ANYWHERE),
    AclRule(100, egress=True, allow=True, protocol="-1", cidr=ANYWHERE),
)
LOCAL = Route(VPC, "local")
LISTED = Route("pl-s3", "vpce-1")
PUBLIC = Subnet("public", "10.0.0.0/24", (LOCAL, Route(ANYWHERE, "igw-1"), LISTED), OPEN)
PRIVATE = Subnet(
    "private", "10.0.1.0/24", (LOCAL, Route(ANYWHERE, "nat-1"), LISTED, Route(OFFICE, "vgw-1", propagated=True)), OPEN
)
ISOLATED = Subnet("isolated", "10.0.2.0/24", (LOCAL, LISTED), OPEN)
NETWORK = Network(
    groups={
        "sg-web": (
            GroupRule(egress=False, protocol="tcp", ports=(443, 443), cidrs=(ANYWHERE,)),
            GroupRule(egress=True, protocol="tcp", ports=(8080, 8080), groups=("sg-app",)),
        ),
        "sg-app": (
            GroupRule(egress=False, protocol="tcp", ports=(8080, 8080), groups=("sg-web",)),
            GroupRule(egress=True, protocol="-1", lists=("pl-s3",)),
        ),
    },
    lists={"pl-s3": (S3,)},
    nats={"nat-1": PUBLIC},
    attached=frozenset({"igw-1", "vgw-1"}),
)
INTERNET = Place("internet", "198.51.100.7", behind="internet")
AT_OFFICE = Place("office", "192.168.1.1", behind="vpn")
BUCKET = Place("S3", "52.1.0.9", behind="service")


def at(subnet: Subnet, *, groups: tuple[str, ...] | None = None) -> Place:
    return Place(subnet.name, subnet.cidr.replace("0/24", "10"), subnet, groups)


def ruled(subnet: Subnet, *rules: AclRule) -> Subnet:
    return replace(subnet, rules=rules)


@pytest.mark.parametrize(
    ("source", "target", "verdict"),
    [
        (at(PUBLIC), INTERNET, Verdict(True, "internet gateway")),
        (at(PRIVATE), INTERNET, Verdict(True, "NAT gateway")),
        (at(ISOLATED), INTERNET, Verdict(False, "no route")),
        (INTERNET, at(PUBLIC), Verdict(True, "internet gateway")),
        (INTERNET, at(PRIVATE), Verdict(False, "answer: by NAT, which begins nothing from outside")),
        (INTERNET, at(ISOLATED), Verdict(False, "answer: no route")),
        (at(PUBLIC), at(PRIVATE), Verdict(True, "local")),
        (at(PRIVATE), at(ISOLATED), Verdict(True, "local")),
        (at(ISOLATED), BUCKET, Verdict(True, "endpoint")),
        (at(PRIVATE), BUCKET, Verdict(True, "endpoint")),
        (at(PRIVATE), AT_OFFICE, Verdict(True, "VPN")),
        (AT_OFFICE, at(PRIVATE), Verdict(True, "VPN")),
        (at(PUBLIC), AT_OFFICE, Verdict(False, "no route")),
        (AT_OFFICE, at(PUBLIC), Verdict(False, "answer: no route")),
        (AT_OFFICE, at(ISOLATED), Verdict(False, "answer: no route")),
        (INTERNET, AT_OFFICE, Verdict(False, "both are elsewhere")),
    ],
)
def test_routes_decide(source: Place, target: Place, verdict: Verdict) -> None:
    assert trace(NETWORK, source, target, 443) == verdict


@pytest.mark.parametrize(
    ("source", "target", "changed", "says"),
    [
        (at(PUBLIC), INTERNET, replace(NETWORK, attached=frozenset()), "internet gateway not attached"),
        (at(PRIVATE), INTERNET, replace(NETWORK, attached=frozenset()), "internet gateway not attached"),
        (at(PRIVATE), INTERNET, replace(NETWORK, nats={}), "NAT gateway gone"),
        (at(PRIVATE), INTERNET, replace(NETWORK, nats={"nat-1": ISOLATED}), "no route"),
        (AT_OFFICE, at(PRIVATE), replace(NETWORK, attached=frozenset({"igw-1"})), "answer: VPN not attached"),
        (at(ISOLATED), BUCKET, replace(NETWORK, lists={"pl-s3": ("52.2.0.0/24",)}), "no route"),
    ],
)
def test_what_a_route_leads_to_must_be_there(source: Place, target: Place, changed: Network, says: str) -> None:
    assert trace(NETWORK, source, target, 443).reached
    assert trace(changed, source, target, 443) == Verdict(False, says)


def test_a_route_to_nowhere_swallows_what_it_leads() -> None:
    gone = replace(PUBLIC, routes=(LOCAL, Route(ANYWHERE, "igw-1", live=False)))
    assert trace(NETWORK, at(gone), INTERNET, 443) == Verdict(False, "route to nowhere")
    specific = replace(gone, routes=(*gone.routes, Route("198.51.100.0/24", "igw-1")))
    assert trace(NETWORK, at(specific), INTERNET, 443).reached


@pytest.mark.parametrize("target", ["eni-1", "pcx-1", "tgw-1", "eigw-1", "vpce-1", "something else"])
def test_what_is_not_known_counts_as_a_way(target: str) -> None:
    """An instance that forwards, a peering, an appliance behind an endpoint: whoever expects no way out is told."""
    lead = replace(ISOLATED, routes=(*ISOLATED.routes, Route(ANYWHERE, target)))
    for source, to in ((at(lead), INTERNET), (INTERNET, at(lead)), (at(lead), AT_OFFICE)):
        assert trace(NETWORK, source, to, 443) == Verdict(True, f"another way, {target}")
    shut = ruled(lead, OPEN[0])
    assert trace(NETWORK, at(shut), INTERNET, 443) == Verdict(False, "ACL out of isolated")
    inside = replace(ISOLATED, routes=(*ISOLATED.routes, Route(PRIVATE.cidr, target)))
    assert trace(NETWORK, at(inside), at(PRIVATE), 443) == Verdict(True, f"another way, {target}")


@pytest.mark.parametrize(("target", "name"), [("local", "local"), ("nat-1", "NAT gateway"), ("vgw-1", "VPN")])
def test_what_is_known_has_a_name(target: str, name: str) -> None:
    assert way_of(Route(ANYWHERE, target)) == name
    assert way_of(LISTED) == "endpoint"


def test_inside_a_subnet_no_list_is_asked() -> None:
    closed = ruled(PRIVATE)
    other = Place("neighbour", "10.0.1.20", closed)
    assert trace(NETWORK, at(closed), other, 22) == Verdict(True, "local")
    assert trace(NETWORK, at(closed), at(ISOLATED), 22) == Verdict(False, "ACL out of private")


ANSWERS = AclRule(200, egress=True, allow=True, protocol="6", cidr=ANYWHERE, ports=EPHEMERAL)
WEB = AclRule(100, egress=False, allow=True, protocol="6", cidr=ANYWHERE, ports=(443, 443))


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        ((WEB, ANSWERS), Verdict(True, "internet gateway")),
        # Stateless: the answer needs a rule of its own, for every port that an asker may have taken.
        ((WEB,), Verdict(False, "answer: ACL out of public")),
        ((WEB, replace(ANSWERS, ports=(32768, 60999))), Verdict(False, "answer: ACL out of public")),
        ((WEB, replace(ANSWERS, egress=False)), Verdict(False, "answer: ACL out of public")),
        ((ANSWERS,), Verdict(False, "ACL into public")),
        # By number, whatever the order: a refusal before the rule, or behind it.
        ((WEB, ANSWERS, replace(WEB, number=50, allow=False)), Verdict(False, "ACL into public")),
        ((replace(WEB, number=150, allow=False), WEB, ANSWERS), Verdict(True, "internet gateway")),
        # A refusal of one port that an answer may need is enough.
        (
            (WEB, ANSWERS, replace(ANSWERS, number=10, allow=False, ports=(40000, 40000))),
            Verdict(False, "answer: ACL out of public"),
        ),
        ((replace(WEB, protocol="17"), ANSWERS), Verdict(False, "ACL into public")),
        ((replace(WEB, cidr="192.0.2.0/24"), ANSWERS), Verdict(False, "ACL into public")),
    ],
)
def test_network_acls_decide_in_both_directions(rules: tuple[AclRule, ...], verdict: Verdict) -> None:
    assert trace(NETWORK, INTERNET, at(ruled(PUBLIC, *rules)), 443) == verdict


def test_the_list_of_the_nat_gateways_subnet_is_asked_too() -> None:
    closed = ruled(PUBLIC, OPEN[1])
    assert trace(replace(NETWORK, nats={"nat-1": closed}), at(PRIVATE), INTERNET, 443).how == "ACL into public"
    one_way = ruled(PUBLIC, *OPEN[1:], AclRule(100, egress=False, allow=True, protocol="-1", cidr="10.0.0.0/16"))
    verdict = trace(replace(NETWORK, nats={"nat-1": one_way}), at(PRIVATE), INTERNET, 443)
    assert verdict == Verdict(False, "answer: ACL into public")


def test_who_asks_from_fewer_ports_needs_fewer_for_its_answer() -> None:
    narrow = ruled(PUBLIC, WEB, replace(ANSWERS, ports=EPHEMERAL_OF_LINUX))
    linux = replace(INTERNET, answers=EPHEMERAL_OF_LINUX)
    assert trace(NETWORK, linux, at(narrow), 443).reached
    assert not trace(NETWORK, INTERNET, at(narrow), 443).reached


def test_a_nat_gateway_needs_all_ports_for_the_answer_whoever_asks() -> None:
    """Its answers come in from the internet; what it hands on goes to the asker's own port."""
    asker = replace(at(PRIVATE), answers=EPHEMERAL_OF_LINUX)
    back = AclRule(100, egress=False, allow=True, protocol="6", cidr=ANYWHERE, ports=EPHEMERAL_OF_LINUX)
    from_private = AclRule(90, egress=False, allow=True, protocol="-1", cidr=VPC)
    narrow = replace(NETWORK, nats={"nat-1": ruled(PUBLIC, OPEN[1], from_private, back)})
    assert trace(narrow, asker, INTERNET, 443) == Verdict(False, "answer: ACL into public")
    wide = replace(NETWORK, nats={"nat-1": ruled(PUBLIC, OPEN[1], from_private, replace(back, ports=EPHEMERAL))})
    assert trace(wide, asker, INTERNET, 443).reached


WEB_SERVER, APP_SERVER = at(PUBLIC, groups=("sg-web",)), at(PRIVATE, groups=("sg-app",))


@pytest.mark.parametrize(
    ("source", "target", "port", "verdict"),
    [
        (INTERNET, WEB_SERVER, 443, Verdict(True, "internet gateway")),
        (INTERNET, WEB_SERVER, 22, Verdict(False, "group of public")),
        (WEB_SERVER, APP_SERVER, 8080, Verdict(True, "local")),
        (WEB_SERVER, APP_SERVER, 22, Verdict(False, "group of public")),
        (at(PUBLIC, groups=()), APP_SERVER, 8080, Verdict(False, "group of public")),
        (at(PUBLIC), APP_SERVER, 8080, Verdict(False, "group of private")),
        (APP_SERVER, WEB_SERVER, 443, Verdict(False, "group of private")),
        (APP_SERVER, BUCKET, 443, Verdict(True, "endpoint")),
        (APP_SERVER, INTERNET, 443, Verdict(False, "group of private")),
    ],
)
def test_groups_decide_and_let_answers_through(source: Place, target: Place, port: int, verdict: Verdict) -> None:
    assert trace(NETWORK, source, target, port) == verdict


def test_a_route_of_the_tables_own_is_preferred_to_a_learned_one() -> None:
    own, learned = Route(OFFICE, "nat-1"), Route(OFFICE, "vgw-1", propagated=True)
    for routes in ((own, learned), (learned, own)):
        assert leads(NETWORK, replace(PRIVATE, routes=routes), "192.168.1.1") == own
    narrow = replace(learned, destination="192.168.1.0/24")
    assert leads(NETWORK, replace(PRIVATE, routes=(own, narrow)), "192.168.1.1") == narrow


def test_a_route_of_the_tables_own_is_preferred_to_one_by_a_list_and_that_to_a_learned_one() -> None:
    own, learned = Route(S3, "nat-1"), Route(S3, "vgw-1", propagated=True)
    for routes in ((own, LISTED, learned), (learned, LISTED, own)):
        assert leads(NETWORK, replace(PRIVATE, routes=routes), BUCKET.address) == own
    for pair in ((LISTED, learned), (learned, LISTED)):
        assert leads(NETWORK, replace(PRIVATE, routes=pair), BUCKET.address) == LISTED


def test_a_list_that_nobody_knows_leads_nowhere() -> None:
    assert leads(Network(), replace(PRIVATE, routes=(LISTED,)), "52.1.0.9") is None


networks = st.builds(
    lambda value, mask: str(ip_network((value >> (32 - mask) << (32 - mask) if mask else 0, mask))),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)


@given(st.lists(networks, max_size=12), st.ip_addresses(v=4), st.randoms())
def test_the_most_specific_route_leads(cidrs: list[str], address: object, dice: random.Random) -> None:
    routes = [Route(cidr, f"igw-{number}") for number, cidr in enumerate(dict.fromkeys(cidrs))]
    dice.shuffle(routes)
    found = leads(Network(), Subnet("s", VPC, tuple(routes)), str(address))
    matching = [ip_network(one.destination) for one in routes if address in ip_network(one.destination)]
    if not matching:
        assert found is None
    else:
        assert found is not None
        assert ip_network(found.destination).prefixlen == max(one.prefixlen for one in matching)


# Few ports, so that every one of them can be asked by itself.
ports = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda pair: (min(pair), max(pair)))
acl_rules = st.lists(
    st.builds(
        AclRule,
        number=st.integers(1, 50),
        egress=st.sampled_from([False, False, False, True]),
        allow=st.booleans(),
        protocol=st.sampled_from(["6", "-1", "6", "17"]),
        cidr=st.sampled_from([ANYWHERE, ANYWHERE, "10.0.0.0/8", "192.0.2.0/24"]),
        ports=st.none() | ports,
    ),
    max_size=8,
    unique_by=lambda rule: (rule.number, rule.egress),
)


def asked_one_by_one(rules: list[AclRule], other: str, port: int) -> bool:
    for rule in sorted(rules, key=lambda rule: rule.number):
        low, high = rule.ports or (0, 65535)
        # For all protocols is for all ports, whatever it names.
        matches = not rule.egress and (rule.protocol == "-1" or (rule.protocol == "6" and low <= port <= high))
        if matches and (rule.cidr == ANYWHERE or other.startswith(rule.cidr.split(".0")[0] + ".")):
            return rule.allow
    return False


@given(acl_rules, ports, st.sampled_from(["10.1.2.3", "192.0.2.7", "198.51.100.1"]), st.randoms())
def test_a_range_passes_when_each_of_its_ports_does(
    rules: list[AclRule], asked: tuple[int, int], other: str, dice: random.Random
) -> None:
    expected = all(asked_one_by_one(rules, other, port) for port in range(asked[0], asked[1] + 1))
    dice.shuffle(rules)
    assert passes(rules, egress=False, protocol="tcp", other=other, ports=asked) is expected


def test_a_rule_for_all_protocols_is_for_all_ports_whatever_it_names() -> None:
    odd = AclRule(100, egress=False, allow=True, protocol="-1", cidr=ANYWHERE, ports=(443, 443))
    assert passes([odd], egress=False, protocol="tcp", other="10.1.2.3", ports=(22, 22))
    wide = {"sg-app": (GroupRule(egress=False, protocol="-1", ports=(443, 443), cidrs=(ANYWHERE,)),)}
    assert trace(replace(NETWORK, groups=wide), at(PUBLIC), at(PRIVATE, groups=("sg-app",)), 22).reached


def test_a_refusal_of_one_part_of_what_is_left_refuses() -> None:
    middle = AclRule(1, egress=False, allow=True, protocol="6", cidr=ANYWHERE, ports=(4, 6))
    edge = AclRule(2, egress=False, allow=False, protocol="6", cidr=ANYWHERE, ports=(1, 1))
    rest = AclRule(3, egress=False, allow=True, protocol="6", cidr=ANYWHERE)
    assert not passes([middle, edge, rest], egress=False, protocol="tcp", other="10.1.2.3", ports=(1, 10))
    assert passes([middle, edge, rest], egress=False, protocol="tcp", other="10.1.2.3", ports=(2, 10))


@given(acl_rules, ports)
def test_a_refusal_before_all_others_refuses(rules: list[AclRule], asked: tuple[int, int]) -> None:
    first = AclRule(0, egress=False, allow=False, protocol="-1", cidr=ANYWHERE)
    assert not passes([*rules, first], egress=False, protocol="tcp", other="10.1.2.3", ports=asked)
