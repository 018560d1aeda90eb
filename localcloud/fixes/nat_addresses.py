"""A NAT gateway tells which addresses it has.

Without this fix the emulator keeps a gateway's allocation and answers that it has no address.
"""

from typing import Any

from localcloud.internals import need


def apply() -> None:
    """Wrap DescribeNatGateways."""
    ec2 = need("services.ec2", "_ACTION_MAP", "_nat_gateways", "_addresses", "_subnets")
    describe = ec2._ACTION_MAP["DescribeNatGateways"]

    def described(params: dict[str, list[str]]) -> Any:
        status, headers, body = describe(params)
        text = body.decode()
        for identity, gateway in ec2._nat_gateways.items():
            named, found, rest = text.partition(f"<natGatewayId>{identity}</natGatewayId>")
            if found:
                allocation = gateway.get("AllocationId") or ""
                public = (ec2._addresses.get(allocation) or {}).get("PublicIp", "")
                item = f"<item><publicIp>{public}</publicIp><allocationId>{allocation}</allocationId></item>"
                shown = f"<natGatewayAddressSet>{item if public else ''}</natGatewayAddressSet>"
                text = named + found + rest.replace("<natGatewayAddressSet/>", shown, 1)
        return status, headers, text.encode()

    ec2._ACTION_MAP["DescribeNatGateways"] = described
