"""What changes the table of who reaches whom, and who may do that."""

from collections.abc import Callable
from functools import partial
from typing import Any

from journeys import _network_table as table
from journeys._fanout import stranger
from journeys._network_reading import Deployed
from journeys._reachability import trace
from journeys._world import World

DENIED = "UnauthorizedOperation"


def shut(world: World, look: Callable[[], Deployed]) -> None:
    """What an operator does in a hurry, and takes back; the table says so at once, and then as before."""
    with world.step("an operator shuts the database's port by a network ACL: the table changes, and back") as step:
        before = table.tiers(look())
        operator = world.as_role(world.out["OperatorRoleArn"]).client("ec2")
        rule: dict[str, Any] = {"NetworkAclId": world.out["IsolatedAclId"], "RuleNumber": 1, "Egress": False}
        port = {"From": 5432, "To": 5432}
        what = {"Protocol": "6", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0", "PortRange": port}
        operator.create_network_acl_entry(**rule, **what)
        try:
            shut = partial(_changed, look, before)
            found = world.eventually(shut, what="the table changes")
        finally:
            operator.delete_network_acl_entry(**rule)
        assert set(found) == {("private", "isolated:5432"), ("isolated", "isolated:5432")}, found
        world.eventually(lambda: not _changed(look, before), what="the table is as before")
        step.show(**{f"{row} -> {column}": how for (row, column), how in found.items()})


def cut(world: World, look: Callable[[], Deployed]) -> None:
    """A route that goes, and comes back."""
    what = "without the default route of a private subnet the table shows that it cannot leave"
    ec2, subnet = world.client("ec2"), world.out["PrivateSubnetIds"].split(",")[0]
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (found,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]
    targets = [one["NatGatewayId"] for one in found["Routes"] if "NatGatewayId" in one]
    if not targets:
        world.not_run(what, "this network was deployed without NAT gateways")
        return
    with world.step(what) as step:
        before = look()
        route = {"RouteTableId": found["RouteTableId"], "DestinationCidrBlock": "0.0.0.0/0"}
        ec2.delete_route(**route)
        try:
            cut = partial(_cannot_leave, look)
            names = world.eventually(cut, what="a private subnet that cannot leave")
        finally:
            ec2.create_route(**route, NatGatewayId=targets[0])
        assert len(names) == 1, names
        world.eventually(lambda: not _cannot_leave(look), what="every private subnet can leave")
        assert table.tiers(look()) == table.tiers(before), "the table is another than before"
        step.show(cut=names[0])


def _changed(look: Callable[[], Deployed], before: table.Verdicts) -> dict[tuple[str, str], str]:
    after = table.tiers(look())
    return {
        (row, column): after[row][column].how
        for row, columns in before.items()
        for column, one in columns.items()
        if after[row][column] != one
    }


def _cannot_leave(look: Callable[[], Deployed]) -> list[str]:
    deployed = look()
    servers = [deployed.server("private", zone) for zone in range(len(deployed.subnets["private"]))]
    return [one.name for one in servers if not trace(deployed.network, one, deployed.internet, 443).reached]


def rights(world: World, auditor: Any) -> None:
    """Who may do what: one looks, one changes rules, nobody else does either."""
    operator = world.as_role(world.out["OperatorRoleArn"]).client("ec2")
    vpc = [{"Name": "vpc-id", "Values": [world.out["VpcId"]]}]
    acls = world.client("ec2").describe_network_acls(Filters=vpc)["NetworkAcls"]
    (default,) = [one["NetworkAclId"] for one in acls if one["IsDefault"]]
    table_of = world.client("ec2").describe_route_tables(Filters=vpc)["RouteTables"][0]["RouteTableId"]
    entry = {"RuleNumber": 1, "Protocol": "-1", "RuleAction": "allow", "Egress": False, "CidrBlock": "0.0.0.0/0"}
    mine = {"NetworkAclId": world.out["IsolatedAclId"], **entry}
    route = {"RouteTableId": table_of, "DestinationCidrBlock": "0.0.0.0/0"}

    with world.step("the auditor changes nothing") as step:
        step.show(rule=world.refused(DENIED, auditor.create_network_acl_entry, **mine))
        step.show(route=world.refused(DENIED, auditor.delete_route, **route))

    with world.step(
        "the operator changes rules of the three network ACLs, and neither looks nor changes others"
    ) as step:
        step.show(other=world.refused(DENIED, operator.create_network_acl_entry, **mine | {"NetworkAclId": default}))
        step.show(route=world.refused(DENIED, operator.delete_route, **route))
        step.show(look=world.refused(DENIED, operator.describe_network_acls))

    with world.step("a role without a grant neither looks nor changes") as step:
        nobody = world.as_role(stranger(world)).client("ec2")
        step.show(look=world.refused(DENIED, nobody.describe_route_tables))
        step.show(rule=world.refused(DENIED, nobody.create_network_acl_entry, **mine))
