"""Which subnets of a VPC something stands in."""

from aws_cdk import Token
from aws_cdk import aws_ec2 as ec2

_ZONES = 2


def isolated(vpc: ec2.IVpc) -> ec2.SubnetSelection:
    """The isolated ones.

    Raises:
        ValueError: There are none.
    """
    if not vpc.isolated_subnets:
        raise ValueError("subnets: must be given for a VPC without isolated subnets, got none")
    return ec2.SubnetSelection(subnets=vpc.isolated_subnets)


def isolated_or_private(vpc: ec2.IVpc) -> ec2.SubnetSelection:
    """The isolated ones, or the private ones with a way out where there are none."""
    quiet = ec2.SubnetType.PRIVATE_ISOLATED if vpc.isolated_subnets else ec2.SubnetType.PRIVATE_WITH_EGRESS
    return ec2.SubnetSelection(subnet_type=quiet)


def private(vpc: ec2.IVpc) -> ec2.SubnetSelection | None:
    """The private ones, from which a way may lead out; None when there are none."""
    return ec2.SubnetSelection(subnets=vpc.private_subnets) if vpc.private_subnets else None


def selected(vpc: ec2.IVpc, subnets: ec2.SubnetSelection) -> ec2.SelectedSubnets:
    """What a selection selects."""
    return vpc.select_subnets(
        availability_zones=subnets.availability_zones,
        one_per_az=subnets.one_per_az,
        subnet_filters=subnets.subnet_filters,
        subnet_group_name=subnets.subnet_group_name,
        subnets=subnets.subnets,
        subnet_type=subnets.subnet_type,
    )


def in_two_zones(vpc: ec2.IVpc, subnets: ec2.SubnetSelection) -> ec2.SubnetSelection:
    """The selection itself: RDS takes no subnets that are in one zone alone, with a standby or without.

    Raises:
        ValueError: They are.
    """
    zones = selected(vpc, subnets).availability_zones
    # A list that is known at deploy time alone has one item here, and is asked as a whole.
    if len(set(zones)) < _ZONES and not Token.is_unresolved(zones) and not any(map(Token.is_unresolved, zones)):
        raise ValueError(f"subnets: must be in at least {_ZONES} zones, got {len(set(zones))}")
    return subnets
